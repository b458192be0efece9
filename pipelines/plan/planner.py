"""(Compiled, Intent, Deployed) → Plan."""

from __future__ import annotations

import json
from collections.abc import Iterator

from pipelines.compile.model import Compiled
from pipelines.definition.resumed import resumed_in
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject
from pipelines.plan import schedules, tags
from pipelines.plan.caching import Miss, misses
from pipelines.plan.deployed import Deployed, LiveGroup, LivePipeline
from pipelines.plan.deployments import endpoints_of
from pipelines.plan.diff import Change, ChangeKind, diff, same
from pipelines.plan.model import (
    GroupPlan,
    Intent,
    PipelinePlan,
    Plan,
    TagChange,
    Upload,
)
from pipelines.spec.names import COPY_OF, deployer


def plan(compiled: Compiled, intent: Intent, deployed: Deployed) -> Plan:
    """Compare what was compiled with what is deployed."""
    planner = _Planner(compiled, intent, deployed)
    return Plan(
        pipeline=compiled.pipeline,
        uploads=tuple(planner.uploads()),
        groups=tuple(planner.group(name) for name in intent.groups),
        pipelines=tuple(planner.pipeline(name) for name in planner.order()),
        definitions=f"s3://{intent.bucket}/{compiled.pipeline}/definitions",
        misses=planner.misses(),
        files=deployed.files,
        warnings=tuple(planner.warnings()),
        state=deployed.state,
    )


@frozen
class _Planner:
    compiled: Compiled
    intent: Intent
    deployed: Deployed

    def order(self) -> tuple[str, ...]:
        """Name the pipelines, the main one last: the others stand when it starts them."""
        main = self.compiled.pipeline
        return (*sorted(name for name in self.compiled.definitions if name != main), main)

    def uploads(self) -> Iterator[Upload]:
        """Yield the assets that are missing, or missing in part."""
        present = self.deployed.present
        for code in self.compiled.code:
            if code.uri not in present:
                files = self.deployed.files.get(code.uri)
                yield Upload("code", code.step, ((code.uri, code),), files)
        for data in self.compiled.data:
            there = ((data.uri + name, path) for name, path in data.files)
            missing = tuple((uri, path) for uri, path in there if uri not in present)
            if missing:
                yield Upload("data", data.name, missing, self.deployed.files.get(data.uri), data)

    def group(self, name: str) -> GroupPlan:
        """Plan a model package group; somebody else's is used as it is."""
        live = self.deployed.state.groups.get(name)
        if live is not None and not self._is_ours(live):
            return GroupPlan(name, live.arn)
        return GroupPlan(name, live.arn if live else None, self._tags(live))

    def pipeline(self, name: str) -> PipelinePlan:
        """Plan a pipeline."""
        live = self.deployed.state.pipelines.get(name)
        text = self.compiled.definitions[name]
        if live is None:
            settings = {"RoleArn": self.intent.role}
            if self.intent.description:
                settings["PipelineDescription"] = self.intent.description
            return PipelinePlan(name, None, text, settings, self._tags(None))
        differs = diff(live.document, json.loads(text))
        changes = (*_role(live, self.intent), *differs)
        if changes:
            changes = (*changes, *_description(live, self.intent))
        is_new = not same(live.document, json.loads(text))
        return PipelinePlan(
            name,
            live.arn,
            text if is_new else None,
            self._settings(live) if changes else {},
            self._tags(live),
            changes,
            foreign=not self._is_ours(live),
        )

    def misses(self) -> tuple[Miss, ...]:
        """Predict the main pipeline's misses; where it never ran there is no cache to miss."""
        live = self.deployed.state.pipelines.get(self.compiled.pipeline)
        if live is None:
            return ()
        return misses(live.document, json.loads(self.compiled.definition))

    def warnings(self) -> Iterator[str]:
        """Yield what a person should know and a plan does not change."""
        if self.intent.deploy is not None and self.deployed.has_rule is False:
            yield (
                f"no EventBridge rule starts {self.intent.deploy} when a model is approved:"
                " `ci init` and `ci apply` make one; until then, only `pipelines approve` starts it"
            )
        yield from schedules.warnings(self.intent.schedules, self.deployed.schedules)
        for name in self.deployed.leftovers:
            starter = "approvals" if name == deployer(self.compiled.pipeline) else "a schedule"
            gone = "deploys anything" if starter == "approvals" else "has it"
            yield (
                f"the pipeline {name} still exists and {starter} may start it, "
                f"although the spec no longer {gone}: delete it with "
                f"aws sagemaker delete-pipeline --pipeline-name {name}"
            )
        for one in resumed_in(json.loads(self.compiled.definition)):
            yield (
                f"{one.step} goes on with the checkpoints of execution {one.execution},"
                f" in {one.uri}/ (`checkpoints.resume`)"
            )
        for name in self._left_running():
            yield (
                f"the endpoint {name} is no longer in the spec; "
                "if it exists it keeps running until you delete it: "
                f"aws sagemaker delete-endpoint --endpoint-name {name}"
            )

    def _left_running(self) -> list[str]:
        """List the endpoints that what is deployed names, and what will be does not."""
        deployed = self.deployed.state.pipelines.values()
        ours = (one for one in deployed if one and self._is_ours(one))
        before = {name for one in ours for name in endpoints_of(one.definition)}
        after = {name for text in self.compiled.definitions.values() for name in endpoints_of(text)}
        return sorted(before - after)

    def _is_ours(self, live: LivePipeline | LiveGroup) -> bool:
        return tags.is_ours(live.tags, self.compiled.pipeline, self.intent.tags.get(COPY_OF))

    def _settings(self, live: LivePipeline) -> JsonObject:
        """Return what goes along with an update: what is left out of one may be lost."""
        settings: JsonObject = {"RoleArn": self.intent.role}
        if live.description or self.intent.description:
            settings["PipelineDescription"] = self.intent.description
        if live.parallelism is not None:
            settings["ParallelismConfiguration"] = live.parallelism
        return settings

    def _tags(self, live: LivePipeline | LiveGroup | None) -> TagChange:
        have = live.tags if live else {}
        want = tags.desired(self.compiled.pipeline, self.intent.tags)
        return TagChange(tags.added(have, want), tags.removed(have, want))


def _description(live: LivePipeline, intent: Intent) -> Iterator[Change]:
    """Yield the change of a description; it is written only when something else changes."""
    if live.description != intent.description:
        was, now = live.description or None, intent.description or None
        kind = (
            ChangeKind.CHANGED if was and now else ChangeKind.ADDED if now else ChangeKind.REMOVED
        )
        yield Change(kind, None, ("PipelineDescription",), was, now)


def _role(live: LivePipeline, intent: Intent) -> Iterator[Change]:
    if live.role != intent.role:
        yield Change(ChangeKind.CHANGED, None, ("RoleArn",), live.role, intent.role)
