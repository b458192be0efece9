"""What was read of an account: the state that a plan starts from, and its fingerprint."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import field

from pipelines.frozen import frozen
from pipelines.json_types import JsonObject
from pipelines.plan.files import FileChange


@frozen
class LivePipeline:
    """A pipeline as it is.

    Args:
        arn: its ARN.
        definition: its definition JSON, as text.
        role: ARN of the role that it runs with.
        description: empty where it has none.
        parallelism: its ParallelismConfiguration; None where it has none.
        modified: when it was last changed, ISO 8601.
        by: who changed it last, as far as the service says it.
        tags: its tags.
    """

    arn: str
    definition: str
    role: str
    description: str = ""
    parallelism: JsonObject | None = None
    modified: str = ""
    by: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def document(self) -> JsonObject:
        """The definition; empty where it is no JSON object, as only somebody else's can be."""
        try:
            document = json.loads(self.definition)
        except ValueError:
            return {}
        return document if isinstance(document, dict) else {}


@frozen
class LiveGroup:
    """A model package group as it is."""

    arn: str
    tags: Mapping[str, str] = field(default_factory=dict)


@frozen
class DeployedState:
    """What a plan changes: pipelines and groups by name, None where there is none of that name."""

    pipelines: Mapping[str, LivePipeline | None] = field(default_factory=dict)
    groups: Mapping[str, LiveGroup | None] = field(default_factory=dict)


@frozen
class Times:
    """When a schedule starts a pipeline, and with what.

    Args:
        expression: as EventBridge Scheduler takes it, such as `rate(1 day)`.
        timezone: of the expression.
        parameters: of the starts, over the defaults.
        is_on: whether it starts anything.
    """

    expression: str
    timezone: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    is_on: bool = True


@frozen
class Deployed:
    """Everything that was read.

    Args:
        state: what a plan changes.
        present: URIs of the bundle's objects that are in S3.
        files: URI of an asset → the files in it that are not as they were deployed; an asset
            that was not deployed before, or whose old content cannot be read, is not in it.
        has_rule: whether a rule starts the deploy pipeline on approval; None where there is no
            deploy pipeline, or it may not be asked.
        schedules: the times of those of the spec, by name; None of one that is not there. One that
            may not be read is not in it.
        leftovers: pipelines that deploy, were made for this spec, and that it has no more.
    """

    state: DeployedState
    present: frozenset[str] = frozenset()
    files: Mapping[str, tuple[FileChange, ...]] = field(default_factory=dict)
    has_rule: bool | None = None
    schedules: Mapping[str, Times | None] = field(default_factory=dict)
    leftovers: tuple[str, ...] = ()


def fingerprint(state: DeployedState) -> str:
    """Hash a state: two readings have the same fingerprint when nothing changed between them."""
    pipelines = {
        name: live
        and [
            live.arn,
            live.definition,
            live.role,
            live.description,
            live.parallelism,
            live.modified,
            sorted(live.tags.items()),
        ]
        for name, live in state.pipelines.items()
    }
    groups = {
        name: live and [live.arn, sorted(live.tags.items())] for name, live in state.groups.items()
    }
    text = json.dumps([pipelines, groups], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
