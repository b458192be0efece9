"""Definitions that others compiled run as they are: `run --from-definition`."""

from __future__ import annotations

import json
import re
import tarfile
from pathlib import Path

import pytest

from tests.local.e2e.tiny_project import ROOT, Project

FAILED, INVALID = 5, 3
FOLDER = ROOT.parent / "shared" / "definitions"
SCRIPTS = "stored__aws-samples__amazon-sagemaker-from-idea-to-production__*__500ee26_c36.json"
BUILT_IN = "stored__aws__amazon-sagemaker-examples__*lambda-step__4e3f3f6_c31.json"
BUCKET = "s3/sagemaker-us-east-1-111122223333"
STEP = "from-idea-to-prod-pipeline"
SDK_STYLE = """\
import os
from pathlib import Path

base = Path(os.environ.get("PIPELINES_OPT_ML", "/opt/ml"), "processing")
"""
PREPROCESS = """\
rows = (base / "input/bank-additional-full.csv").read_text().splitlines()
for name in ("train", "validation", "test", "baseline"):
    (base / "output" / name).mkdir(parents=True, exist_ok=True)
    (base / "output" / name / f"{name}.csv").write_text(rows[0])
"""
EVALUATE = """\
import json
import tarfile

with tarfile.open(base / "model/model.tar.gz") as archive:
    assert archive.getnames() == ["xgboost-model"]
report = {"classification_metrics": {"auc_score": {"value": 0.8}}}
(base / "evaluation/evaluation.json").write_text(json.dumps(report))
assert (base / "test/test.csv").read_text() == "age,job"
"""


def _definition(pattern: str) -> Path:
    """Find one of the public definitions, which do not come with the project."""
    found = list(FOLDER.glob(pattern))
    if not found:
        pytest.skip(f"../shared/definitions has no {pattern}")
    return found[0]


def _answer(project: Project, step: str, content: object) -> str:
    """Write a stub; return the option that names it."""
    project.write(f"stubs/{step}.json", json.dumps(content))
    return f"--stub={step}={project.folder / 'stubs' / step}.json"


@pytest.fixture
def foreign(either: Project) -> Project:
    """Return a folder with the scripts and the input of the SDK's pipeline, and no spec."""
    (either.folder / "pipeline.yaml").unlink()
    code = f".pipelines/{BUCKET}/from-idea-to-prod-pipeline/code"
    for path, body in (
        ("a500940804f61c7db4708cf841965694/preprocessing.py", PREPROCESS),
        ("6ee5fd90de145d53d58ad9299728f46d/evaluation.py", EVALUATE),
    ):
        either.write(f"{code}/{path}", SDK_STYLE + body)
    data = f".pipelines/{BUCKET}/from-idea-to-prod/xgboost/input/bank-additional-full.csv"
    either.write(data, "age,job\n56,housemaid\n")
    archive = either.folder / "stubs" / "model.tar.gz"
    archive.parent.mkdir()
    either.write("xgboost-model", "trees")
    with tarfile.open(archive, "w:gz") as file:
        file.add(either.folder / "xgboost-model", "xgboost-model")
    return either


def test_a_pipeline_of_the_sdk_runs_its_scripts_from_the_store(foreign: Project) -> None:
    """Processing by its scripts, the built-in algorithm by a stub, a real registration."""
    definition = str(_definition(SCRIPTS))
    stub = _answer(foreign, f"{STEP}-train", {"outputs": {"model": "model.tar.gz"}})
    ended = foreign.run("run", "--from-definition", definition, stub)
    assert ended.code == 0, ended.text
    (model,) = foreign.models()
    assert model["ModelPackageGroupName"] == "from-idea-to-prod-model-group"
    assert model["ModelApprovalStatus"] == "PendingManualApproval"
    assert f"{STEP}-fail" not in foreign.statuses()
    words = ("run", "--from-definition", definition, stub, "-p", "TestScoreThreshold=0.95")
    ended = foreign.run(*words)
    assert ended.code == FAILED
    assert "Execution failed due to AUC Score > 0.95" in ended.out
    assert len(foreign.models()) == 1


def test_a_built_in_algorithm_wants_a_stub(foreign: Project) -> None:
    """Its image brings its own entrypoint; the message says which option answers for it."""
    ended = foreign.run("run", "--from-definition", str(_definition(SCRIPTS)))
    assert ended.code == FAILED
    assert f"{STEP}-train: Failed" in ended.out
    assert "--stub" in ended.out
    assert "sagemaker-xgboost:1.5-1" in ended.out


def test_a_pipeline_of_images_and_functions_runs_over_stubs(project: Project) -> None:
    """Nothing of it can run here, its condition, its references and its model still do."""
    report = {"regression_metrics": {"mse": {"value": 4.0}}}
    project.write("stubs/evaluation/evaluation.json", json.dumps(report))
    project.write("stubs/model/xgboost-model", "trees")
    stubs = [
        _answer(project, "PreprocessAbaloneData", {}),
        _answer(project, "TrainAbaloneModel", {"outputs": {"model": "model"}}),
        _answer(project, "EvaluateAbaloneModel", {"outputs": {"evaluation": "evaluation"}}),
        _answer(project, "LambdaStep", {"properties": {"OutputParameters": {"statusCode": "200"}}}),
    ]
    definition = str(_definition(BUILT_IN))
    ended = project.run("run", "--from-definition", definition, *stubs)
    assert ended.code == 0, ended.text
    execution = re.search(r"execution (\w+)", ended.out)
    assert execution is not None, ended.text
    assert set(project.statuses(execution[1]).values()) == {"Succeeded"}
    ended = project.run("run", "--from-definition", definition, *stubs[:-1])
    assert ended.code == FAILED
    assert "--stub LambdaStep=FILE" in ended.out


def test_a_compiled_definition_runs_as_the_spec_would(project: Project, tmp_path: Path) -> None:
    """`compile -o`, then the file: the same steps, and the same artifacts."""
    assert project.run("run").code == 0
    (first,) = project.seen()
    expected = project.artifacts(first.id)
    build = tmp_path / "build"
    compiled = project.run("compile", "-o", str(build))
    assert compiled.code == 0, compiled.text
    (definition,) = (
        file for file in build.glob("*.json") if not file.name.endswith(".assets.json")
    )
    ended = project.run("run", "--from-definition", str(definition))
    assert ended.code == 0, ended.text
    second = project.seen()[0]
    assert second.id != first.id
    assert second.steps == first.steps
    assert project.artifacts(second.id) in ({}, expected)


def test_what_is_no_definition_is_refused_with_its_place(project: Project) -> None:
    """A file that is not there, text that is no JSON, and a step without a type."""
    missing = project.run("run", "--from-definition", "no.json")
    assert missing.code == 2
    assert "there is no file no.json" in missing.err
    spec = project.run("run", "--from-definition", "pipeline.yaml")
    assert spec.code == 2
    assert "pipeline.yaml is a spec, not a definition" in spec.err
    project.write("bad.json", '{"Version": "2020-12-01", "Steps": [')
    broken = project.run("run", "--from-definition", "bad.json")
    assert broken.code == INVALID
    assert "bad.json:1:" in broken.err
    project.write("typo.json", '{"Version": "2020-12-01", "Steps": [{"Name": "a"}]}')
    typo = project.run("run", "--from-definition", "typo.json")
    assert typo.code == INVALID
    assert "typo.json:1:" in typo.err
