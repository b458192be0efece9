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
    from pipelines.backends.local.submit import Submission
    from pipelines.definition.resumed import ResumedTraining
    from pipelines.execution.caller import Caller

_REMOVE = "remove `checkpoints.resume`"


def require_checkpoints(
    caller: Caller, objects: ObjectStore, submission: Submission, without: Container[str]
) -> None:
    """Refuse to start where there is nothing to go on with.

    Of several trainings that come from one step of the spec, as the members of a sweep, one is
    enough: the others begin anew.

    Args:
        caller: carries out calls.
        objects: the object store.
        submission: what is to be started.
        without: the steps that do not run.

    Raises:
        UsageError: the execution is unknown here, has saved nothing, or its training is done.
    """
    together: dict[str, list[UsageError | None]] = {}
    for one in resumed_in(json.loads(submission.definition)):
        if one.step not in without:
            find(caller, (one.pipeline,), one.execution)
            origin = submission.origins.get(one.step, one.step)
            together.setdefault(origin, []).append(_problem(objects, one))
    for problems in together.values():
        found = [one for one in problems if one is not None]
        if len(found) == len(problems):
            raise found[0]


def _problem(objects: ObjectStore, resumed: ResumedTraining) -> UsageError | None:
    """Return why a training cannot go on; None where it can."""
    step, execution = resumed.step, resumed.execution
    if not objects.holds(f"{resumed.uri}/"):
        return UsageError(
            f"execution {execution} has saved no checkpoints of step `{step}`: there is nothing"
            " at " + resumed.uri,
            f"name an execution in which the step had `checkpoints:`, or {_REMOVE}",
        )
    mark = f"{resumed.uri}/{MARK}"
    if objects.exists(mark) and _is_done(objects.get_bytes(mark)):
        return UsageError(
            f"the training of step `{step}` in execution {execution} is done: there is nothing to"
            " resume",
            _REMOVE,
        )
    return None


def _is_done(mark: bytes) -> bool:
    try:
        known = json.loads(mark)
    except ValueError:
        return False
    return isinstance(known, dict) and bool(known.get("done"))
