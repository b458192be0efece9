"""Each program declares what it calls and what it runs on, and that is true."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from pipelines import programs, runtime
from pipelines.programs.deploy.reconcile import Options, reconcile
from tests.unit.programs.deploy_account import Account, target
from tests.unit.programs.test_deploy_scaling import SLEEPING
from tools.check_floors import ROOT, floors

FOLDER = Path(programs.__file__).parent
QUICK = Options(pause=0)


def test_the_deployer_calls_everything_that_it_declares() -> None:
    """The clients of its tests refuse every call that is not declared; here each is made."""
    what = target(tags={"team": "x"})
    updated, deleted = Account({1: "Approved"}), Account({1: "Approved"}, mute={1})
    for account in (updated, deleted):
        reconcile(account.clients, what, QUICK)
    updated.versions[2] = "Approved"
    reconcile(updated.clients, what, QUICK)
    scaled = Account({1: "Approved"})
    reconcile(scaled.clients, SLEEPING, QUICK)
    reconcile(scaled.clients, SLEEPING._replace(scaling={}), QUICK)
    declared = programs.declaration("deploy")
    scaling = set(declared.further["ScalableDimension"])
    asynchronous = set(declared.further["AsyncInferenceConfig"])
    called = updated.actions | deleted.actions | (scaled.actions - scaling - asynchronous)
    assert called == {*declared.actions, *declared.further["variant"]}


@pytest.mark.parametrize("program", programs.names())
def test_a_program_that_declares_no_action_has_no_client(program: str) -> None:
    """Clients come from boto3 alone."""
    has_clients = any("boto3" in file.read_text() for file in (FOLDER / program).rglob("*.py"))
    assert has_clients is bool(programs.declaration(program).actions)


def test_declarations_import_nothing_of_the_programs() -> None:
    """They are read while a pipeline compiles, where Great Expectations may be missing."""
    code = (
        "import json, sys; from pipelines import programs\n"
        "for name in programs.names(): programs.declaration(name)\n"
        "print(json.dumps([m for m in sys.modules if m.startswith('pipelines.programs.')]))"
    )
    command = [sys.executable, "-c", code]
    loaded = json.loads(subprocess.check_output(command, cwd=ROOT, text=True))
    names = {f"pipelines.programs.{name}" for name in programs.names()}
    assert set(loaded) - {"pipelines.programs.deploy.variables"} == names


def test_ruff_checks_what_is_declared() -> None:
    """pyproject.toml repeats the floors, since ruff reads nothing else."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]
    expected = {
        path if path.endswith(".py") else f"{path}/**": f"py{major}{minor}"
        for path, (major, minor) in floors().items()
    }
    assert settings["per-file-target-version"] == expected


def test_no_program_runs_on_an_older_python_than_the_runtime() -> None:
    """The runtime starts it."""
    oldest = min(programs.declaration(name).python for name in programs.names())
    assert oldest >= runtime.PYTHON
