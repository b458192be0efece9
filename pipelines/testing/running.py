"""A described job → its processes, one per host, run to the end; what they left → JobResult."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.bundle.code import CodeRequest, bundle
from pipelines.bundle.project import Project
from pipelines.runtime.child import GRACE_VARIABLE
from pipelines.runtime.layout import Layout
from pipelines.runtime.requirements import ENV_DIR_VARIABLE
from pipelines.runtime.tracking import URI_VARIABLE
from pipelines.runtime.usage import TAG
from pipelines.testing.errors import JobSetupError
from pipelines.testing.hosts import JobSetup, host_environment, prepare
from pipelines.testing.results import JobResult

TIMEOUT = 600.0
_UNPACKED = re.compile(r"[^\s\"']*/pipelines-[0-9a-f]{16}/code/")  # as the runtime names it
_USAGE = re.compile(f"^{TAG}.*\n?", re.MULTILINE)
_GRACE = 5.0  # seconds from SIGTERM to SIGKILL; on the platform nearly 120


@dataclass(frozen=True, slots=True)
class JobUnderTest:
    """A job that can be run.

    Args:
        code: what its bundle holds.
        setup: what it is given.
        project: where its files and relative data paths are looked for.
        folder: where it runs; made when it does.
        timeout: seconds after which it is killed.
        metric_definitions: name → regular expression, for `JobResult.metrics`.
        reports: name → output and path in it of a JSON file, for `JobResult.reports`.
    """

    code: CodeRequest
    setup: JobSetup
    project: Project
    folder: Path
    timeout: float = TIMEOUT
    metric_definitions: Mapping[str, str] = field(default_factory=dict)
    reports: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def run(self) -> JobResult:
        """Run the job on all its hosts to the end.

        When a host fails the others are stopped, as SageMaker does.

        Raises:
            JobSetupError: the script or a given path does not exist, as `compile` would say it.
            TimeoutError: the job was not done in time; it was killed.
        """
        made = bundle(self.code, self.project)
        if made.plan is None:
            raise JobSetupError.of(made.findings)
        path = self.folder / "bundle.pyz"
        self.folder.mkdir(parents=True)
        path.write_bytes(made.plan.read(self.project).archive())
        layouts = {
            host: prepare(self.setup, host, self.folder / host / "opt" / "ml", self.project.root)
            for host in self.setup.host_names
        }
        with _using_environments(self), _running(self, path, layouts) as processes:
            codes = _wait(processes, self.timeout)
        return _result(self, layouts, codes)


@contextmanager
def _using_environments(job: JobUnderTest) -> Iterator[None]:
    """Keep `prune --local` from removing an environment that the job may run in."""
    need = job.code.need
    if not need.requirements and need.requirements_file is None and need.vendored is None:
        yield
        return
    from pipelines.backends.local.jobs.workspace import counted  # noqa: PLC0415 - most need none

    with counted(job.project.root / ".pipelines" / "jobs", f"test-{uuid.uuid4().hex}"):
        yield


@contextmanager
def _running(
    job: JobUnderTest, bundle: Path, layouts: Mapping[str, Layout]
) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """Start every host; whatever still runs in the end is killed."""
    processes: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for host, layout in layouts.items():
            environment = {
                GRACE_VARIABLE: str(_GRACE),
                ENV_DIR_VARIABLE: str(job.project.root / ".pipelines" / "env"),
                URI_VARIABLE: (job.folder / "mlflow").absolute().as_uri(),
                **host_environment(job.setup, layout),
            }
            with _log(job, host).open("wb") as log:
                processes[host] = subprocess.Popen(
                    [sys.executable, str(bundle), *job.setup.arguments],
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
    """Wait for all hosts, stopping the others when one fails; return host → exit code.

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


def _log(job: JobUnderTest, host: str) -> Path:
    return job.folder / f"{host}.log"


def _text(job: JobUnderTest, host: str) -> str:
    """Read a log as the script wrote it; what it says of the bundle's files, of the project's."""
    text = _USAGE.sub("", _log(job, host).read_text(encoding="utf-8", errors="replace"))
    return _UNPACKED.sub(lambda _: f"{job.project.root}/", text)


def _result(
    job: JobUnderTest, layouts: Mapping[str, Layout], codes: Mapping[str, int]
) -> JobResult:
    first = next((host for host, code in codes.items() if code), None)
    failure = layouts[first].failure if first is not None else None
    outputs = {
        name: _merged(job, f"output-{name}", [one.output(name) for one in layouts.values()])
        for name in job.setup.outputs
    }
    return JobResult(
        exit_code=codes[first] if first is not None else 0,
        failure=failure.read_text(encoding="utf-8") if failure and failure.is_file() else None,
        logs={host: _text(job, host) for host in layouts},
        model=_merged(job, "model", [layout.model_dir for layout in layouts.values()]),
        output_data=_merged(job, "data", [layout.output_data_dir for layout in layouts.values()]),
        outputs=outputs,
        reports={name: outputs[output] / path for name, (output, path) in job.reports.items()},
        metric_definitions=job.metric_definitions,
    )


def _merged(job: JobUnderTest, name: str, folders: list[Path]) -> Path:
    """Return the one folder, or the folders of several hosts as one."""
    if len(folders) == 1:
        return folders[0]
    merged = job.folder / "merged" / name
    for folder in folders:
        shutil.copytree(folder, merged, dirs_exist_ok=True)
    return merged
