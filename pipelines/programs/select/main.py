"""The job of `kind: experiments` that reads its members and chooses the best.

Config: `step`, the name of the experiment; `metric` and `goal`; `members`, `step` and `parameters`
of each. Output `report` gets `best.json` (`step`, `job`, `model`, `metrics`, `parameters` of the
best), `experiments.json` (all members) and `experiments.svg`. The execution comes by environment.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.programs.select.members import COMPLETED, Member, read_members, row_text
from pipelines.programs.select.picture import drawn
from pipelines.programs.select.variables import BEST, EXECUTION, PICTURE, REPORT
from pipelines.runtime.errors import JobError

if TYPE_CHECKING:
    from pipelines.runtime.layout import Layout


def main(config: dict[str, Any], layout: Layout) -> int:
    """Choose the best member and write the results.

    Raises:
        JobError: no member has a model and a value of the metric, or AWS refused a call.
    """
    import boto3  # noqa: PLC0415 - not where the module is only looked at
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - as above

    client = boto3.client("sagemaker", region_name=config["aws"]["region"])
    try:
        members = read_members(client, os.environ[EXECUTION], config["members"])
    except (ClientError, BotoCoreError) as error:
        raise JobError(str(error)) from error
    best = choose(members, config["metric"], config["goal"])
    output = Path(os.environ.get("SM_OUT_REPORT") or layout.output("report"))
    output.mkdir(parents=True, exist_ok=True)
    _write(output, config, members, best)
    said = summary(config, members, best)
    print(said, flush=True)
    layout.failure.parent.mkdir(parents=True, exist_ok=True)
    layout.failure.write_text(said, encoding="utf-8")  # becomes the job's ExitMessage
    return 0


def choose(members: Sequence[Member], metric: str, goal: str) -> Member:
    """Return the completed member with the best value, the first of equal ones.

    Raises:
        JobError: there is none.
    """
    found = [(value, one) for one in members if (value := _value(one, metric)) is not None]
    if not found:
        raise JobError(f"No member has a value of `{metric}`: {_reasons(members, metric)}")
    pick = max if goal == "maximize" else min
    return pick(found, key=lambda pair: pair[0])[1]


def _value(member: Member, metric: str) -> float | None:
    value = (member.metrics or {}).get(metric)
    usable = member.status == COMPLETED and value is not None and math.isfinite(value)
    return value if usable else None


def _reasons(members: Sequence[Member], metric: str) -> str:
    found = ((one, _why(one, metric)) for one in members)
    return "; ".join(
        f"{one.step} {one.status}" + (f" ({why})" if why else "") for one, why in found
    )


def _why(member: Member, metric: str) -> str:
    """Explain why a member has no value that can be compared; empty where its status says it."""
    if member.reason:
        return member.reason.splitlines()[0][:200]
    if member.status != COMPLETED:
        return ""
    value = (member.metrics or {}).get(metric)
    return "nothing in its log" if value is None else f"the value {value:g}"


def summary(config: Mapping[str, Any], members: Sequence[Member], best: Member) -> str:
    """Say in one line which member is the best, and how many have not completed."""
    chosen = row_text(best.parameters)
    value = (best.metrics or {})[config["metric"]]
    bad = [one.step for one in members if one.status != COMPLETED]
    missing = f"; {len(bad)} of {len(members)} did not complete: {', '.join(bad)}" if bad else ""
    return f"best of {len(members)}: {best.step} ({chosen}), {config['metric']} {value:g}{missing}"


def _write(
    folder: Path, config: Mapping[str, Any], members: Sequence[Member], best: Member
) -> None:
    whole = best.document()
    kept = ("step", "job", "model", "metrics", "parameters")
    report = {
        "experiment": config["step"],
        "metric": config["metric"],
        "goal": config["goal"],
        "best": best.step,
        "members": [one.document() for one in members],
    }
    documents = {BEST: {key: whole[key] for key in kept}, REPORT: report}
    for name, document in documents.items():
        text = json.dumps(document, indent=2, ensure_ascii=False)
        (folder / name).write_text(f"{text}\n", encoding="utf-8")
    (folder / PICTURE).write_text(drawn(report), encoding="utf-8")
