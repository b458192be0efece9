"""The thread that looks at the jobs of an execution of this process."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pipelines.execution.caller import CallRefusedError
from pipelines.execution.watching import Watched, watching
from pipelines.json_types import JsonObject

DEFINITION = json.dumps({"Version": "2020-12-01", "Steps": []})


@dataclass
class Hesitating:
    """A local SageMaker that refuses the first call."""

    is_local: bool = True
    refused: bool = False
    looked: threading.Event = field(default_factory=threading.Event)

    def call(self, service: str, operation: str, **request: Any) -> JsonObject:
        """Give the definition, but not at once."""
        assert (service, operation) == ("sagemaker", "describe_pipeline_definition_for_execution")
        assert request
        if not self.refused:
            self.refused = True
            raise CallRefusedError("the state is locked")
        return {"PipelineDefinition": DEFINITION}

    def pages(
        self, service: str, operation: str, member: str, **request: Any
    ) -> Iterator[JsonObject]:
        """List no steps."""
        assert (service, operation) == ("sagemaker", "list_pipeline_execution_steps")
        assert member
        assert request
        self.looked.set()
        yield from ()

    def download(self, bucket: str, key: str) -> bytes:
        """Have no objects."""
        raise AssertionError(f"s3://{bucket}/{key}")


def test_a_call_that_is_refused_at_first_does_not_end_the_watching() -> None:
    """The next look asks again."""
    caller = Hesitating()
    with watching(Watched(caller, "arn:execution", 0.001), print):
        assert caller.looked.wait(30)
    assert caller.refused
