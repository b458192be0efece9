"""A plan: what there is to do, in order, and why. Showing it and doing it read the same values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from pathlib import Path

from pipelines.bundle.assets import CodeAsset, DataAsset
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject
from pipelines.plan.caching import Miss
from pipelines.plan.deployed import DeployedState, Times, fingerprint
from pipelines.plan.diff import Change
from pipelines.plan.files import FileChange


class Action(StrEnum):
    """What is done with something."""

    CREATE = "create"
    UPDATE = "update"
    UNCHANGED = "unchanged"


@frozen
class Intent:
    """What the spec says besides the definitions.

    Args:
        pipeline: the pipeline's name.
        role: ARN of the role that pipelines run with.
        bucket: where code and data go.
        description: the pipeline's description, empty for none.
        tags: what is to be tagged.
        groups: model package groups that the definitions register in.
        deploy: the pipeline that approvals are to start; None where there is none.
        schedules: name in the account → what is to start a pipeline at times.
    """

    pipeline: str
    role: str
    bucket: str
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    groups: tuple[str, ...] = ()
    deploy: str | None = None
    schedules: Mapping[str, Times] = field(default_factory=dict)


@frozen
class Upload:
    """An asset of which objects are missing in S3.

    Args:
        kind: `code` or `data`.
        name: the step whose code it is, or the name in `data:`.
        objects: URI and content of each object that is missing.
        files: what changed in it since it was deployed; None where it was not, or that is not
            known.
        data: the folder that it is, for `data`; its files may change before they are uploaded.
    """

    kind: str
    name: str
    objects: tuple[tuple[str, CodeAsset | Path], ...]
    files: tuple[FileChange, ...] | None = None
    data: DataAsset | None = None


@frozen
class TagChange:
    """Tags to be set, and keys to be removed."""

    add: Mapping[str, str] = field(default_factory=dict)
    remove: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not self.add and not self.remove


@frozen
class GroupPlan:
    """What becomes of a model package group.

    Args:
        name: its name.
        arn: its ARN; None where it is to be created.
        tags: its tags.
    """

    name: str
    arn: str | None
    tags: TagChange = field(default_factory=TagChange)

    @property
    def action(self) -> Action:
        """What is done."""
        if self.arn is None:
            return Action.CREATE
        return Action.UNCHANGED if self.tags.is_empty else Action.UPDATE


@frozen
class PipelinePlan:
    """What becomes of a pipeline.

    Args:
        name: its name.
        arn: its ARN; None where it is to be created.
        definition: its new definition JSON; None where it stays.
        settings: members of CreatePipeline or UpdatePipeline beside it: role, description.
        tags: its tags.
        changes: what is different in the definition, and in the role.
        foreign: whether it is there and was not made by this tool for this pipeline.
    """

    name: str
    arn: str | None
    definition: str | None = None
    settings: JsonObject = field(default_factory=dict)
    tags: TagChange = field(default_factory=TagChange)
    changes: tuple[Change, ...] = ()
    foreign: bool = False

    @property
    def action(self) -> Action:
        """What is done."""
        if self.arn is None:
            return Action.CREATE
        still = self.definition is None and not self.settings and self.tags.is_empty
        return Action.UNCHANGED if still else Action.UPDATE


@frozen
class Plan:
    """Everything that is to be done; nothing else is.

    Args:
        pipeline: the spec's `pipeline`.
        uploads: assets that are missing in S3.
        groups: model package groups, the unchanged ones too.
        pipelines: the pipelines in the order in which they change, the unchanged ones too.
        definitions: `s3://bucket/prefix` that large definitions are put under.
        misses: cached steps of the pipeline that will run again.
        files: URI of an asset → the files in it that are not as they were deployed.
        warnings: what a person should know.
        state: what it was made from.
    """

    pipeline: str
    uploads: tuple[Upload, ...]
    groups: tuple[GroupPlan, ...]
    pipelines: tuple[PipelinePlan, ...]
    definitions: str
    misses: tuple[Miss, ...] = ()
    files: Mapping[str, tuple[FileChange, ...]] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    state: DeployedState = field(default_factory=DeployedState)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not self.uploads and all(t.action is Action.UNCHANGED for t in self.resources)

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the state that it was made from."""
        return fingerprint(self.state)

    @property
    def resources(self) -> tuple[GroupPlan | PipelinePlan, ...]:
        """Groups and pipelines, in the order in which they change."""
        return (*self.groups, *self.pipelines)
