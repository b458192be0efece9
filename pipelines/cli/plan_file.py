"""Plan files: written by `plan -o`, read and held against the present by `upsert --plan`."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pipelines.account.planning import intent_of
from pipelines.cli.options import ChosenSpec, writing
from pipelines.cli.plan_json import plan_json
from pipelines.cli.plan_words import PlanWords, listed
from pipelines.cli.printing import echo
from pipelines.cli.target import CommandTarget
from pipelines.errors import UsageError
from pipelines.files import put
from pipelines.json_types import Json, JsonObject
from pipelines.plan.model import Plan
from pipelines.plan.saved import (
    FORMAT,
    VERSION,
    Drift,
    PlanSource,
    document,
    drifts,
    is_carried_out,
    is_whole,
)

_PACKAGE = "sagemaker-pipelines-as-code"
_LARGEST = 1 << 28
_SHOWN = 20


def require_place(path: Path) -> None:
    """Refuse, before anything is asked of the account, a place where no plan file can be written.

    Raises:
        UsageError: it has no folder, or something else than a plan file is there.
    """
    if str(path) == "-":
        raise UsageError("`-o -`: a plan file is no output for a terminal", "write -o plan.json")
    if not path.parent.is_dir():
        found = "{} is not a folder" if path.parent.exists() else "there is no folder {}"
        raise UsageError(found.format(path.parent), "make it, or name another file")
    if path.is_dir():
        raise UsageError(f"{path} is a folder", f"name a file in it: -o {path / 'plan.json'}")
    if path.is_file() and path.stat().st_size and _format_of(_parsed(path)) != FORMAT:
        raise UsageError(
            f"{path} is not a plan file: it is not replaced", "name another file, or delete it"
        )


def save(path: Path, plan: Plan, target: CommandTarget) -> None:
    """Write a plan file.

    Raises:
        UsageError: it cannot be written.
    """
    content = document(plan, _source(target), plan_json(plan, target.where()))
    text = json.dumps(content, indent=2, sort_keys=True) + "\n"
    with writing(path):
        put(path, text.encode())


class PlanFile:
    """A plan file that was read: what was reviewed.

    Args:
        path: the file.

    Raises:
        UsageError: it is not there, no plan file, edited, or from another version of this tool.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._content = _read(path)

    def require_chosen(self, chosen: ChosenSpec, *, local: bool) -> None:
        """Refuse another environment, copy or backend than the one that was planned for.

        Raises:
            UsageError: the command line names another one.
        """
        asked = {"environment": chosen.env, "copy": chosen.copy, "local": local}
        planned = {key: self._target.get(key) for key in asked}
        if planned == asked:
            return
        env, copy = (str(v) if (v := planned[k]) else None for k in ("environment", "copy"))
        meant = ChosenSpec(chosen.file, env, copy)
        is_local = bool(planned["local"])
        raise UsageError(
            f"{self._path} was made with {_flags(meant, local=is_local)}, "
            f"this command has {_flags(chosen, local=local)}",
            f"to carry out that plan: pipelines upsert{meant.flags(local=is_local)}"
            f" --plan {shlex.quote(str(self._path))}",
        )

    def require_target(self, target: CommandTarget) -> None:
        """Refuse another pipeline, account or region than the one that was planned for.

        Raises:
            UsageError: it is another one.
        """
        for key, now in _target(target).items():
            planned = self._target.get(key)
            if planned != now:
                raise UsageError(
                    f"{self._path} was made for the {key} {planned}, and this is {now}",
                    self._again(target),
                )

    def is_carried_out(self, plan: Plan, target: CommandTarget) -> bool:
        """Return whether all that it wants is deployed."""
        return is_carried_out(self._content, plan, _source(target))

    def require_current(self, plan: Plan, target: CommandTarget) -> None:
        """Print what is no longer as it was when the plan was made.

        Raises:
            UsageError: something is not.
        """
        found = drifts(self._content, plan, _source(target))
        if not found:
            return
        words = PlanWords(plan.files)
        for is_deployed, place in ((False, "this checkout"), (True, target.description)):
            lines = [one for drift in found if drift.is_deployed is is_deployed
                     for one in _lines(drift, words)]  # fmt: skip
            for line in (f"changed in {place} since {self._path} was written:", *lines):
                if lines:
                    echo(line, err=True)
        raise UsageError(f"{self._path} no longer holds: nothing was changed", self._again(target))

    @property
    def _target(self) -> JsonObject:
        found = self._content.get("target")
        return found if isinstance(found, dict) else {}

    def _again(self, target: CommandTarget) -> str:
        place = shlex.quote(str(self._path))
        return f"plan again and review it: pipelines plan{target.flags} -o {place}"


def _target(target: CommandTarget) -> JsonObject:
    return {
        "pipeline": target.pipeline,
        "environment": target.chosen.env,
        "copy": target.chosen.copy,
        **target.where(),
    }


def _source(target: CommandTarget) -> PlanSource:
    intent = intent_of(target.spec, target.compiled)
    return PlanSource(_target(target), _tool(), intent, target.compiled)


def _tool() -> str:
    try:
        return version(_PACKAGE)
    except PackageNotFoundError:
        return "unknown"


def _flags(chosen: ChosenSpec, *, local: bool) -> str:
    """Write the options that lead somewhere else, for a sentence."""
    flags = ChosenSpec(Path("pipeline.yaml"), chosen.env, chosen.copy).flags(local=local)
    return flags.strip() or "none of --env, --as and --local"


def _read(path: Path) -> JsonObject:
    content = _parsed(path)
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        is_shown = isinstance(content, dict) and "cache_misses" in content
        why = ": it is what `plan --format json` prints" if is_shown else ""
        raise UsageError(f"{path} is not a plan file{why}", "name what `pipelines plan -o` wrote")
    number = content.get("version")
    if number != VERSION:
        newer = isinstance(number, int) and number > VERSION
        raise UsageError(
            f"{path} has version {number} of the plan file; this tool knows {VERSION}",
            "use the version of the tool that wrote it" if newer else "plan again with this tool",
        )
    if not is_whole(content):
        raise UsageError(
            f"{path} was edited, or is damaged: its contents do not match its hash",
            "plan again: pipelines plan -o; what is to be deployed is changed in the spec",
        )
    if content.get("tool") != _tool():
        raise UsageError(
            f"{path} was written by version {content.get('tool')} of this tool, this is {_tool()}",
            "use that version, or plan again with this one and review it",
        )
    return content


def _format_of(content: Json) -> Json:
    return content.get("format") if isinstance(content, dict) else None


def _parsed(path: Path) -> Json:
    """Read JSON; None where it is none.

    Raises:
        UsageError: the file cannot be read.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(_LARGEST)
        return json.loads(content)
    except OSError as error:
        raise UsageError(
            f"the plan file {path} cannot be read: {error.strerror}",
            "write one: pipelines plan -o plan.json",
        ) from error
    except (ValueError, RecursionError):
        return None


def _lines(drift: Drift, words: PlanWords) -> Iterator[str]:
    said = [drift.how] if drift.how else []
    said += [listed(drift.files)] if drift.files else []
    yield f"  {drift.what}: {', '.join(said)}" if said else f"  {drift.what}"
    lines = [f"    {sign} {text}" for sign, text in words.changes(drift.changes)]
    yield from lines[:_SHOWN]
    if len(lines) > _SHOWN:
        yield f"    and {len(lines) - _SHOWN} more"
