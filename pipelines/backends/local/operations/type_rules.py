"""The rules of a step Type, which no API shape can express, for the requests of clients."""

from __future__ import annotations

from pipelines.backends.local.errors import invalid
from pipelines.diagnostics import Severity
from pipelines.json_types import JsonObject
from pipelines.steptypes import StepType
from pipelines.steptypes.arguments import check_arguments


def check_rules(step_type: StepType, request: JsonObject) -> None:
    """Refuse a request that breaks the rules of its Type, as `validate` does and the service would.

    Raises:
        ServiceError: ValidationException.
    """
    found = check_arguments(step_type, request, {})
    refused = [one for one in found if one.severity is Severity.ERROR]
    if refused:
        raise invalid("; ".join(one.message for one in refused), refused[0].help)
