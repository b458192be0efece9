"""Every project below examples/ is valid without a warning, compiles, and says how it is run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from pipelines.compile.driver import compile_spec
from pipelines.compile.model import CompileRequest
from tools.examples import EXAMPLES, names

if TYPE_CHECKING:
    from collections.abc import Iterator

_COMMANDS = re.compile(r"```\n(.*?)```", re.DOTALL)


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
    """The requirements first, then the run, then what is looked at; and there are tests."""
    folder = EXAMPLES / name
    (block, *_) = _COMMANDS.findall((folder / "README.md").read_text("utf-8"))
    commands = [line for line in block.splitlines() if line.strip()]
    assert commands[0].startswith("pip install -r requirements.txt")
    assert commands[1].startswith("python -m pipelines run")
    assert all(line.startswith("python -m pipelines ") for line in commands[1:])
    assert 3 <= len(commands) <= 4
    assert (folder / "requirements.txt").is_file()
    assert list((folder / "tests").glob("test_*.py"))
