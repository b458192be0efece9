"""What a command looks at, as a source of results; and the output that a user names."""

from __future__ import annotations

from pipelines.cli.scope import Scope
from pipelines.diagnostics.nearest import nearest
from pipelines.errors import UsageError
from pipelines.execution.identifiers import LATEST, generations_back
from pipelines.results.outputs import Output
from pipelines.results.run import ExecutionResult, read_execution
from pipelines.results.source import ResultSource

_FIRST = ("pages", "pictures", "report", "model", "data")
"""Which of several outputs of a step shows most."""


def source_of(scope: Scope) -> ResultSource:
    """Return where the results of what a command looks at are."""
    return ResultSource(scope.caller, scope.path_of)


def find_result(scope: Scope, name: str) -> ExecutionResult:
    """Read an execution that is given by its id, its ARN, or as `latest~1`.

    Raises:
        UsageError: there is none.
    """
    return read_execution(source_of(scope), scope.find(name))


def execution_and_output(
    scope: Scope, words: tuple[str, ...]
) -> tuple[ExecutionResult, str | None]:
    """Read `[EXECUTION] [STEP[.OUTPUT]]`: one word alone is an output of the latest execution.

    Raises:
        UsageError: there is no such execution.
    """
    if not words:
        return find_result(scope, LATEST), None
    first, *rest = words
    if not rest and generations_back(first) is None and not first.startswith("arn:"):
        return _either(scope, first)
    return find_result(scope, first), next(iter(rest), None)


def _either(scope: Scope, word: str) -> tuple[ExecutionResult, str | None]:
    """Read one word: a step or an output of the latest execution, else an execution."""
    latest = find_result(scope, LATEST)
    names = {step.name for step in latest.steps}
    if "." in word or word in names:
        return latest, word
    try:
        return find_result(scope, word), None
    except UsageError:
        if nearest(word, names):
            return latest, word
        raise


def chosen(outputs: tuple[Output, ...], address: str | None, run: str) -> tuple[Output, ...]:
    """Choose the outputs of a step, or one; the one that shows most first.

    Raises:
        UsageError: there is none of that name.
    """
    if address is None:
        return outputs
    found = [one for one in outputs if address in {one.step, one.address}]
    if found:
        return tuple(sorted(found, key=lambda one: _FIRST.index(one.sort)))
    known = [one.address for one in outputs]
    steps = list(dict.fromkeys(one.step for one in outputs))
    first = known if "." in address else steps
    close = nearest(address, first) or nearest(address.partition(".")[0], [*steps, *known])
    names = ", ".join(known) or "none"
    advice = f"did you mean `{close}`?" if close else f"its outputs: {names}"
    raise UsageError(f"execution {run} has no output `{address}`", advice)
