"""What `plan` says of instances: the quotas that are needed, and what the last run suggests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from pipelines.account.account import Account
from pipelines.account.quotas import keep_quotas, known_quotas, quota_name
from pipelines.advice.reading import advice_on
from pipelines.cli.project import home_of
from pipelines.compile.model import Compiled
from pipelines.definition.named import read
from pipelines.definition.steps import take_apart
from pipelines.execution.caller import Caller, CallRefusedError
from pipelines.execution.executions import steps, summaries
from pipelines.execution.identifiers import identifier
from pipelines.json_types import Json, JsonObject
from pipelines.plan.instances import instances_needed
from pipelines.results.run import described_job
from pipelines.steptypes import StepType
from pipelines.steptypes.clusters import choices
from pipelines.steptypes.places import below, value_at


def quota_lines(compiled: Compiled, file: Path, account: Account) -> Iterator[str]:
    """Yield each quota that a step needs, with its value where `doctor` has read it."""
    known = known_quotas(home_of(file), _where(account))
    for (usage, instance_type), count in instances_needed(compiled).items():
        name = quota_name(usage, instance_type)
        value = known.values.get(name)
        if value is None:
            had = "its value is unknown: `pipelines doctor` reads it"
        else:
            short = "" if value >= count else ", too few"
            had = f"the account had {value:.0f} on {known.date}{short}"
        yield f"{name}: a step needs {count}; {had}"


def keep(file: Path, account: Account, quotas: Mapping[str, float]) -> None:
    """Keep the quotas that were read, for `plan`."""
    today = datetime.now(UTC).date().isoformat()
    keep_quotas(home_of(file), _where(account), quotas, today)


def last_advice(caller: Caller, pipeline: str) -> Iterator[str]:
    """Yield what the latest execution of a pipeline suggests; nothing where none may be read."""
    try:
        for summary in islice(summaries(caller, pipeline), 1):
            arn = str(summary["PipelineExecutionArn"])
            for line in advice_on(caller, steps(caller, arn)):
                yield f"by {identifier(arn)}: {line}"
    except CallRefusedError:
        return


def selected_lines(caller: Caller, arn: str, listed: Iterable[JsonObject]) -> Iterator[str]:
    """Yield which of several instance types each job of an execution got; nothing it may not read.

    Args:
        caller: where.
        arn: the execution.
        listed: its steps, as ListPipelineExecutionSteps gives them.
    """
    try:
        yield from _selected(caller, arn, listed)
    except CallRefusedError:
        return  # the steps are shown without it


def _selected(caller: Caller, arn: str, listed: Iterable[JsonObject]) -> Iterator[str]:
    operation = "describe_pipeline_definition_for_execution"
    answer = caller.call("sagemaker", operation, PipelineExecutionArn=arn)
    named = take_apart(read(str(answer["PipelineDefinition"]))).named
    for step in listed:
        known = named.get(step["StepName"])
        if known is None or known.known is None or not _may_choose(known.known, known.arguments):
            continue
        for asked in _asked(known.known, described_job(caller, step)):
            got = value_at(asked, "SelectedInstanceType")
            if got is not None:
                offered = ", ".join(str(one.get("InstanceType")) for one in choices(asked))
                yield f"{step['StepName']}: ran on {got}, of {offered}"


def _may_choose(step_type: StepType, arguments: JsonObject) -> bool:
    return any(len(choices(asked)) > 1 for asked in _asked(step_type, arguments))


def _asked(step_type: StepType, request: JsonObject) -> Iterator[Json]:
    for cluster in step_type.clusters:
        yield from (asked for _, asked in below(request, cluster.at))


def _where(account: Account) -> str:
    return f"{account.account_id()}/{account.region}"
