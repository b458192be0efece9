"""What a training request starts: its own entrypoint, or the program of the images' toolkit.

A request without an entrypoint that carries `sagemaker_program` (SDK v2 estimators, tuning jobs;
FACTS 3.3, 11.4) is started by the job runtime, in a bundle written here.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Final

from pipelines.backends.local.jobs import own_entrypoint
from pipelines.backends.local.jobs.opt_ml import ROOT, host_path
from pipelines.backends.local.jobs.spec import JobRefusedError
from pipelines.bundle.assets import write_zipapp
from pipelines.bundle.code import code_files
from pipelines.bundle.collecting import requirement_lines
from pipelines.bundle.frame import frame
from pipelines.bundle.project import Project
from pipelines.files import real
from pipelines.runtime.archive import unpack
from pipelines.runtime.archive_members import ArchiveError
from pipelines.runtime.bundle import BY_TOOLKIT
from pipelines.runtime.bundle import Job as BundledJob
from pipelines.runtime.container import decode

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.backends.local.jobs.spec import LocalJob
    from pipelines.backends.local.objects import ObjectStore
    from pipelines.json_types import JsonObject

_PROGRAM, _SOURCE = "sagemaker_program", "sagemaker_submit_directory"
_BUNDLED = f"{ROOT}/input/data/code"
_LAUNCHERS: Final[dict[str, JsonObject]] = {
    "sagemaker_torch_distributed_enabled": {"launcher": "torchrun"},
    "sagemaker_pytorch_ddp_enabled": {"launcher": "torchrun"},
    "sagemaker_distributed_dataparallel_enabled": {"launcher": "smddp"},
    "sagemaker_multi_worker_mirrored_strategy_enabled": {"launcher": "tensorflow"},
    "sagemaker_parameter_server_enabled": {
        "launcher": "tensorflow",
        "strategy": "parameter_server",
    },
}
"""The launcher for each hyperparameter that the SDK's estimators switch it on with."""


def training_words(
    store: ObjectStore, job: LocalJob, request: JsonObject, interpreter: Path
) -> list[str]:
    """Return the argument list of a training container.

    Raises:
        JobRefusedError: only the image has what is to be started, or the program is missing.
    """
    algorithm = request["AlgorithmSpecification"]
    arguments = algorithm.get("ContainerArguments") or []
    if algorithm.get("ContainerEntrypoint"):
        words = [*algorithm["ContainerEntrypoint"], *arguments]
        own_entrypoint.require_command(words, image_of(request), interpreter)
        return words
    if _is_bundled(request):
        return ["python3", f"{_BUNDLED}/{BY_TOOLKIT}"]
    if not starts_image(request):
        return ["python3", str(_bundle(store, job, request))]
    return own_entrypoint.of_training(image_of(request), arguments, interpreter)


def starts_image(request: JsonObject) -> bool:
    """Return whether only the image says what a training request starts."""
    given = request["AlgorithmSpecification"].get("ContainerEntrypoint")
    return not given and _PROGRAM not in (request.get("HyperParameters") or {})


def image_of(request: JsonObject) -> str:
    """Return the image or the algorithm of a training request."""
    algorithm = request["AlgorithmSpecification"]
    return str(algorithm.get("TrainingImage") or algorithm.get("AlgorithmName"))


def _is_bundled(request: JsonObject) -> bool:
    """Return whether the program is a bundle of ours, which is started as the toolkit does."""
    given = request.get("HyperParameters") or {}
    named = (decode(given.get(_PROGRAM, "")), decode(given.get(_SOURCE, "")))
    return named == (BY_TOOLKIT, _BUNDLED)


def _bundle(store: ObjectStore, job: LocalJob, request: JsonObject) -> Path:
    """Write the bundle that the job runtime starts."""
    parameters = {k: decode(v) for k, v in (request.get("HyperParameters") or {}).items()}
    source = _source(store, job, str(parameters.get(_SOURCE, "")))
    program = str(parameters[_PROGRAM])
    script = source / program
    if not script.is_file() or not real(script).is_relative_to(real(source)):
        raise JobRefusedError(f"the code of the step has no `{program}` ({_PROGRAM})")
    if script.suffix != ".py":
        raise JobRefusedError(
            f"`{program}` ({_PROGRAM}) is not a Python file, which is not supported locally"
        )
    described = BundledJob(
        step=job.name,
        job="training",
        script=program,
        requirements=_requirements(source / "requirements.txt"),
        distribution=_distribution(parameters),
    )
    code = Project(source)
    bundle = job.scratch / "bundle.pyz"
    bundle.write_bytes(write_zipapp((*frame(described), *code_files(code, code.files(".")))))
    return bundle


def _source(store: ObjectStore, job: LocalJob, uri: str) -> Path:
    """Lay the submitted code out: an archive in S3, or an archive or folder in a channel."""
    if uri.startswith("s3://"):
        if not store.exists(uri):
            raise JobRefusedError(
                f"there is no object at {uri}, the code of the step ({_SOURCE})",
                f"put it at {store.path_of(uri)}",
            )
        submitted = store.path_of(uri)
    else:
        submitted = host_path(job.hosts[0], uri or f"{ROOT}/code")
    if submitted.is_dir():
        return submitted
    folder = job.scratch / "source"
    folder.mkdir()
    try:
        if submitted.suffix == ".py":
            shutil.copy(submitted, folder)
        else:
            unpack(submitted, folder)
    except (ArchiveError, FileNotFoundError) as problem:
        raise JobRefusedError(
            f"the code of the step ({_SOURCE}) cannot be unpacked: {problem}"
        ) from None
    return folder


def _requirements(file: Path) -> JsonObject | None:
    if not file.is_file():
        return None
    lines = list(requirement_lines(file.read_bytes()))
    return {"mode": "index", "lines": lines, "index_url": None} if lines else None


def _distribution(parameters: JsonObject) -> JsonObject | None:
    """Return the launcher that the toolkit would start the program with."""
    if parameters.get("sagemaker_mpi_enabled"):
        count = parameters.get("sagemaker_mpi_num_of_processes_per_host")
        told = {"launcher": "mpi", "processes_per_host": count}
        options = parameters.get("sagemaker_mpi_custom_mpi_options")
        return {**told, "custom_mpi_options": options} if options else told
    return next((told for name, told in _LAUNCHERS.items() if parameters.get(name)), None)
