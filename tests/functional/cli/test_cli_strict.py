"""`run --strict-requirements`: a job has what its image and its requirements bring."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.logs import written

if TYPE_CHECKING:
    from tests.functional.cli.conftest import Command

SPEC = """\
spec: 1
pipeline: strict
aws: {role: "arn:aws:iam::111122223333:role/jobs", bucket: team-bucket}
defaults: {image: sklearn-1.9-cpu, cache: 30d}
steps:
  use:
    kind: processing
    script: steps/use.py
    outputs: [nothing]
"""

TRIES = '''\
"""Looks for a package that is installed here and not in the image, and for one that is in both."""

import importlib.metadata
import importlib.util

import yaml

print("yaml", importlib.metadata.version("pyyaml") != "")
print("found", importlib.util.find_spec("pytest") is not None)
try:
    import pytest
except ImportError as error:
    print("caught", error.name)
import beside
print(beside.HERE)
'''


@pytest.fixture
def strict(project: Path) -> Path:
    """Make the project one whose script imports pytest, with a module of the project."""
    (project / "pipeline.yaml").write_text(SPEC, "utf-8")
    (project / "steps" / "use.py").write_text("import pytest\nprint('imported')\n", "utf-8")
    (project / "steps" / "beside.py").write_text("HERE = 'of the project'\n", "utf-8")
    return project


@pytest.mark.usefixtures("strict")
def test_what_is_installed_here_alone_is_not_found(pipelines: Command) -> None:
    """As in the image, with what to do; and the cache of a run that lends all is not asked."""
    assert pipelines("run").code == 0
    assert "cached from" in pipelines("run").out
    answer = pipelines("run", "--strict-requirements")
    assert answer.code == 5
    assert "ModuleNotFoundError: No module named 'pytest'" in answer.out
    assert "`pytest` is installed here, but neither the image sagemaker-scikit-learn" in answer.out
    assert pipelines("run").code == 0


def test_code_that_does_without_a_module_does_so_as_in_the_image(
    strict: Path, pipelines: Command
) -> None:
    """`ImportError`, `find_spec` and versions say the same; modules of the project are there."""
    (strict / "steps" / "use.py").write_text(TRIES, "utf-8")
    answer = pipelines("run", "--strict-requirements")
    assert answer.code == 0, answer.out
    log = written(pipelines("logs", "--local", "latest", "use").out).splitlines()
    assert log == ["yaml True", "found False", "caught pytest", "of the project"]


def test_what_the_requirements_name_is_there_with_what_it_needs(
    strict: Path, pipelines: Command
) -> None:
    """Pytest imports pluggy, which nobody named."""
    spec = SPEC.replace("use.py\n", "use.py\n    requirements: requirements.txt\n")
    (strict / "pipeline.yaml").write_text(spec, "utf-8")
    (strict / "requirements.txt").write_text("pytest\n", "utf-8")
    answer = pipelines("run", "--strict-requirements")
    assert answer.code == 0, answer.out + answer.err


def test_of_an_unknown_image_nothing_is_withheld(strict: Path, pipelines: Command) -> None:
    """It may have anything: a warning says so, and the job runs as usual."""
    uri = "111122223333.dkr.ecr.us-east-1.amazonaws.com/mine:1"
    (strict / "pipeline.yaml").write_text(SPEC.replace("sklearn-1.9-cpu", f'"{uri}"'), "utf-8")
    answer = pipelines("run", "--strict-requirements")
    assert answer.code == 0, answer.out + answer.err
    said = f"warning: use: which packages {uri} has is not known: nothing is withheld from it"
    assert said in answer.err


@pytest.mark.usefixtures("strict")
@pytest.mark.parametrize("other", ["--resume", "--from-definition"])
@pytest.mark.parametrize("option", [("--strict-requirements",), ("--sample", "words=1%")])
def test_it_goes_with_a_spec_alone(other: str, option: tuple[str, ...], pipelines: Command) -> None:
    """What runs must be compiled now."""
    given = (other, "x.json") if other == "--from-definition" else (other,)
    answer = pipelines("run", *given, *option)
    assert answer.code == 2
    assert f"{option[0]} and {other} exclude each other" in answer.err
