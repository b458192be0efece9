"""`explain` and `images`: what there is to write, without leaving the terminal."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipelines import kinds

if TYPE_CHECKING:
    from tests.functional.cli.conftest import Command

SPEC = """\
spec: 1
pipeline: flights
aws: {role: "arn:aws:iam::111122223333:role/jobs", bucket: team-bucket}
data:
  flights: data/
steps:
"""


@pytest.mark.parametrize("kind", kinds.names())
def test_a_kind_is_explained_with_its_keys_and_an_example(kind: str, pipelines: Command) -> None:
    """Each key with its type and what it means, and a step to copy."""
    answer = pipelines("explain", kind)
    found = kinds.find(kind)
    assert found is not None
    assert answer.code == 0
    assert found.summary in answer.out
    assert f"kind: {kind}" in found.example
    assert textwrap.indent(found.example, "    ") in answer.out


def test_the_examples_together_are_a_valid_pipeline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pipelines: Command
) -> None:
    """What `explain` shows can be copied."""
    for name in ("train.py", "prepare.py", "evaluate.py"):
        file = tmp_path / "steps" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text("print()\n", "utf-8")
    for name in ("data/a.csv", "serving/inference.py", "serving/sample.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("", "utf-8")
    (tmp_path / "suites").mkdir()
    suite = {
        "name": "flights",
        "expectations": [{"type": "expect_column_to_exist", "kwargs": {"column": "a"}}],
    }
    (tmp_path / "suites/flights.json").write_text(json.dumps(suite), "utf-8")
    (tmp_path / "serving/inference.py").write_text("def model_fn(d): ...\n", "utf-8")
    (tmp_path / "data/a.csv").write_text("a\n1\n", "utf-8")
    examples = [kind.example for name in kinds.names() if (kind := kinds.find(name))]
    steps = textwrap.indent("\n".join(examples), "  ")
    (tmp_path / "pipeline.yaml").write_text(SPEC + steps, "utf-8")
    monkeypatch.chdir(tmp_path)
    answer = pipelines("validate")
    assert answer.code == 0, answer.out + answer.err


def test_one_key_is_explained_with_the_member_that_it_becomes(pipelines: Command) -> None:
    """Its type, default and member; the keys that it holds; of inputs the member of its Type."""
    spot = pipelines("explain", "training.enable_managed_spot_training").out
    assert spot.startswith("training.enable_managed_spot_training: boolean\n")
    assert "(default false)" in spot
    assert "Becomes EnableManagedSpotTraining." in spot
    launchers = "  launcher: `torchrun`, `mpi`, `tensorflow`, `smddp`, `smp`\n"
    assert launchers in pipelines("explain", "training.distribution").out
    assert "Becomes InputMode.\n" in pipelines("explain", "training.inputs.mode").out
    assert "Becomes S3Input.S3InputMode.\n" in pipelines("explain", "processing.inputs.mode").out
    assert "  region: string\n" in pipelines("explain", "aws").out


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("trainig", "did you mean `training`?"),
        ("training.distributon", "did you mean `training.distribution`?"),
        ("training.script.x", "it has no keys of its own"),
        ("steps.train", "name the kind"),
        ("zzz", "a code such as SP102"),
        ("SP999", "the nearest are"),
    ],
)
def test_what_cannot_be_explained_names_what_was_meant(
    asked: str, meant: str, pipelines: Command
) -> None:
    """A usage error with the nearest name."""
    answer = pipelines("explain", asked)
    assert answer.code == 2
    assert meant in answer.err


def test_images_lists_what_a_step_can_name(pipelines: Command) -> None:
    """With Python, accelerators, purposes and model server; a part of a name filters."""
    lines = pipelines("images", "sklearn").out.splitlines()
    assert lines[0].split() == ["image", "python", "accelerators", "for", "model", "server"]
    assert any(
        line.split()[:6] == ["sklearn-1.9", "3.12", "cpu", "training,", "inference,", "processing"]
        for line in lines
    )
    assert all(line.startswith("sklearn-") for line in lines[1:])
    assert len(pipelines("images").out.splitlines()) > len(lines)


def test_one_image_is_told_with_its_uri_and_what_it_brings(pipelines: Command) -> None:
    """The URI of the region that is asked for, and the packages, as text and as JSON."""
    text = pipelines("images", "sklearn-1.9-cpu", "--region", "eu-central-1").out
    assert ".dkr.ecr.eu-central-1.amazonaws.com/sagemaker-scikit-learn:1.9" in text
    assert "joblib" in text
    (told,) = json.loads(pipelines("images", "sklearn-1.9", "--format", "json").out)
    assert told["python"] == "3.12"
    assert "joblib" in told["packages"]
    assert {image["for"] for image in told["images"]} == {"training", "inference", "processing"}


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        (["pytroch-2.13-cpu"], "did you mean `pytorch-2.13-cpu`?"),
        (["pytroch"], "did you mean `pytorch`?"),
        (["zzz"], "the families are"),
        (["--region", "eu-centrl-1"], "did you mean `eu-central-1`?"),
    ],
)
def test_an_unknown_image_names_the_one_that_was_meant(
    asked: list[str], meant: str, pipelines: Command
) -> None:
    """A usage error; nothing is guessed silently."""
    answer = pipelines("images", *asked)
    assert answer.code == 2
    assert meant in answer.err
