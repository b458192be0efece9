"""Describe a job in a test, run it through the real runtime, look at what it left."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypedDict, Unpack

from pipelines.runtime.child import GRACE_VARIABLE
from pipelines.runtime.command import hyperparameter_arguments
from pipelines.runtime.layout import Layout
from pipelines.runtime.requirements import ENV_DIR_VARIABLE
from pipelines.testing.bundles import write_bundle
from pipelines.testing.data import Data
from pipelines.testing.hosts import MODEL_INPUT, JobSetup, as_text, host_environment, prepare
from pipelines.testing.options import check_options
from pipelines.testing.results import JobResult
from pipelines.testing.sources import collect

_TIMEOUT = 600.0
_GRACE = 5.0  # seconds from SIGTERM to SIGKILL; on the platform nearly 120


class CommonOptions(TypedDict, total=False):
    """What any job may be given.

    hosts: how many instances, each a process with its own /opt/ml (default 1).
    distribution: the launcher, or None for one process per host.
    processes_per_host: for the launcher (default: GPUs, else 1).
    requirements: lines of a requirements file; installed where they are not met.
    environment: further environment variables.
    include: further files or folders of the project for the bundle.
    timeout: seconds after which the job is killed (default 600).
    """

    hosts: int
    distribution: Literal["torchrun", "mpi"] | None
    processes_per_host: int | None
    requirements: Sequence[str]
    environment: Mapping[str, str]
    include: Sequence[str]
    timeout: float


class TrainingOptions(CommonOptions, total=False):
    """What a training job may be given: channel → data, and hyperparameters."""

    channels: Mapping[str, Data]
    hyperparameters: Mapping[str, object]


class ProcessingOptions(CommonOptions, total=False):
    """What a processing job may be given.

    inputs: name → data.
    outputs: names; a script finds their folders in SM_OUT_<NAME>.
    arguments: `--key value` of the script.
    model: what model.tar.gz holds, such as the `model` of a training's result; the script finds
        it unpacked in SM_MODEL_DIR.
    """

    inputs: Mapping[str, Data]
    outputs: Sequence[str]
    arguments: Mapping[str, object]
    model: Data


@dataclass(frozen=True, slots=True)
class Job:
    """A job that can be run; made by `Jobs`."""

    script: str
    project: Path
    folder: Path
    setup: JobSetup
    options: CommonOptions
    arguments: tuple[str, ...] = ()

    def run(self) -> JobResult:
        """Run the job on all its hosts to the end.

        When a host fails the others are stopped, as SageMaker does.

        Raises:
            FileNotFoundError: the script or a given path does not exist.
            TimeoutError: the job was not done in time; it was killed.
        """
        bundle = self._bundle()
        layouts = {
            host: prepare(self.setup, host, self.folder / host / "opt" / "ml", self.project)
            for host in self.setup.host_names
        }
        with _running(self, bundle, layouts) as processes:
            codes = _wait(processes, self.options.get("timeout", _TIMEOUT))
        return _result(self, layouts, codes)

    def _bundle(self) -> Path:
        launcher, lines = self.options.get("distribution"), self.options.get("requirements")
        per_host = self.options.get("processes_per_host")
        description = {
            "step": "test",
            "job": self.setup.job,
            "script": self.script,
            "outputs": list(self.setup.outputs),
            "model_input": MODEL_INPUT if self.setup.model is not None else None,
            "distribution": {"launcher": launcher, "processes_per_host": per_host}
            if launcher
            else None,
            "requirements": {"mode": "index", "lines": list(lines), "index_url": None}
            if lines
            else None,
        }
        code = collect(self.project, self.script, self.options.get("include", ()))
        return write_bundle(self.folder / "bundle.pyz", description, code)


@dataclass(frozen=True, slots=True)
class Jobs:
    """Makes the jobs of one test; what the fixture `sagemaker_job` gives.

    Args:
        folder: where the jobs' files go.
        project: where scripts and relative data paths begin.
    """

    folder: Path
    project: Path
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def training(self, script: str, **options: Unpack[TrainingOptions]) -> Job:
        """Describe a training job; `script` is relative to the project."""
        check_options(options, TrainingOptions.__optional_keys__)
        setup = JobSetup(
            job="training",
            name=self._name(),
            inputs=options.pop("channels", {}),
            hyperparameters=options.pop("hyperparameters", {}),
            hosts=options.get("hosts", 1),
        )
        return Job(script, self.project, self.folder / setup.name, setup, options)

    def processing(self, script: str, **options: Unpack[ProcessingOptions]) -> Job:
        """Describe a processing job; `script` is relative to the project."""
        check_options(options, ProcessingOptions.__optional_keys__)
        setup = JobSetup(
            job="processing",
            name=self._name(),
            inputs=options.pop("inputs", {}),
            outputs=tuple(options.pop("outputs", ())),
            hosts=options.get("hosts", 1),
            model=options.pop("model", None),
        )
        arguments = {k: as_text(v) for k, v in options.pop("arguments", {}).items()}
        words = tuple(hyperparameter_arguments(arguments))
        return Job(script, self.project, self.folder / setup.name, setup, options, words)

    def _name(self) -> str:
        """Return a name that no job running at the same time has: ports come from it."""
        return f"test-{os.getpid()}-{next(self._numbers)}-{self.folder.name}"


@contextmanager
def _running(
    job: Job, bundle: Path, layouts: Mapping[str, Layout]
) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """Start every host; whatever still runs in the end is killed."""
    processes: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for host, layout in layouts.items():
            environment = {
                GRACE_VARIABLE: str(_GRACE),
                ENV_DIR_VARIABLE: str(job.project / ".pipelines" / "env"),
                **host_environment(job.setup, layout),
                **job.options.get("environment", {}),
            }
            with _log(job, host).open("wb") as log:
                processes[host] = subprocess.Popen(
                    [sys.executable, str(bundle), *job.arguments],
                    env=environment,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    stdin=subprocess.DEVNULL,
                    start_new_session=True,
                )
        yield processes
    finally:
        for process in processes.values():
            _signal(process, signal.SIGTERM)
        for process in processes.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(2 * _GRACE)
            _signal(process, signal.SIGKILL)
            process.wait()


def _wait(processes: Mapping[str, subprocess.Popen[bytes]], timeout: float) -> dict[str, int]:
    """Wait for all hosts, stopping the others when one fails; answers host → exit code.

    The host that failed first stands first.
    """
    codes: dict[str, int] = {}

    def watch(host: str) -> None:
        codes[host] = processes[host].wait(timeout)
        if codes[host]:
            for other in processes.values():
                _signal(other, signal.SIGTERM)

    with ThreadPoolExecutor(len(processes)) as pool:
        ends = [pool.submit(watch, host) for host in processes]
        try:
            for end in ends:
                end.result()
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"the job was not done after {timeout:g} s") from None
    return codes


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        if process.poll() is None:
            process.send_signal(number)


def _log(job: Job, host: str) -> Path:
    return job.folder / f"{host}.log"


def _result(job: Job, layouts: Mapping[str, Layout], codes: Mapping[str, int]) -> JobResult:
    first = next((host for host, code in codes.items() if code), None)
    failure = layouts[first].failure if first is not None else None
    return JobResult(
        exit_code=codes[first] if first is not None else 0,
        failure=failure.read_text(encoding="utf-8") if failure and failure.is_file() else None,
        logs={h: _log(job, h).read_text(encoding="utf-8", errors="replace") for h in layouts},
        model=_merged(job, "model", [layout.model_dir for layout in layouts.values()]),
        output_data=_merged(job, "data", [layout.output_data_dir for layout in layouts.values()]),
        outputs={
            name: _merged(job, f"output-{name}", [one.output(name) for one in layouts.values()])
            for name in job.setup.outputs
        },
    )


def _merged(job: Job, name: str, folders: list[Path]) -> Path:
    """Return the one folder, or the folders of several hosts as one."""
    if len(folders) == 1:
        return folders[0]
    merged = job.folder / "merged" / name
    for folder in folders:
        shutil.copytree(folder, merged, dirs_exist_ok=True)
    return merged
