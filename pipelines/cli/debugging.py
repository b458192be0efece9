"""What `debug` does: compile, find the results that the step reads, run its job at the terminal."""

from __future__ import annotations

import importlib.util
import json
import sys
from typing import Literal

from pipelines.backends.local.api import on_demand
from pipelines.backends.local.debugging import DebugRequest, can_debug, debug, opt_ml
from pipelines.backends.local.local_caller import LocalCaller
from pipelines.backends.local.sagemaker import LocalSageMaker
from pipelines.backends.local.staging import stage
from pipelines.cli.options import ChosenSpec, parameters, report
from pipelines.cli.prerequisites import require_prerequisites
from pipelines.cli.printing import echo
from pipelines.cli.project import require_project
from pipelines.cli.target import open_sagemaker
from pipelines.compile.driver import compile_spec
from pipelines.compile.model import Compiled
from pipelines.definition.steps import Step, take_apart
from pipelines.diagnostics.nearest import nearest
from pipelines.errors import ExecutionFailedError, UsageError
from pipelines.execution.schedule import read_schedule
from pipelines.execution.selection import Selection, SelectionWords
from pipelines.execution.sources import SourceQuestion, choose
from pipelines.frozen import frozen
from pipelines.runtime.bundle import Job


@frozen
class Asked:
    """What is asked for, as it stands on the command line."""

    chosen: ChosenSpec
    step: str
    source: str | None
    given: tuple[str, ...]
    isolation: Literal["auto", "namespaces", "rewrite"]
    port: int | None = None


def run(asked: Asked) -> None:
    """Debug a step.

    Raises:
        UsageError: the step cannot be debugged, or nothing has what it reads.
        SpecError: the spec file has errors; they were printed.
        ExecutionFailedError: the script ended with another exit code than 0.
    """
    require_project(asked.chosen.file)
    given = parameters(asked.given)
    with open_sagemaker(asked.chosen.file, asked.isolation) as sagemaker:
        compiled = _compiled(asked.chosen)
        parts = take_apart(json.loads(compiled.definition))
        step = _step(parts.named, asked.step, compiled)
        _require_debugger(asked, _job(compiled, step))
        stage(sagemaker.objects, compiled.code, compiled.data)
        others = {name for name in parts.named if name != step.name}
        require_prerequisites(sagemaker.objects, compiled.definition, others)
        selection = _selection(sagemaker, asked, compiled)
        values = {**selection.parameters, **given}
        _announce(sagemaker, step, selection, _job(compiled, step))
        with on_demand(sagemaker) as api:
            request = DebugRequest(
                compiled.pipeline,
                compiled.definition,
                step.name,
                selection.source,
                values,
                api,
                asked.port,
            )
            code = debug(sagemaker, request)
        _conclude(sagemaker, step.name, code)


def _require_debugger(asked: Asked, job: Job | None) -> None:
    if asked.port is None:
        return
    if job is None or job.command:
        raise UsageError(
            f"the step `{asked.step}` runs no Python script: no debugger can attach to it",
            "run it without --listen",
        )
    if importlib.util.find_spec("debugpy") is None:
        raise UsageError(
            "debugpy is not installed, which the editor's debugger talks to",
            "python -m pip install debugpy",
        )


def _compiled(chosen: ChosenSpec) -> Compiled:
    result = compile_spec(chosen.request())
    report(result.checked, chosen.file, err=True, account=False)
    if result.compiled is None:
        message = "a spec without errors was not compiled"
        raise AssertionError(message)
    return result.compiled


def _step(known: dict[str, Step], name: str, compiled: Compiled) -> Step:
    """Find the step whose job runs a script."""
    scripts = [one for one, step in known.items() if _runs_script(compiled, step)]
    step = known.get(name)
    if step is not None and name in scripts:
        return step
    listed = f"steps that can be debugged: {', '.join(scripts) or 'none'}"
    close = nearest(name, known)
    if step is None and name not in {asset.step for asset in compiled.code}:
        advice = f"did you mean `{close}`?" if close else listed
        raise UsageError(f"the pipeline has no step `{name}`", advice)
    raise UsageError(
        f"the step `{name}` runs no script of yours: there is nothing to debug", listed
    )


def _runs_script(compiled: Compiled, step: Step) -> bool:
    job = _job(compiled, step)
    return can_debug(step.type) and (job is None or job.script is not None)


def _job(compiled: Compiled, step: Step) -> Job | None:
    """Return the configuration of a step's bundle; None where it has none of ours."""
    text = json.dumps(step.apart)
    return next((asset.job for asset in compiled.code if asset.uri in text), None)


def _selection(sagemaker: LocalSageMaker, asked: Asked, compiled: Compiled) -> Selection:
    """Find the execution whose results the step reads, by the rules of `run --only`."""
    definition = read_schedule(compiled.definition)
    caller, origins = LocalCaller(sagemaker), compiled.origins
    question = SourceQuestion(caller, compiled.pipeline, origins, sagemaker.damage)
    words = SelectionWords((asked.step,), asked.source)
    try:
        return choose(words, definition, question).given(parameters(asked.given))
    except UsageError as error:
        if asked.source is not None:
            raise
        begin = f"python -m pipelines run{asked.chosen.flags()}"
        raise UsageError(error.problem, f"run the pipeline first: {begin}") from error


def _announce(sagemaker: LocalSageMaker, step: Step, selection: Selection, job: Job | None) -> None:
    echo(selection.described(), err=True)
    echo(
        f"debugging {step.name}; its /opt/ml is {opt_ml(sagemaker.settings.home, step.name)}",
        err=True,
    )
    if job is not None and job.distribution:
        echo(f"{step.name} is distributed; here it is one process", err=True)
    sys.stderr.flush()


def _conclude(sagemaker: LocalSageMaker, step: str, code: int) -> None:
    place = opt_ml(sagemaker.settings.home, step)
    stays = f"its /opt/ml stays until {step} is debugged again: {place}"
    if code:
        how = f"exit code {code}" if code > 0 else f"signal {-code}"
        raise ExecutionFailedError(f"{step} ended with {how}", stays)
    echo(f"{step} ended with exit code 0; {stays}", err=True)
