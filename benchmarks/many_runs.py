"""The 1,000th run of a small pipeline against its first, and the commands that look at them.

    python -m benchmarks.many_runs [PAIRS]

Two projects have one no-op step each. The one has been run once; the other has 1,000 executions
with outputs, logs and a registered version each: the first and the last are real runs, those
between are copies of a real one, made through the stores of the local SageMaker. Both are run in
turn.
"""

from __future__ import annotations

import json
import secrets
import shutil
import string
from dataclasses import replace
from pathlib import Path

from benchmarks.noop_steps import NOOP
from benchmarks.pairs import Command, Figure, main, pairs, pipelines, ratio, run, tool
from benchmarks.projects import steps_project
from pipelines.backends.local.engine.folders import execution_folder
from pipelines.backends.local.state.executions import ExecutionRecord, StepRecord
from pipelines.backends.local.state.local_state import LocalState
from pipelines.backends.local.state.resources import NamedRecord, PackageRecord

RUNS, REAL = 1000, 20
_GROUP = "steps"
_MOST_STATUS = 0.3
_LETTERS = string.ascii_lowercase + string.digits
_LOOKING = (
    ("status",),
    ("outputs",),
    ("report", "-o", "page.html"),
    ("compare", "latest~1", "latest"),
    ("models",),
)


def fill(home: Path, execution: str, count: int) -> None:
    """Copy an execution, by its id, with its steps, its logs and its outputs; register a version.

    Args:
        home: the `.pipelines` folder.
        execution: the one that is copied.
        count: how many copies; they were started a millisecond after each other, and after it.
    """
    with LocalState(home) as state, state.transaction():
        record = state.executions.find(execution)
        if record is None:
            raise SystemExit(f"there is no execution {execution}")
        steps = state.executions.steps(record.id)
        group = NamedRecord(_GROUP, f"{_package_arn(record)}-group/{_GROUP}", {}, record.created)
        state.package_groups.add(group, [])
        for number in range(count):
            copy = "".join(secrets.choice(_LETTERS) for _ in record.id)
            _copy(state, home, (record, steps), copy, number + 1)


def _copy(
    state: LocalState,
    home: Path,
    original: tuple[ExecutionRecord, list[StepRecord]],
    copy: str,
    number: int,
) -> None:
    record, steps = original
    arn = record.arn.replace(record.id, copy)
    at = record.created + number / 1000
    state.executions.save(replace(record, id=copy, arn=arn, created=at, modified=at, token=None))
    for step in steps:
        outputs = json.loads(json.dumps(step.outputs).replace(record.id, copy))
        written = json.dumps([step.properties, dict(step.metadata)])
        properties, metadata = json.loads(written.replace(record.id, copy))
        renamed = replace(step, execution=copy, properties=properties, outputs=outputs)
        state.executions.save_step(replace(renamed, metadata=metadata))
    folder = execution_folder(home, record.id)
    shutil.copytree(folder, execution_folder(home, copy))
    for outputs_folder in (home / "s3").glob(f"*/*/runs/{record.id}"):
        shutil.copytree(outputs_folder, outputs_folder.with_name(copy))
    version = state.packages.next_version(_GROUP)
    package = f"{_package_arn(record)}/{_GROUP}/{version}"
    content = {"ModelApprovalStatus": "Approved", "MetadataProperties": {"GeneratedBy": arn}}
    state.packages.add(PackageRecord(package, _GROUP, _GROUP, version, content, at), [])


def _package_arn(record: ExecutionRecord) -> str:
    return f"{record.arn.partition(':pipeline/')[0]}:model-package"


def newest(home: Path) -> str:
    """Return the id of the execution whose folder was written last."""
    folders = (home / "executions").iterdir()
    return max(folders, key=lambda folder: folder.stat().st_mtime_ns).name


def figures(count: int, scratch: Path) -> list[Figure]:
    """Measure wall seconds of a run, and of the commands that look, in turn."""
    first, last = scratch / "first", scratch / "last"
    for folder in (first, last):
        steps_project(folder, 1, NOOP, chained=False)
    runs = [pipelines("run", folder=folder, python=tool()) for folder in (first, last)]
    run(runs[0])
    for _ in range(REAL):
        run(runs[1])
    home = last / ".pipelines"
    fill(home, newest(home), RUNS - 2 * REAL)
    for _ in range(REAL):
        run(runs[1])
    found = [_figure(f"the {RUNS}th run", runs[1], runs[0], count)]
    for words in _LOOKING:
        late, early = (
            pipelines(*words[:1], "--local", *words[1:], folder=folder, python=tool())
            for folder in (last, first)
        )
        found.append(_figure(f"{words[0]} with {RUNS} executions", late, early, count))
    return found


def _figure(what: str, late: Command, early: Command, count: int) -> Figure:
    values = [(a.wall, b.wall) for a, b in pairs(late, early, count)]
    mine, theirs, times = ratio(values)
    holds, target = times <= 1.1, "at most 1.1 times the first"
    if what.startswith("status"):
        holds, target = holds and mine < _MOST_STATUS, f"{target}, under {_MOST_STATUS} s"
    return Figure(f"{what}, wall s", target, mine, theirs, times, holds)


if __name__ == "__main__":
    main("many_runs", 9, figures)
