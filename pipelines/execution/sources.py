"""The execution whose results selected steps use: the named one, or the latest that has them."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping

from pipelines.errors import UsageError
from pipelines.execution.caller import Caller
from pipelines.execution.executions import find, parameters_of, steps, summaries
from pipelines.execution.identifiers import identifier, is_of, pipeline_of
from pipelines.execution.parameters import given_values
from pipelines.execution.schedule import Schedule
from pipelines.execution.selection import (
    Selection,
    SelectionWords,
    needed,
    select,
    selected_steps,
)
from pipelines.execution.status import REUSABLE, StepStatus
from pipelines.frozen import frozen

_TRIED = 200
"""How many executions are looked at for one that has what is needed."""


@frozen
class SourceQuestion:
    """Where executions of a pipeline are, and whether one still has its results.

    Args:
        caller: where.
        pipeline: the pipeline's name.
        origins: for steps of its definition the step of the spec that they come from.
        damage: why the results of these steps of an execution, by its ARN, cannot be used; None
            where they can.
    """

    caller: Caller
    pipeline: str
    origins: Mapping[str, str]
    damage: Callable[[str, Iterable[str]], str | None] = lambda _arn, _steps: None


def choose(
    words: SelectionWords,
    definition: Schedule,
    question: SourceQuestion,
    left_out: Collection[str] = (),
) -> Selection:
    """Determine which steps run, and on the results of which execution.

    Args:
        words: what is selected; no words select all.
        definition: the definition.
        question: where the executions of the pipeline are.
        left_out: the steps that do not run even where they are selected.

    Raises:
        UsageError: a word names no step, selected steps are not connected, or there is no
            execution that has what they need.
    """
    found = selected_steps(words.words, definition, question.origins)
    names = tuple(name for name in found if name not in left_out)
    if not names:
        raise UsageError(
            f"nothing is left to run: {', '.join(found)} would register or deploy",
            "select other steps, or run without --sample",
        )
    if not words.words:
        return Selection(names, None, frozenset(), {})
    reused = needed(definition, names)
    select(definition, names, reused)
    if words.source is not None:
        source: str | None = _named(words.source, definition, names, question)
    else:
        source = _latest(reused, question)
    parameters = {} if source is None else _parameters(question.caller, source, definition)
    return Selection(names, source, reused, parameters)


def _named(
    given: str, definition: Schedule, names: tuple[str, ...], question: SourceQuestion
) -> str:
    """Find the execution that the user has named, and check that it has what is needed."""
    described = find(question.caller, (question.pipeline,), given)
    arn, status = described["PipelineExecutionArn"], described["PipelineExecutionStatus"]
    if not is_of(question.pipeline, arn):
        raise UsageError(
            f"execution {identifier(arn)} is one of {pipeline_of(arn)}: its results cannot be used",
            f"name one of {question.pipeline}",
        )
    if status not in REUSABLE:
        raise UsageError(
            f"execution {identifier(arn)} is {status}: its results cannot be used",
            "name one that has Succeeded or Failed",
        )
    reused = select(definition, names, _succeeded(question.caller, arn)).reused
    damage = question.damage(arn, reused)
    if damage is not None:
        raise UsageError(
            f"the results of execution {identifier(arn)} cannot be used: {damage}",
            "select the step that writes it too, or name another execution",
        )
    return str(arn)


def _latest(reused: frozenset[str], question: SourceQuestion) -> str | None:
    """Find the latest execution in which each needed step succeeded and its results are there."""
    damaged: str | None = None
    for tried, summary in enumerate(summaries(question.caller, question.pipeline)):
        arn = str(summary["PipelineExecutionArn"])
        if tried == _TRIED:
            break
        if summary["PipelineExecutionStatus"] not in REUSABLE:
            continue
        if not reused:
            return arn
        if reused <= _succeeded(question.caller, arn):
            damage = question.damage(arn, reused)
            if damage is None:
                return arn
            damaged = damaged or f"; of execution {identifier(arn)} {damage}"
    if not reused:
        return None
    listed = ", ".join(f"`{name}`" for name in sorted(reused))
    whose, these = ("its", listed) if len(reused) == 1 else ("their", "these")
    raise UsageError(
        f"the selected steps need {listed}, and no execution of {question.pipeline} has"
        f" {whose} results{damaged or ''}",
        f"run the whole pipeline first, or select {these} too",
    )


def _succeeded(caller: Caller, arn: str) -> frozenset[str]:
    ended = steps(caller, arn)
    return frozenset(s["StepName"] for s in ended if s["StepStatus"] == StepStatus.SUCCEEDED)


def _parameters(caller: Caller, arn: str, definition: Schedule) -> dict[str, str]:
    """Return what the source was given, as far as the pipeline still has these parameters.

    What had its default then gets the default of now. The service takes over nothing by itself.
    """
    request = {"PipelineExecutionArn": arn}
    answer = caller.call("sagemaker", "describe_pipeline_definition_for_execution", **request)
    values = parameters_of(caller, arn)
    declared = {item["Name"] for item in definition.document.get("Parameters") or []}
    earlier = given_values(json.loads(answer["PipelineDefinition"]), values)
    return {name: value for name, value in earlier.items() if name in declared}
