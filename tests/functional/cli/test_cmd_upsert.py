"""`plan` and `upsert` on the local SageMaker: the same code, and jobs that really run."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.functional.cli.conftest import Command


def edit(path: Path, old: str, new: str) -> None:
    """Replace a text in a file; it has to be there."""
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


@pytest.fixture
def cached(project: Path) -> Path:
    """Let every step of the project be cached."""
    edit(project / "pipeline.yaml", "image: sklearn-1.9-cpu", "{image: sklearn-1.9-cpu, cache: 1d}")
    edit(project / "pipeline.yaml", "defaults:\n  {", "defaults: {")
    return project


def predicted(pipelines: Command) -> set[str]:
    """Name the steps that are to run again, by the plan."""
    answer = pipelines("plan", "--local", "--format", "json")
    assert answer.code == 0, answer.err
    return {miss["step"] for miss in json.loads(answer.out)["cache_misses"]}


def started(pipelines: Command) -> set[str]:
    """Deploy, execute, and name the steps whose jobs ran."""
    assert pipelines("upsert", "--local").code == 0
    answer = pipelines("start", "--local", "--wait")
    assert answer.code == 0, answer.out + answer.err
    ended = re.findall(r"  (make|use): Succeeded in (.*)", answer.out)
    return {step for step, rest in ended if "cache" not in rest}


@pytest.mark.usefixtures("cached")
def test_upsert_makes_what_start_executes(pipelines: Command) -> None:
    """No account and no question; a second one finds nothing to do."""
    answer = pipelines("upsert", "--local")
    assert answer.code == 0, answer.err
    assert "small in the local SageMaker in .pipelines\n" in answer.out
    assert "create    pipeline small" in answer.out
    answer = pipelines("plan", "--local", "--check")
    assert answer.code == 0, answer.err
    assert "nothing to do" in answer.out
    assert pipelines("upsert", "--local").code == 0
    versions = pipelines("versions", "--local")
    assert versions.out.count("\n") == 2, versions.out
    assert started(pipelines) == {"make", "use"}


CHANGES = {
    "code": ("steps/use.py", "rows:", "the rows:", {"use"}),
    "code upstream": ("steps/make.py", "making", "making up", {"make", "use"}),
    "data": ("data/word.txt", "word", "bird", {"make", "use"}),
    "parameter": ("pipeline.yaml", "default: 3", "default: 4", {"make", "use"}),
    "input": ("pipeline.yaml", "rows: ${steps.make.rows}", "other: ${steps.make.rows}", {"use"}),
    "outside of the key": ("pipeline.yaml", "use.py", "use.py\n    volume_size_in_gb: 50", set()),
    "parameter elsewhere": ("pipeline.yaml", "default: 2.0", "default: 1.0", set()),
}
"""File, text, its replacement, and the steps that have to run again."""


@pytest.mark.parametrize("change", CHANGES)
def test_real_jobs_run_again_exactly_where_the_plan_says(
    cached: Path, pipelines: Command, change: str
) -> None:
    """Code, data, parameters, inputs, and what is outside of the key."""
    file, old, new, runs = CHANGES[change]
    assert started(pipelines) == {"make", "use"}
    assert started(pipelines) == set()
    edit(cached / file, old, new)
    if change == "input":
        edit(cached / "steps/use.py", "SM_CHANNEL_ROWS", "SM_CHANNEL_OTHER")
    assert predicted(pipelines) == runs
    assert started(pipelines) == runs


def test_a_pipeline_that_run_made_is_updated_by_upsert(cached: Path, pipelines: Command) -> None:
    """`run` and `upsert --local` keep the same pipeline; no question is asked of its maker."""
    del cached
    assert pipelines("run").code == 0
    answer = pipelines("upsert", "--local")
    assert answer.code == 0, answer.err
    assert pipelines("plan", "--local", "--check").code == 0


def test_a_copy_lives_beside_the_original(cached: Path, pipelines: Command) -> None:
    """It has its own executions, and does not share the cache: its prefix is another."""
    del cached
    assert started(pipelines) == {"make", "use"}
    answer = pipelines("run", "--as", "mine")
    assert answer.code == 0, answer.out + answer.err
    assert "cache" not in answer.out
    assert "small-mine" in pipelines("status", "--local", "--as", "mine").out
    listed = pipelines("status", "--local").out
    assert "not listed: the pipeline small-mine" in listed
    assert pipelines("plan", "--local", "--as", "mine", "--check").code in {0, 6}
    assert pipelines("upsert", "--local", "--as", "mine").code == 0
    assert pipelines("destroy", "--local", "--as", "mine", "--yes").code == 0
    assert pipelines("plan", "--local", "--check").code == 0


def test_a_reviewed_plan_is_carried_out_here_too(cached: Path, pipelines: Command) -> None:
    """And refused when the project or what is deployed changed since."""
    assert pipelines("plan", "--local", "-o", "plan.json").code == 0
    edit(cached / "steps/use.py", "rows:", "the rows:")
    refused = pipelines("upsert", "--local", "--plan", "plan.json")
    assert refused.code == 2
    assert "code of use: steps/use.py" in refused.err
    edit(cached / "steps/use.py", "the rows:", "rows:")
    assert pipelines("upsert", "--local", "--plan", "plan.json").code == 0
    edit(cached / "steps/use.py", "rows:", "the rows:")
    assert pipelines("plan", "--local", "-o", "plan.json").code == 0
    assert pipelines("upsert", "--local").code == 0
    done = pipelines("upsert", "--local", "--plan", "plan.json")
    assert done.code == 0
    assert "nothing to do" in done.out
    edit(cached / "steps/make.py", "making", "making up")
    assert pipelines("upsert", "--local").code == 0
    edit(cached / "steps/make.py", "making up", "making")
    changed = pipelines("upsert", "--local", "--plan", "plan.json")
    assert changed.code == 2
    assert "pipeline small: was updated" in changed.err
