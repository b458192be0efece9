"""A plan → the content of a plan file, and what is no longer as it was when that was written.

The file carries what was reviewed and all that it was made from: the compiled definitions, the
hashes of code and data, and what was deployed. `upsert --plan` compiles and plans again, and goes
on only where that comes to the same: the objects themselves are in the checkout, not in the file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict

from pipelines.compile.model import Compiled
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject
from pipelines.plan.deployed import LiveGroup, LivePipeline
from pipelines.plan.diff import Change, ChangeKind, diff, same
from pipelines.plan.files import FileChange, compare, of_bundle
from pipelines.plan.model import Intent, Plan
from pipelines.runtime.bundle import BundleFile

FORMAT = "sagemaker-pipelines-as-code plan"
VERSION = 1

_DIGEST = "sha256"
_SETTINGS = {"role": "RoleArn", "description": "PipelineDescription"}


@frozen
class PlanSource:
    """What a plan was made from and for.

    Args:
        target: the spec's pipeline, environment and copy, and the account, region, or that it is
            the local SageMaker.
        tool: the version of this tool.
        intent: what the spec says besides its definitions.
        compiled: what was compiled.
    """

    target: JsonObject
    tool: str
    intent: Intent
    compiled: Compiled


@frozen
class Drift:
    """Something that is not as it was when a plan file was written.

    Args:
        what: it, such as `pipeline churn` or `code of train`.
        is_deployed: whether it is what is deployed that changed, and not the checkout.
        how: what happened to it where that is not a matter of parts, such as `was deleted`.
        changes: what is different in a definition or in settings.
        files: which files are different.
    """

    what: str
    is_deployed: bool
    how: str = ""
    changes: tuple[Change, ...] = ()
    files: tuple[FileChange, ...] = ()


def document(plan: Plan, source: PlanSource, review: JsonObject) -> JsonObject:
    """Return what stands in a plan file: the same for the same state.

    Args:
        plan: the plan.
        source: what it was made from.
        review: the plan as it was shown, for whoever reads the file.
    """
    content: JsonObject = {
        "format": FORMAT,
        "version": VERSION,
        "tool": source.tool,
        "target": source.target,
        "plan": review,
        "compiled": _compiled(source),
        "deployed": _deployed(plan),
        "uploads": _uploads(plan),
    }
    return {**content, _DIGEST: digest_of(content)}


def digest_of(content: JsonObject) -> str:
    """Hash a document without its own hash, however it is written."""
    rest = {key: value for key, value in content.items() if key != _DIGEST}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def is_whole(content: JsonObject) -> bool:
    """Return whether a document is as it was written."""
    return content.get(_DIGEST) == digest_of(content)


def drifts(saved: JsonObject, plan: Plan, source: PlanSource) -> tuple[Drift, ...]:
    """Compare a plan file with the plan that is made now; none when it still holds.

    Objects that were to be uploaded and are there by now are right, as their content is in their
    address: an upsert that was cut off can be repeated.
    """
    found = [
        *_checkout(_mapping(saved.get("compiled")), _compiled(source)),
        *_account(_mapping(saved.get("deployed")), _deployed(plan)),
    ]
    if not found:
        planned = saved.get("uploads")
        known = planned if isinstance(planned, list) else []
        found += [
            Drift(f"object {uri}", is_deployed=True, how="was deleted")
            for uri in _uploads(plan)
            if uri not in known
        ]
    return tuple(found)


def is_carried_out(saved: JsonObject, plan: Plan, source: PlanSource) -> bool:
    """Return whether all that a plan file wants is there."""
    return plan.is_empty and same(saved.get("compiled"), _compiled(source))


def _compiled(source: PlanSource) -> JsonObject:
    compiled, intent = source.compiled, source.intent
    return {
        "definitions": {name: json.loads(text) for name, text in compiled.definitions.items()},
        "settings": {**asdict(intent), "tags": dict(intent.tags), "groups": [*intent.groups]},
        "code": {
            asset.label: {
                "uri": asset.uri,
                "files": {one.path: _content(one) for one in asset.members},
            }
            for asset in compiled.code
        },
        "data": {
            asset.name: {"uri": asset.uri, "files": dict(asset.contents)} for asset in compiled.data
        },
    }


def _content(file: BundleFile) -> str:
    """Tell a file's content and its executable bit, which archives of checkouts lose."""
    digest = hashlib.sha256(file.content).hexdigest()
    return f"{digest} executable" if file.executable else digest


def _uploads(plan: Plan) -> list[str]:
    return sorted(uri for upload in plan.uploads for uri, _ in upload.objects)


def _deployed(plan: Plan) -> JsonObject:
    return {
        "pipelines": {name: _pipeline(live) for name, live in plan.state.pipelines.items()},
        "groups": {name: _group(live) for name, live in plan.state.groups.items()},
    }


def _pipeline(live: LivePipeline | None) -> JsonObject | None:
    if live is None:
        return None
    return {
        "arn": live.arn,
        "definition": live.document or live.definition,
        "role": live.role,
        "description": live.description,
        "parallelism": live.parallelism,
        "modified": live.modified,
        "by": live.by,
        "tags": dict(live.tags),
    }


def _group(live: LiveGroup | None) -> JsonObject | None:
    return None if live is None else {"arn": live.arn, "tags": dict(live.tags)}


def _checkout(was: JsonObject, now: JsonObject) -> Iterator[Drift]:
    """Yield what compiles to something else: files first, which definitions only point at."""
    changed = set[str]()
    for section, words in (("code", "code of "), ("data", "data ")):
        before, after = _mapping(was.get(section)), _mapping(now.get(section))
        for name in sorted({*before, *after}):
            one, other = _mapping(before.get(name)), _mapping(after.get(name))
            if not same(one, other):
                changed |= {str(side.get("uri")) for side in (one, other)}
                files = compare(_mapping(one.get("files")), _mapping(other.get("files")))
                files = of_bundle(files) if section == "code" else files
                yield Drift(f"{words}{name}", is_deployed=False, files=files)
    before, after = _mapping(was.get("definitions")), _mapping(now.get("definitions"))
    for name in sorted({*before, *after}):
        found = diff(_mapping(before.get(name)), _mapping(after.get(name)))
        shown = tuple(one for one in found if not (changed and _points_at(one, changed)))
        if shown:
            yield Drift(f"pipeline {name}", is_deployed=False, changes=shown)
    settings = tuple(_members((), _mapping(was.get("settings")), now.get("settings")))
    if settings:
        yield Drift("settings of the spec", is_deployed=False, changes=settings)


def _points_at(change: Change, uris: set[str]) -> bool:
    return any(isinstance(side, str) and side in uris for side in (change.before, change.after))


def _account(was: JsonObject, now: JsonObject) -> Iterator[Drift]:
    for section, word in (("groups", "model package group"), ("pipelines", "pipeline")):
        before, after = _mapping(was.get(section)), _mapping(now.get(section))
        for name in sorted({*before, *after}):
            one, other = before.get(name), after.get(name)
            if not same(one, other):
                yield _drift(f"{word} {name}", one, other)


def _drift(what: str, was: Json, now: Json) -> Drift:
    """Say what happened to a pipeline or a group of the account."""
    if not was or not now:
        return Drift(what, is_deployed=True, how="was deleted" if was else "was created")
    one, other = _mapping(was), _mapping(now)
    definitions = [_mapping(side.get("definition")) for side in (one, other)]
    left_out = {"definition", "modified", "by"}
    changes = (
        *diff(*definitions),
        *_members((), _without(one, left_out), _without(other, left_out)),
    )
    who = f" by {other['by']}" if other.get("by") else ""
    how = f"was updated{who} at {other.get('modified')}" if "modified" in other else ""
    return Drift(what, is_deployed=True, how=how, changes=changes)


def _members(path: tuple[str, ...], was: Json, now: Json) -> Iterator[Change]:
    """Yield the values that differ, by their paths."""
    if isinstance(was, dict) and isinstance(now, dict):
        for key in sorted({*was, *now}):
            named = _SETTINGS.get(key, key)
            yield from _members((*path, named), was.get(key), now.get(key))
    elif not same(was, now):
        kinds = {(True, False): ChangeKind.ADDED, (False, True): ChangeKind.REMOVED}
        kind = kinds.get((was is None, now is None), ChangeKind.CHANGED)
        yield Change(kind, None, path, was, now)


def _without(value: JsonObject, keys: Iterable[str]) -> JsonObject:
    return {key: item for key, item in value.items() if key not in keys}


def _mapping(value: Json) -> JsonObject:
    return dict(value) if isinstance(value, Mapping) else {}
