"""A plan → JSON for machines: stable, every path in full."""

from __future__ import annotations

from collections.abc import Iterable

from pipelines.json_types import JsonObject
from pipelines.plan.caching import Miss
from pipelines.plan.diff import Change
from pipelines.plan.files import FileChange
from pipelines.plan.model import GroupPlan, PipelinePlan, Plan, Upload
from pipelines.plan.words import short

VERSION = 1


def plan_json(
    plan: Plan,
    where: JsonObject,
    quotas: Iterable[str] = (),
    advice: Iterable[str] = (),
    cost: JsonObject | None = None,
) -> JsonObject:
    """Write a plan.

    Args:
        plan: the plan.
        where: the target: account, region, whether it is local.
        quotas: what its steps need of the account's quotas.
        advice: what the latest execution suggests.
        cost: what it costs; None where nothing is billed.
    """
    return {
        "version": VERSION,
        "pipeline": plan.pipeline,
        "target": where,
        "has_changes": not plan.is_empty,
        "uploads": [_upload(upload) for upload in plan.uploads],
        "model_package_groups": [_group(group) for group in plan.groups],
        "pipelines": [_pipeline(pipeline) for pipeline in plan.pipelines],
        "cache_misses": [_miss(miss) for miss in plan.misses],
        "warnings": list(plan.warnings),
        "quotas": list(quotas),
        "advice": list(advice),
        "cost": cost,
        "fingerprint": plan.fingerprint,
    }


def _upload(upload: Upload) -> JsonObject:
    files = None if upload.files is None else [_file(change) for change in upload.files]
    return {
        "kind": upload.kind,
        "name": upload.name,
        "objects": [uri for uri, _ in upload.objects],
        "changed_files": files,
    }


def _file(change: FileChange) -> JsonObject:
    written: JsonObject = {"path": change.path, "change": change.kind}
    if change.settings:
        written["settings"] = [
            {
                "change": setting.kind,
                "key": ".".join(map(str, setting.path)),
                "before": setting.before,
                "after": setting.after,
            }
            for setting in change.settings
        ]
    return written


def _group(group: GroupPlan) -> JsonObject:
    return {"name": group.name, "action": group.action, **_tags(group)}


def _pipeline(pipeline: PipelinePlan) -> JsonObject:
    return {
        "name": pipeline.name,
        "action": pipeline.action,
        "foreign": pipeline.foreign,
        "changes": [_change(change) for change in pipeline.changes],
        **_tags(pipeline),
    }


def _tags(resource: GroupPlan | PipelinePlan) -> JsonObject:
    return {
        "tags_set": dict(sorted(resource.tags.add.items())),
        "tags_removed": [*resource.tags.remove],
    }


def _change(change: Change) -> JsonObject:
    return {
        "change": change.kind,
        "step": change.step,
        "path": list(change.path),
        "short": short(change.path),
        "before": change.before,
        "after": change.after,
    }


def _miss(miss: Miss) -> JsonObject:
    reasons = [
        {
            "cause": reason.cause,
            "path": list(reason.path),
            "name": reason.name or None,
            "before": reason.before,
            "after": reason.after,
        }
        for reason in miss.reasons
    ]
    return {"step": miss.step, "certain": miss.certain, "reasons": reasons}
