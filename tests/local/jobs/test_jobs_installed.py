"""A local job finds of the project what its bundle holds, whatever is installed beside it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.backends.local.jobs.installed import withheld


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Make a project with a package, an environment of its own and one of its jobs."""
    for folder in ("src/my_package", ".pipelines/env/e/site", ".venv/lib"):
        (tmp_path / "project" / folder).mkdir(parents=True)
    (tmp_path / "project" / "src" / "my_package" / "__init__.py").touch()
    (tmp_path / "project" / ".pipelines" / "env" / "e" / "site" / "kept.py").touch()
    return tmp_path / "project"


def _imports(module: str, places: list[Path], variables: dict[str, str], first: str = "") -> bool:
    """Return whether a job's interpreter imports a module that was installed before it started.

    The installation is made by the code, so that this test changes no environment; what Python
    would import at its start is executed then.
    """
    code = (
        "import importlib.util, os, sys\n"
        f"sys.path.extend({[str(place) for place in places]!r})\n"
        f"{first}\n"
        "if 'PIPELINES_PROJECT' in os.environ:\n"
        "    path = os.environ['PYTHONPATH'] + '/sitecustomize.py'\n"
        "    spec = importlib.util.spec_from_file_location('sitecustomize', path)\n"
        "    spec.loader.exec_module(importlib.util.module_from_spec(spec))\n"
        f"import {module}\n"
    )
    clean = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PIPELINES_PROJECT")}
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, env={**clean, **variables}, capture_output=True, check=False)
    return done.returncode == 0


def test_a_project_that_is_not_installed_costs_nothing(project: Path) -> None:
    """No interpreter of a job reads a further module at its start."""
    assert withheld(project, None) == {}


def test_what_is_installed_by_a_path_is_hidden(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hatch, Poetry, PDM and setuptools with src/ write a path; environments in it are kept."""
    source, kept = project / "src", project / ".pipelines" / "env" / "e" / "site"
    monkeypatch.setattr(sys, "path", [*sys.path, str(source)])
    variables = withheld(project, None)
    assert variables["PIPELINES_PROJECT"] == str(project)
    assert _imports("my_package", [source], {})
    assert not _imports("my_package", [source], variables)
    assert _imports("kept", [source, kept], variables)


def test_what_is_installed_by_a_table_is_hidden(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Setuptools' editable finder has a table of packages."""
    source = project / "src"
    monkeypatch.setattr(sys, "path", [*sys.path, str(source)])
    table = (
        "import types;finder = types.ModuleType('finder_of_test');"
        f"finder.MAPPING = {{'my_package': {str(source / 'my_package')!r}}};"
        "sys.modules['finder_of_test'] = finder;"
        "Finder = type('Finder', (), {'__module__': 'finder_of_test',"
        " 'find_spec': staticmethod(lambda name, *_: importlib.util.spec_from_file_location("
        "name, finder.MAPPING[name] + '/__init__.py') if name in finder.MAPPING else None)});"
        "sys.meta_path.append(Finder)"
    )
    assert _imports("my_package", [], {}, table)
    assert not _imports("my_package", [], withheld(project, None), table)


def test_an_installed_project_and_a_strict_run_are_withheld_together(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One module does both; two once started each other without end, and nothing was withheld."""
    source, environment = project / "src", tmp_path / "environment"
    environment.mkdir()
    for module in ("brought", "not_brought"):
        (environment / f"{module}.py").touch()
    lent = tmp_path / "lent.json"
    found = {"image": "the image", "modules": ["brought"], "folders": [str(environment)]}
    lent.write_text(json.dumps(found))
    monkeypatch.setattr(sys, "path", [*sys.path, str(source)])
    variables = withheld(project, lent)
    assert set(variables) == {"PYTHONPATH", "PIPELINES_PROJECT", "PIPELINES_LENT"}
    assert _imports("brought", [source, environment], variables)
    assert not _imports("not_brought", [source, environment], variables)
    assert not _imports("my_package", [source, environment], variables)
