"""One step at a terminal: the job that an execution would run, on the results of an earlier one.

Nothing of it enters an execution, the cache or the registry, and its outputs go to no object store:
they stay in its /opt/ml, `.pipelines/jobs/debug-<step>`, until the step is debugged again or until
`prune --local`.
"""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path

from pipelines.backends.local.engine.context import RunOptions
from pipelines.backends.local.executors.as_job import unrecorded
from pipelines.backends.local.executors.contract import StepCall
from pipelines.backends.local.jobs.environment import command_words, host_environment
from pipelines.backends.local.jobs.kind import find_kind, require_kind
from pipelines.backends.local.jobs.launcher import client, named_sources
from pipelines.backends.local.jobs.layers import show_layers
from pipelines.backends.local.jobs.spec import ContainerCommand, HostCommand, LocalJob
from pipelines.backends.local.kept import job_folder, keep, remove
from pipelines.backends.local.sagemaker import LocalSageMaker
from pipelines.backends.local.settings import LocalApi
from pipelines.backends.local.state.executions import ExecutionRecord
from pipelines.errors import UsageError
from pipelines.execution.parameters import typed_parameters
from pipelines.execution.status import ExecutionStatus
from pipelines.frozen import frozen
from pipelines.runtime.child import TERMINAL_VARIABLE

_NAME = "debug"
_SHOWN = ("TERM", "COLORTERM", "NO_COLOR", "PYTHONBREAKPOINT")
"""What a debugger needs of the terminal's environment."""


@frozen
class DebugRequest:
    """What is debugged.

    Args:
        pipeline: the pipeline's name.
        definition: its definition JSON.
        step: the step, whose job runs a script.
        source: ARN of the execution whose results it reads; None where it reads none.
        parameters: values by name, as text.
        api: the API that the job may call.
        port: where the script waits for a debugger (debugpy); None for a step at the terminal.
    """

    pipeline: str
    definition: str
    step: str
    source: str | None
    parameters: dict[str, str]
    api: LocalApi
    port: int | None = None


def can_debug(type_name: str) -> bool:
    """Return whether steps of a Type run as a job on this machine."""
    kind = find_kind(type_name)
    return kind is not None and kind.prepared is not None


def opt_ml(home: Path, step: str) -> Path:
    """Return the folder that a debugged step has as its /opt/ml."""
    return job_folder(home, _job(step)) / "algo-1" / "opt" / "ml"


def debug(sagemaker: LocalSageMaker, request: DebugRequest) -> int:
    """Run the job of a step at this terminal; return its exit code, negative for a signal.

    Raises:
        UsageError: the step is being debugged in another terminal.
        PipelinesError: its arguments cannot be resolved, or its job cannot run here.
    """
    options = RunOptions(api=request.api)
    record = _record(sagemaker, request)
    call = sagemaker.step_call(record, request.step, request.source, options)
    home = sagemaker.settings.home
    folder = job_folder(home, call.job_name)
    _refuse_second(folder)
    remove(folder)
    kind = require_kind(str(call.step["Type"]))
    if kind.prepared is None:
        raise UsageError(f"a {kind.type.name} step starts no program that could be debugged")
    with kind.prepared(unrecorded(call), 1) as (job, container):
        keep(folder)
        if request.port is not None and job.network_isolated:
            raise UsageError(
                "the step has no network, so no debugger can attach to it",
                "remove `enable_network_isolation`, or use `breakpoint()` without --listen",
            )
        try:
            return client.run_at_terminal(job, _command(call, job, container, request.port))
        finally:
            show_layers(host.root for host in job.hosts)


def _record(sagemaker: LocalSageMaker, request: DebugRequest) -> ExecutionRecord:
    """Return an execution that is not recorded."""
    parameters = typed_parameters(json.loads(request.definition), request.parameters)
    arn = f"{sagemaker.settings.arn(f'pipeline/{request.pipeline}')}/execution/{_NAME}"
    executing = ExecutionStatus.EXECUTING
    return ExecutionRecord(
        _NAME, arn, request.pipeline, executing, 0.0, 0.0, request.definition, parameters, {}
    )


def _command(
    call: StepCall, job: LocalJob, container: ContainerCommand, port: int | None
) -> HostCommand:
    host, settings = job.hosts[0], call.settings
    project = settings.home.absolute().parent
    environment = host_environment(
        job, host, settings, requested=container.environment, outside=os.environ
    )
    environment |= {name: os.environ[name] for name in _SHOWN if name in os.environ}
    words = [named_sources.__file__, str(project)]
    if port is not None:
        environment[named_sources.PORT_VARIABLE] = str(port)
        words.insert(0, "-Xfrozen_modules=off")  # debugpy sees into these too
    environment[TERMINAL_VARIABLE] = json.dumps(words)
    started = command_words(job, host, container.words, settings)
    return HostCommand(host, started, environment, call.logs)


def _job(step: str) -> str:
    return f"{_NAME}-{step.replace('_', '-')}"


def _refuse_second(folder: Path) -> None:
    lock = folder.with_name(f"{folder.name}.lock")
    if not lock.exists():
        return
    with lock.open("r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(
                "the step is being debugged in another terminal", "end that one first"
            ) from None
