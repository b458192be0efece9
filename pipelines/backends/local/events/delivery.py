"""An event and a target → what comes of handing the one to the other, as a line for the log."""

from __future__ import annotations

import hashlib
import json

from pipelines.backends.local.events.rules import EventPath, Target, at, told
from pipelines.backends.local.sagemaker import LocalSageMaker
from pipelines.errors import PipelinesError
from pipelines.json_types import JsonObject


class Delivery:
    """Hands events to targets.

    Args:
        sagemaker: where pipelines are started.
    """

    def __init__(self, sagemaker: LocalSageMaker) -> None:
        self._sagemaker = sagemaker

    def outcome(self, rule: str, target: Target, event: JsonObject) -> str:
        """Hand an event to one target; return what came of it.

        Args:
            rule: the name of the rule or schedule whose target it is.
            target: the target.
            event: the event; the same one starts nothing twice.
        """
        if target.pipeline is not None:
            return self._start(rule, target, event)
        if target.service == "sns":
            return f"{target.name} is told (no mail is sent): {told(rule, target, event)}"
        return f"not handed to {target.arn}: there is no {target.service} here"

    def _start(self, rule: str, target: Target, event: JsonObject) -> str:
        try:
            values = {name: _value(event, value) for name, value in target.parameters.items()}
        except LookupError as error:
            return f"{target.pipeline} was not started: the event has nothing at {error.args[0]}"
        parameters = [{"Name": name, "Value": value} for name, value in values.items()]
        try:
            started = self._sagemaker.start_pipeline_execution(
                PipelineName=target.pipeline,
                ClientRequestToken=_token(rule, target, event),
                **({"PipelineParameters": parameters} if parameters else {}),
            )
        except PipelinesError as error:
            return f"{target.pipeline} was not started: {error.problem}"
        execution = started["PipelineExecutionArn"].rpartition("/")[2]
        return f"started {target.pipeline}: {execution}"


def _value(event: JsonObject, written: str) -> str:
    """Return what a parameter gets: what is written, or what is at its path, JSON but for texts."""
    found = at(event, written) if isinstance(written, EventPath) else written
    return found if isinstance(found, str) else json.dumps(found)


def _token(rule: str, target: Target, event: JsonObject) -> str:
    """Return what is the same when the same event is handed to the same target again."""
    words = "\n".join((event["id"], rule, target.id, target.arn))
    return hashlib.sha256(words.encode()).hexdigest()
