"""What a machine lacks for the steps of a pipeline, computed from what was seen of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.backends.local.health import (
    Machine,
    MachineFact,
    machine_facts,
    size_facts,
    step_facts,
    this_machine,
)
from pipelines.compile.driver import validate
from pipelines.compile.model import CompileRequest
from pipelines.compile.supplies import code_of_steps

SPEC = """
spec: 1
pipeline: p
aws: {{role: "arn:aws:iam::111122223333:role/jobs", bucket: team-bucket}}
steps:
  train: {{kind: training, script: train.py, image: {image}{more}}}
"""
INSTALL = "python -m pip install"
VERSIONS = {"torch": "2.13.0+cpu", "scikit-learn": "1.9.1", "pandas": "3.0"}
MODULES = {"torch", "sklearn", "pandas"}
MACHINE = Machine(
    system="Linux",
    python="3.12.1",
    isolation="namespaces: they are there",
    cores=4,
    memory=8 * 1024**3,
    disk=20 * 1024**3,
    gpus=(),
    installed=VERSIONS.get,
    has_module=MODULES.__contains__,
    is_met=lambda line: line.partition("=")[0] in VERSIONS,
)


def _facts(
    folder: Path,
    machine: Machine,
    code: str,
    image: str = "pytorch-2.13-cpu",
    more: str = "",
) -> list[tuple[str, str | None]]:
    (folder / "train.py").write_text(code, "utf-8")
    file = folder / "pipeline.yaml"
    file.write_text(SPEC.format(image=image, more=more), "utf-8")
    request = CompileRequest(file, None, {})
    graph = validate(request).graph
    assert graph is not None
    (step,) = code_of_steps(graph, request.project)
    found = list(step_facts(step, machine))
    assert {fact.subject for fact in found} <= {"train"}
    return [(fact.text, fact.remedy) for fact in found]


def test_a_machine_like_the_image_lacks_nothing(tmp_path: Path) -> None:
    """The patch number and the build of a framework are no difference."""
    assert _facts(tmp_path, MACHINE, "import torch, pandas, json\n") == []


def test_another_version_of_the_framework_is_named_with_the_images(tmp_path: Path) -> None:
    """And with the requirement that brings it."""
    older = replace(MACHINE, installed={"torch": "2.12.0"}.get)
    assert _facts(tmp_path, older, "import torch\n") == [
        ("torch 2.12.0 here, 2.13 in its image", "python -m pip install 'torch~=2.13.0'")
    ]


def test_a_framework_that_is_not_there_matters_where_it_is_imported(tmp_path: Path) -> None:
    """Code that runs in the image for its pandas alone does not need it."""
    none: dict[str, str] = {}
    bare = replace(MACHINE, installed=none.get)
    (fact,) = _facts(tmp_path, bare, "import torch\n", "pytorch-2.5.1-cpu")[:1]
    remedy = "python -m pip install 'torch==2.5.1'"
    assert fact == ("torch is not installed here, 2.5.1 in its image", remedy)
    assert _facts(tmp_path, bare, "import pandas\n") == []


def test_requirements_that_are_not_met_are_listed(tmp_path: Path) -> None:
    """A run installs them; what is met is left out."""
    (tmp_path / "more.txt").write_text("pandas\nshap==0.5\n--no-binary shap\n", "utf-8")
    (fact,) = _facts(
        tmp_path, MACHINE, "import shap\n", "pytorch-2.13-cpu", more=", requirements: more.txt"
    )
    assert fact == (
        "not installed here, of more.txt: shap==0.5",
        f"a run installs them into .pipelines/env; to have them here: {INSTALL} -r more.txt",
    )


def test_imports_that_the_image_brings_are_needed_here_too(tmp_path: Path) -> None:
    """By the names of their distributions."""
    (fact,) = _facts(tmp_path, MACHINE, "import cv2\nimport seaborn\n")
    assert fact[0] == "imports cv2, seaborn, not installed here"
    assert fact[1] == "python -m pip install opencv-python seaborn"


def test_an_image_with_another_python_or_a_gpu_is_named(tmp_path: Path) -> None:
    """A script that runs here may use what the other Python lacks."""
    more = ", instance_type: ml.g5.xlarge"
    older = replace(MACHINE, python="3.11.7")
    found = _facts(tmp_path, older, "import torch\n", "pytorch-2.13-gpu", more=more)
    assert [text for text, _ in found] == [
        "Python 3.11 here, 3.12 in its image",
        "its image is for a GPU, there is none here",
    ]
    assert all(remedy for _, remedy in found)
    with_gpu = replace(MACHINE, gpus=("NVIDIA L4, 23034 MiB",))
    assert _facts(tmp_path, with_gpu, "import torch\n", "pytorch-2.13-gpu", more=more) == []


def test_nothing_is_said_of_an_image_of_ones_own(tmp_path: Path) -> None:
    """Only of what its code imports."""
    mine = "111122223333.dkr.ecr.us-east-1.amazonaws.com/mine:1"
    assert _facts(tmp_path, replace(MACHINE, python="3.11.7"), "import torch\n", mine) == []


@pytest.mark.parametrize(
    ("disk", "memory", "texts"),
    [
        (None, None, []),
        (20, 8192, []),
        (30, None, ["30 GB of disk in the spec, 20.0 GB free here"]),
        (None, 9000, ["9000 MB of memory in the spec, 8.0 GB here"]),
    ],
)
def test_what_the_spec_asks_for_is_compared(
    disk: int | None, memory: int | None, texts: list[str]
) -> None:
    """What it leaves to the default is not asked for."""
    assert [fact.text for fact in size_facts("train", disk, memory, MACHINE)] == texts
    unknown = replace(MACHINE, disk=None, memory=None)
    assert list(size_facts("train", disk, memory, unknown)) == []


def test_a_machine_is_described(tmp_path: Path) -> None:
    """This one, too."""
    facts = {fact.subject: fact for fact in machine_facts(MACHINE)}
    assert facts["frameworks"] == MachineFact("frameworks", "torch 2.13.0+cpu, scikit-learn 1.9.1")
    assert facts["disk"].text == "20.0 GB free"
    assert facts["docker"].text.startswith("not needed")
    assert {fact.subject for fact in machine_facts(this_machine(tmp_path))} == facts.keys()
