"""Every project below examples/ is valid without a warning, compiles, and says how it is run."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipelines.compile.driver import compile_spec
from pipelines.compile.model import CompileRequest
from tools import examples
from tools.examples import EXAMPLES, names, perform, read
from tools.generate_readme import Exchange

if TYPE_CHECKING:
    from collections.abc import Iterator


def test_every_folder_is_an_example() -> None:
    """With a spec; `tools/examples.py` runs it."""
    folders = {one.name for one in EXAMPLES.iterdir() if one.is_dir()}
    assert folders == set(names())
    assert len(folders) >= 6


def requests(name: str) -> Iterator[CompileRequest]:
    """Yield the requests for the spec itself and each of its environments."""
    spec = EXAMPLES / name / "pipeline.yaml"
    yield CompileRequest(spec, None, {})
    section = spec.read_text("utf-8").partition("\nenvironments:\n")[2]
    for environment in re.findall(r"^  ([\w-]+):", section, re.MULTILINE):
        yield CompileRequest(spec, environment, {})


@pytest.mark.parametrize("name", names())
def test_an_example_compiles_without_a_warning(name: str) -> None:
    """In each of its environments; no framework is needed for that."""
    for request in requests(name):
        result = compile_spec(request)
        assert [one.message for one in result.checked.diagnostics] == []
        assert result.compiled is not None


@pytest.mark.parametrize("name", names())
def test_a_readme_has_the_commands_from_nothing_to_a_result(name: str) -> None:
    """The requirements first, then the run, then what is looked at; and the tests."""
    first, run, *looks, tests = (one.command for one in read(name).exchanges)
    assert first == "pip install -r requirements.txt"
    assert run.startswith("python -m pipelines run")
    assert 1 <= len(looks) <= 4
    assert all(one.startswith("python -m pipelines ") for one in looks)
    assert tests == "python -m pytest"
    assert list((EXAMPLES / name / "tests").glob("test_*.py"))


def test_every_example_is_in_the_table_of_examples() -> None:
    """And in that of the documentation."""
    table = (EXAMPLES / "README.md").read_text("utf-8")
    documentation = (EXAMPLES.parent / "docs" / "README.md").read_text("utf-8")
    for name in names():
        assert f"[{name}]({name})" in table
        assert f"(../examples/{name})" in documentation


def test_examples_of_the_same_framework_share_an_environment() -> None:
    """Those that need only tested versions share one as well."""
    shared = {name: read(name).environment.name for name in names()}
    assert shared["image-classification"] == shared["tensorflow-cifar"]
    assert shared["experiments"] == shared["tuning"] == ".venv-example-tool"
    assert shared["xgboost"] == ".venv-example-xgboost"


def test_the_case_of_the_talk_is_said_in_forty_lines() -> None:
    """Training, registry, serverless and real-time."""
    spec = EXAMPLES / "image-classification" / "pipeline.yaml"
    assert len(spec.read_text("utf-8").splitlines()) <= 40


@pytest.mark.slow
def test_a_readme_shows_what_its_commands_print() -> None:
    """One of them; `make everything` types those of all examples."""
    example = read("experiments")
    typed = tuple(one for one in example.exchanges if one.command.startswith("python -m pipelines"))
    assert perform(replace(example, exchanges=typed), Path(sys.prefix)) is None


def test_a_readme_that_shows_something_else_is_told() -> None:
    """With what the command printed."""
    shown = Exchange("python -c 'print(12)'", "13\n")
    said = perform(replace(read("experiments"), exchanges=(shown,)), Path(sys.prefix))
    assert said == "the README shows something else\n12"


def test_only_what_an_example_alone_requires_may_be_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is skipped then; where the tool cannot be installed, nothing has been tried: a failure."""
    monkeypatch.setattr(examples, "ROOT", tmp_path)
    for name, missing, outcome, code in (
        ("xgboost", "requirements.txt", "skipped", 0),
        ("xgboost", "--editable", "failed", 1),
        ("experiments", "requirements.txt", "failed", 1),
    ):
        python = read(name).environment / "bin" / "python"
        python.parent.mkdir(parents=True, exist_ok=True)
        python.write_text(
            f'#!/bin/sh\ncase "$*" in *{missing}*) echo no such package; exit 1; esac\n'
        )
        python.chmod(0o755)
        assert examples.main([name]) == code
        said = f"{name}: {outcome}, pip cannot install it\nno such package"
        assert said in capsys.readouterr().out
