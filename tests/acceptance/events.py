"""The events that a SageMaker sends: in an account through a rule and a queue."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from pipelines.frozen import frozen
from pipelines.json_types import JsonObject

_PROBE = "pipelines.acceptance"
_NOUNS = ("endpoint", "model-package", "pipeline", "transform-job")
_LONGEST = 180.0
"""Seconds after which an event counts as not sent."""


class NoEventsError(Exception):
    """A run receives no events at all, not even its own."""


class EventSource(Protocol):
    """Gives each event once."""

    def new(self) -> list[JsonObject]:
        """Return the events since the last call; it may wait for some."""
        ...


class Events:
    """All events that a run has received.

    Args:
        source: where they come from; None where there is no permission to receive any.
        problem: why, in that case.
        patience: seconds after which an event counts as not sent.
    """

    def __init__(
        self, source: EventSource | None, problem: Exception | None, patience: float
    ) -> None:
        self._source = source
        self._problem = problem
        self._patience = min(patience, _LONGEST)
        self._seen: list[JsonObject] = []

    def first(self, detail_type: str, **detail: object) -> JsonObject:
        """Return the first event of a type whose detail has these members; wait for it.

        Raises:
            Exception: why none can be received.
            AssertionError: it does not come.
        """
        if self._source is None:
            assert self._problem is not None
            raise self._problem
        end = time.monotonic() + self._patience
        while True:
            self._seen += self._source.new()
            for event in self._seen:
                if (
                    event["detail-type"] == detail_type
                    and detail.items() <= event["detail"].items()
                ):
                    return event
            assert time.monotonic() < end, f"no event {detail_type} with {detail}"


@frozen
class Queue:
    """An SQS queue that a rule sends events to."""

    sqs: Any
    url: str

    def new(self) -> list[JsonObject]:
        """Receive events; wait some seconds for one."""
        received = self.sqs.receive_message(
            QueueUrl=self.url, WaitTimeSeconds=2, MaxNumberOfMessages=10
        )
        messages = received.get("Messages", [])
        for one in messages:
            self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=one["ReceiptHandle"])
        return [json.loads(one["Body"]) for one in messages]


@contextmanager
def received_in_account(
    client: Callable[[str], Any], prefix: str, role: str, tags: list[dict[str, str]]
) -> Iterator[EventSource]:
    """Make a rule and a queue for the events of a run, and delete them at the end."""
    sqs, events, name = client("sqs"), client("events"), f"{prefix}-events"
    values = {one["Key"]: one["Value"] for one in tags}
    url = sqs.create_queue(QueueName=name, tags=values)["QueueUrl"]
    try:
        queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        arn = queue["Attributes"]["QueueArn"]
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": _policy(arn)})
        pattern = _pattern(arn, role, prefix)
        events.put_rule(Name=name, EventPattern=json.dumps(pattern), Tags=tags)
        events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn}])
        source = Queue(sqs, url)
        _prove(events, source, pattern["resources"][0]["prefix"])
        yield source
    finally:
        delete_rule(events, name)
        sqs.delete_queue(QueueUrl=url)


def delete_rule(events: Any, name: str) -> None:
    """Delete a rule with its targets, if it is there."""
    try:
        targets = events.list_targets_by_rule(Rule=name)["Targets"]
    except events.exceptions.ResourceNotFoundException:
        return
    if targets:
        events.remove_targets(Rule=name, Ids=[one["Id"] for one in targets])
    events.delete_rule(Name=name)


def _policy(queue: str) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue,
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _pattern(queue: str, role: str, prefix: str) -> JsonObject:
    """Take the events of the run's own resources, and the probe."""
    _, partition, _, region, _, _ = queue.split(":", 5)
    place = f"arn:{partition}:sagemaker:{region}:{role.split(':')[4]}"
    resources = [{"prefix": f"{place}:{noun}/{prefix}-"} for noun in _NOUNS]
    return {"source": ["aws.sagemaker", _PROBE], "resources": resources}


def _prove(events: Any, source: EventSource, resource: str) -> None:
    """Send an event of the run's own until one arrives: a new rule takes a while."""
    probe = {
        "Source": _PROBE,
        "DetailType": "probe",
        "Detail": "{}",
        "Resources": [f"{resource}probe"],
    }
    end = time.monotonic() + _LONGEST
    while not source.new():
        if time.monotonic() > end:
            raise NoEventsError("the rule sends no events to the queue")
        events.put_events(Entries=[probe])
