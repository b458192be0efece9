"""The definition in a request: refused for what `validate` refuses."""

from __future__ import annotations

from pipelines.backends.local.errors import invalid, validated
from pipelines.definition.validator import check_definition
from pipelines.diagnostics import Severity
from pipelines.diagnostics.sentences import counted
from pipelines.execution.schedule import read_schedule


def refuse_definition(text: str) -> None:
    """Refuse a definition that cannot be run, or that has errors.

    Raises:
        ServiceError: ValidationException, with the first error and its place.
    """
    with validated():
        document = read_schedule(text).document
    errors = [one for one in check_definition(document) if one.severity is Severity.ERROR]
    if errors:
        first, more = errors[0], len(errors) - 1
        at = ".".join(map(str, first.path)) or "its top"
        others = f" (and {counted(more, 'more error')})" if more else ""
        raise invalid(
            f"the pipeline definition is not valid: {first.message}, at {at}{others}", first.help
        )
