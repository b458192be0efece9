"""What a hint names can be installed: packages that an index has."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from pipelines import extras

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]


@pytest.mark.parametrize("extra", extras.EXTRAS)
def test_the_extras_are_those_of_the_project(extra: str) -> None:
    """The names are declared once more only for where the tool is not installed."""
    declared = PROJECT["optional-dependencies"][extra]
    assert extras.EXTRAS[extra] == tuple(re.split(r"[<>=]", line)[0] for line in declared)


@pytest.mark.parametrize("extra", extras.EXTRAS)
def test_a_hint_names_the_packages_themselves(extra: str) -> None:
    """The tool's own distribution is in no index."""
    command = extras.how_to_install(extra)
    assert extras.DISTRIBUTION not in command
    assert all(name in command for name in extras.EXTRAS[extra])


def test_a_hint_has_the_declared_versions() -> None:
    """As the installed distribution's metadata has them."""
    assert extras.how_to_install("aws") == "pip install 'boto3>=1.44'"


def test_no_message_names_the_distribution_as_installable() -> None:
    """No other module writes such a command by itself."""
    package = Path(extras.__file__).parent
    named = [
        file.name for file in package.rglob("*.py") if f"{extras.DISTRIBUTION}[" in file.read_text()
    ]
    assert named == []
