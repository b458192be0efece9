"""What `plan` says of instances: the quotas that are needed, and what the last run suggests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from pipelines.account.account import Account
from pipelines.account.quotas import keep_quotas, known_quotas, quota_name
from pipelines.advice.reading import advice_on
from pipelines.cli.project import home_of
from pipelines.compile.model import Compiled
from pipelines.definition.named import read
from pipelines.definition.needs import needs_of
from pipelines.execution.caller import Caller, CallRefusedError
from pipelines.execution.executions import steps, summaries
from pipelines.execution.identifiers import identifier


def quota_lines(compiled: Compiled, file: Path, account: Account) -> Iterator[str]:
    """Yield each quota that a step needs, with its value where `doctor` has read it."""
    known = known_quotas(home_of(file), _where(account))
    for (usage, instance_type), count in needs_of(read(compiled.definition)).instances.items():
        name = quota_name(usage, instance_type)
        value = known.values.get(name)
        if value is None:
            had = "its value is unknown: `pipelines doctor` reads it"
        else:
            short = "" if value >= count else ", too few"
            had = f"the account had {value:.0f} on {known.date}{short}"
        yield f"quota: {name}: a step needs {count}; {had}"


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
                yield f"advice, by {identifier(arn)}: {line}"
    except CallRefusedError:
        return


def _where(account: Account) -> str:
    return f"{account.account_id()}/{account.region}"
