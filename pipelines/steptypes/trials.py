"""What is told of a job that tries: how far it is, and what it has chosen.

Read out of the Describe response, so that it works on both backends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pipelines.frozen import frozen
from pipelines.json_types import JsonObject


@frozen
class Standing:
    """How far a job that tries is.

    Args:
        done: how many of its jobs have ended.
        most: how many there are at most; None where that is open.
        text: what else is to be said, in one line.
    """

    done: int
    most: int | None
    text: str


@frozen
class Trials:
    """How a job that tries is told of.

    Args:
        type: the step Type that its jobs are of.
        operation: lists its jobs, in boto3's words, given its name.
        member: the list in the response.
        standing: returns how far it is, given its Describe response.
        objective: returns the metric that they are compared by, and its goal.
        chosen: returns the hyperparameters of its best job, as a reference names them below the
            step.
    """

    type: str
    operation: str
    member: str
    standing: Callable[[JsonObject], Standing]
    objective: Callable[[JsonObject], tuple[str, str]]
    chosen: Callable[[JsonObject], Mapping[str, str]]
