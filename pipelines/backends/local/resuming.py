"""`checkpoints: {resume: EXECUTION}`: what there has to be here before such a step can run."""

from __future__ import annotations

import json
from collections.abc import Container
from typing import TYPE_CHECKING

from pipelines.definition.resumed import resumed_in
from pipelines.errors import UsageError
from pipelines.execution.executions import find
from pipelines.runtime.checkpoints import MARK

if TYPE_CHECKING:
    from pipelines.backends.local.objects import ObjectStore
    from pipelines.definition.resumed import ResumedTraining
    from pipelines.execution.caller import Caller

_REMOVE = "remove `checkpoints.resume`"


def require_checkpoints(
    caller: Caller, objects: ObjectStore, definition: str, without: Container[str]
) -> None:
    """Refuse to start where there is nothing to go on with.

    Args:
        caller: carries out calls.
        objects: the object store.
        definition: the definition JSON.
        without: the steps that do not run.

    Raises:
        UsageError: the execution is unknown here, has saved nothing, or its training is done.
    """
    for one in resumed_in(json.loads(definition)):
        if one.step not in without:
            find(caller, (one.pipeline,), one.execution)
            _require_open(objects, one)


def _require_open(objects: ObjectStore, resumed: ResumedTraining) -> None:
    step, execution = resumed.step, resumed.execution
    if not objects.holds(f"{resumed.uri}/"):
        raise UsageError(
            f"execution {execution} has saved no checkpoints of step `{step}`: there is nothing"
            " at " + resumed.uri,
            f"name an execution in which the step had `checkpoints:`, or {_REMOVE}",
        )
    mark = f"{resumed.uri}/{MARK}"
    if objects.exists(mark) and _is_done(objects.get_bytes(mark)):
        raise UsageError(
            f"the training of step `{step}` in execution {execution} is done: there is nothing to"
            " resume",
            _REMOVE,
        )


def _is_done(mark: bytes) -> bool:
    try:
        known = json.loads(mark)
    except ValueError:
        return False
    return isinstance(known, dict) and bool(known.get("done"))
