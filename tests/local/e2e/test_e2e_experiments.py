"""The example of experiments, run: members, their selection, and what shows them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.local.e2e.tiny_project import ROOT, Project

EXAMPLE = ROOT / "examples" / "experiments"
FAILED = 5


def test_the_best_of_the_members_is_registered_though_one_failed(tmp_path: Path) -> None:
    """A member that fails ends nothing; all results are a table, and the best is referred to."""
    folder = tmp_path / "project"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns(".pipelines"))
    spec = folder / "pipeline.yaml"
    text = spec.read_text()
    spec.write_text(text.replace("{model: forest, depth: 4}", "{model: nearest, depth: 1}"))
    project = Project(folder, {"PIPELINES_ISOLATION": "rewrite"})
    ended = project.run("run")
    assert ended.code == FAILED, ended.text
    assert "CompletedWithFailures" in ended.out
    statuses = project.statuses()
    (nearest,) = (name for name in statuses if name.startswith("sweep-1-nearest-"))
    assert statuses.pop(nearest) == "Failed"
    assert len([name for name in statuses if name.startswith("sweep-")]) == 3
    assert {*statuses.values()} == {"Succeeded"}
    (model,) = project.models()
    listed = json.loads(project.run("outputs", "--local", "--format", "json").out)
    (experiment,) = listed["experiments"]
    errors = {one["step"]: one["metrics"].get("error") for one in experiment["members"]}
    best = min((value, step) for step, value in errors.items() if value is not None)[1]
    assert experiment["best"] == best
    row = next(one for one in experiment["members"] if one["step"] == best)
    assert model["CustomerMetadataProperties"] == {
        name: str(value) for name, value in row["parameters"].items()
    }
    assert f"{best} (best)" in project.run("status", "--local", "latest").out
    page = Path(project.run("report", "--local").out.strip())
    assert "Members of sweep: minimize error" in (folder / page).read_text()
    assert "experiments.svg" in (folder / page).read_text()
