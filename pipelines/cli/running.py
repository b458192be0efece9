"""What `run` does: compile, stage, start an execution, and follow it to its end."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import field, replace
from functools import partial
from pathlib import Path
from typing import NoReturn

from pipelines.backends.local.api import on_demand
from pipelines.backends.local.engine.context import RunOptions
from pipelines.backends.local.local_caller import LocalCaller
from pipelines.backends.local.resuming import require_checkpoints
from pipelines.backends.local.sagemaker import LocalSageMaker
from pipelines.backends.local.staging import stage, stage_written
from pipelines.backends.local.submit import RunInputs, Submission, submit
from pipelines.cli.commit import recorded
from pipelines.cli.definitions import load_definition
from pipelines.cli.interrupts import interruptible
from pipelines.cli.options import ChosenSpec, parameters, report
from pipelines.cli.prerequisites import require_prerequisites
from pipelines.cli.printing import echo, escape_log_records
from pipelines.cli.progress import following, pace_of
from pipelines.cli.project import folder_of, pipelines_named, require_project
from pipelines.cli.run_request import RunRequest, check_request
from pipelines.cli.scope import local_scope
from pipelines.cli.target import open_reader, open_sagemaker
from pipelines.compile.driver import compile_spec
from pipelines.errors import ExecutionFailedError, UsageError
from pipelines.execution.executions import environment_of, parameters_of, steps
from pipelines.execution.identifiers import LATEST, identifier, pipeline_of
from pipelines.execution.schedule import read_schedule
from pipelines.execution.selection import Selection
from pipelines.execution.status import ExecutionStatus, StepStatus
from pipelines.execution.watching import Watched, watching
from pipelines.frozen import frozen
from pipelines.graph.model import Graph
from pipelines.plan.tags import desired
from pipelines.spec.model import Aws

_SHOW_CURSOR = b"\x1b[?25h"  # the live table hides it


@frozen
class _Limits:
    """What the steps of an execution may do, and what they have to.

    Args:
        declared: step and output of what the spec says that it writes, reports too.
        left_out: the steps that do not run.
        lent: step name → file with the modules that its job may import; all where none is named.
        simulations: what happens to them as in an account, each SIMULATION:CASE.
    """

    declared: frozenset[tuple[str, str]] = frozenset()
    left_out: frozenset[str] = frozenset()
    lent: Mapping[str, Path] = field(default_factory=dict)
    simulations: tuple[str, ...] = ()


def run(asked: RunRequest) -> None:
    """Run an execution to its end.

    Raises:
        UsageError: what is asked for does not fit together, or is not there.
        SpecError: the spec file has errors; they were printed.
        ExecutionFailedError: the execution ended otherwise than succeeded.
    """
    answers = {step: Path(path) for step, path in parameters(asked.stubs).items()}
    inputs = RunInputs(parameters(asked.given), answers, simulations=asked.simulations)
    check_request(asked)
    again = asked.command
    if asked.sample:
        from pipelines.cli.sampling import copy_for_samples  # noqa: PLC0415 - a whole run needs none

        asked = replace(asked, chosen=copy_for_samples(asked.chosen))
    if asked.definition is None:
        require_project(asked.chosen.file)
    escape_log_records()
    with open_sagemaker(asked.chosen.file, asked.isolation, asked.grace) as sagemaker:
        arn, limits = _started(sagemaker, asked, inputs)
        with (
            following(sys.stdout) as observer,
            watching(Watched(LocalCaller(sagemaker), arn, pace_of(sys.stdout)), observer),
            _stopping(sagemaker, arn, _resume(asked.chosen, arn)),
            on_demand(sagemaker) as api,
        ):
            options = RunOptions(
                observer, asked.max_parallel, inputs.stubs, asked.uses_cache, api, limits.lent
            )
            options = replace(options, simulations=limits.simulations)
            go = sagemaker.run if asked.resume is None else sagemaker.resume
            status = go(arn, options)
        if status is not ExecutionStatus.SUCCEEDED:
            raise _ended_badly(sagemaker, asked.chosen, arn, status, again)
        for step, output, words in sagemaker.unwritten(arn):
            if (step, output) in limits.declared and step not in inputs.stubs:
                echo(f"warning: step `{step}` wrote {words}", err=True)
    echo(f"its results on one page: {_report(asked.chosen, arn)} --open")


def _started(
    sagemaker: LocalSageMaker, asked: RunRequest, inputs: RunInputs
) -> tuple[str, _Limits]:
    """Start an execution, or find the one to go on with; give its ARN and its limits.

    An execution that is resumed, or of a foreign definition, is lent all that is here.
    """
    if asked.resume is not None:
        arn = _resumable(sagemaker, asked)
        _warn_of_edits(sagemaker, arn, asked.chosen)
        without = {*inputs.stubs, *_succeeded(sagemaker, arn)}
        definition = _definition_of(sagemaker, arn)
        require_prerequisites(sagemaker.objects, definition, without)
        _fetch(sagemaker, asked, definition, without, parameters_of(LocalCaller(sagemaker), arn))
        return arn, _Limits(simulations=inputs.simulations)
    limits = _Limits()
    if asked.definition is not None:
        submission, commit = _of_definition(sagemaker, asked.definition, asked.chosen.file), {}
    else:
        submission, limits = _of_spec(sagemaker, asked)
        commit = recorded(submission.definition, folder_of(asked.chosen.file))
    inputs = replace(inputs, parameters={**commit, **inputs.parameters})
    not_run = set(inputs.stubs)
    if asked.words.words or limits.left_out:
        selection, others = _selection(sagemaker, asked, submission, limits.left_out)
        inputs, not_run = replace(inputs, selection=selection), not_run | others
    require_prerequisites(sagemaker.objects, submission.definition, not_run)
    caller = LocalCaller(sagemaker)
    require_checkpoints(caller, sagemaker.objects, submission, not_run)
    taken_over = inputs.selection.parameters if inputs.selection else {}
    values = {**taken_over, **inputs.parameters}
    _fetch(sagemaker, asked, submission.definition, not_run, values)
    if inputs.simulations:
        from pipelines.backends.local.simulations.reading import (  # noqa: PLC0415 - seldom
            with_members,
        )

        given = inputs.simulations
        meant = with_members(given, submission.definition, values, submission.origins)
        inputs, limits = replace(inputs, simulations=meant), replace(limits, simulations=meant)
    return submit(sagemaker, submission, inputs), limits


def _fetch(
    sagemaker: LocalSageMaker,
    asked: RunRequest,
    definition: str,
    without: set[str],
    parameters: Mapping[str, str],
) -> None:
    """Fetch inputs from S3 where that is asked for."""
    if asked.fetch is None:
        return
    from pipelines.cli.fetching import FetchedRun, fetch_inputs  # noqa: PLC0415 - seldom asked for

    is_compiled = asked.definition is None and asked.resume is None
    account = partial(open_reader, asked.chosen if is_compiled else None)
    run_ = FetchedRun(definition, parameters, without, account, asked.fetch)
    fetch_inputs(sagemaker, run_)


def _selection(
    sagemaker: LocalSageMaker,
    asked: RunRequest,
    submission: Submission,
    left_out: frozenset[str],
) -> tuple[Selection, set[str]]:
    """Determine which steps run on which results; return the steps that do not run, too."""
    from pipelines.cli.selecting import show_selection  # noqa: PLC0415 - a whole run needs none
    from pipelines.execution.selection import and_after  # noqa: PLC0415 - as above
    from pipelines.execution.sources import SourceQuestion, choose  # noqa: PLC0415 - as above

    definition = read_schedule(submission.definition)
    caller, origins = LocalCaller(sagemaker), submission.origins
    question = SourceQuestion(caller, submission.pipeline, origins, sagemaker.damage)
    left_out = and_after(definition, left_out)
    selection = choose(asked.words, definition, question, left_out).given(parameters(asked.given))
    show_selection(selection, definition, left_out)
    return selection, {*definition.steps} - {*selection.steps}


def _succeeded(sagemaker: LocalSageMaker, arn: str) -> set[str]:
    """Name the steps of an execution that do not run again."""
    ended = steps(LocalCaller(sagemaker), arn)
    return {step["StepName"] for step in ended if step["StepStatus"] == StepStatus.SUCCEEDED}


def _definition_of(sagemaker: LocalSageMaker, arn: str) -> str:
    described = sagemaker.describe_pipeline_definition_for_execution(PipelineExecutionArn=arn)
    definition: str = described["PipelineDefinition"]
    return definition


def _of_spec(sagemaker: LocalSageMaker, asked: RunRequest) -> tuple[Submission, _Limits]:
    """Compile and stage a spec; return what is to be started, and within which limits."""
    chosen = asked.chosen
    result = compile_spec(chosen.request())
    report(result.checked, chosen.file, err=True, account=False)
    compiled, graph = result.compiled, result.checked.graph
    if compiled is None or graph is None:
        message = "a spec without errors was not compiled"
        raise AssertionError(message)
    limits, home = _Limits(_declared(graph)), sagemaker.settings.home
    if asked.sample:
        from pipelines.cli.sampling import sampled  # noqa: PLC0415 - a whole run needs none

        compiled, left_out = sampled(compiled, graph.spec.data, asked.sample, home)
        limits = replace(limits, left_out=left_out)
    if asked.strict:
        from pipelines.cli.lending import lent_modules  # noqa: PLC0415 - most runs lend everything

        limits = replace(limits, lent=lent_modules(compiled, home))
    stage(sagemaker.objects, compiled.code, compiled.data)
    aws = graph.spec.aws or Aws()
    tags = desired(compiled.pipeline, aws.tags)
    submission = Submission(
        compiled.pipeline,
        compiled.definition,
        aws.role,
        tags,
        chosen.env,
        compiled.origins,
        graph.spec.description or "",
    )
    return submission, limits


def _declared(graph: Graph) -> frozenset[tuple[str, str]]:
    """Return step and name of each output and report that a spec names."""
    keys = ("outputs", "reports")
    return frozenset(
        (name, output)
        for name, node in graph.nodes.items()
        for key in keys
        for output in getattr(node.step, key, ())
    )


def _of_definition(sagemaker: LocalSageMaker, definition: Path, file: Path) -> Submission:
    loaded = load_definition(definition)
    stage_written(sagemaker.objects, definition, file.parent)
    return Submission(loaded.name, loaded.text, None)


def _resumable(sagemaker: LocalSageMaker, asked: RunRequest) -> str:
    from pipelines.execution.executions import executions  # noqa: PLC0415 - a run needs it seldom

    scope = local_scope(sagemaker, asked.chosen)
    if asked.resume is not None and asked.resume != LATEST:
        return str(scope.find(asked.resume)["PipelineExecutionArn"])
    known = executions(scope.caller, scope.pipelines, sys.maxsize)
    if not known:
        raise scope.no_execution()
    for summary in known:
        arn = str(summary["PipelineExecutionArn"])
        succeeded = summary["PipelineExecutionStatus"] == ExecutionStatus.SUCCEEDED
        if not succeeded and sagemaker.can_resume(arn):
            return arn
    raise UsageError(
        "there is nothing to resume", "every execution here has completed or is running"
    )


def _warn_of_edits(sagemaker: LocalSageMaker, arn: str, chosen: ChosenSpec) -> None:
    """Warn that an execution goes on with the code and the spec that it was started with."""
    env = environment_of(sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn))
    same = replace(chosen, env=env)
    if pipeline_of(arn) not in pipelines_named(chosen.file, None, chosen.copy) and env is None:
        return
    if _compiled_now(same, pipeline_of(arn)) != _definition_of(sagemaker, arn):
        begin = f"pipelines run{same.flags()}"
        sys.stderr.write(
            f"the spec or its code was changed since: {identifier(arn)} goes on with what it was"
            f" started with; `{begin}` starts a new execution with the changes\n"
        )


def _compiled_now(chosen: ChosenSpec, pipeline: str) -> str | None:
    """Compile what the spec is now; None where it cannot be."""
    try:
        compiled = compile_spec(chosen.request()).compiled
    except UsageError:
        return None
    return None if compiled is None else compiled.definitions.get(pipeline)


@contextmanager
def _stopping(sagemaker: LocalSageMaker, arn: str, resume: str) -> Iterator[None]:
    """Stop the execution in an orderly way on Ctrl-C or SIGTERM; a second Ctrl-C ends at once."""
    execution = identifier(arn)

    def stop(number: signal.Signals) -> None:
        said = f"stopping ({number.name}); its jobs are being stopped"
        # Not click.echo: only a write to this object comes to stand above a live table.
        sys.stderr.write(f"{said}; Ctrl-C again leaves at once\n")
        sagemaker.request_stop(execution)

    with interruptible(stop, partial(_end_at_once, resume)):
        yield


def _end_at_once(resume: str) -> NoReturn:
    """Leave without waiting: the kernel tells the jobs, and the state allows it at any point."""
    if sys.stdout.isatty():
        os.write(sys.stdout.fileno(), _SHOW_CURSOR)
    os.write(sys.stderr.fileno(), f"interrupted; resume it with `{resume}`\n".encode())
    os._exit(128 + signal.SIGINT)


def _ended_badly(
    sagemaker: LocalSageMaker,
    chosen: ChosenSpec,
    arn: str,
    status: ExecutionStatus,
    again: str,
) -> ExecutionFailedError:
    execution, begun = identifier(arn), replace(chosen, env=None)
    remedy = f"see `{_report(chosen, arn)}`"
    remedy += f" or `pipelines status{begun.flags(local=True)} {execution}`"
    if sagemaker.can_resume(arn):
        remedy += f"; resume it with `{_resume(chosen, arn)}`"
        if status is ExecutionStatus.FAILED:
            remedy += f", or after a change start a new one with `{again}`"
    return ExecutionFailedError(f"execution {execution} ended as {status}", remedy)


def _report(chosen: ChosenSpec, arn: str) -> str:
    """Write the command that makes the page of an execution."""
    return f"pipelines report{replace(chosen, env=None).flags(local=True)} {identifier(arn)}"


def _resume(chosen: ChosenSpec, arn: str) -> str:
    """Write the command that resumes an execution."""
    return f"pipelines run{replace(chosen, env=None).flags()} --resume {identifier(arn)}"
