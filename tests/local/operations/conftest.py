"""A local SageMaker, and botocore's model to hold its responses against."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import botocore.session
import pytest

from pipelines.backends.local.engine.parts import EngineParts
from pipelines.backends.local.sagemaker import LocalSageMaker
from pipelines.backends.local.settings import LocalSettings
from pipelines.json_types import Json, JsonObject

TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (float, int),
    "double": (float, int),
    "boolean": (bool,),
    "timestamp": (datetime,),
}


RECORDED_WITHOUT = {"ModelPackageName"}
"""What the model requires and the service's recorded answers about versions do not have."""


class TickingClock:
    """A clock that is one second later each time it is read."""

    def __init__(self) -> None:
        self.time = 1_800_000_000.0

    def now(self) -> float:
        """Return seconds since 1970."""
        self.time += 1
        return self.time

    def wait(self, stop: object, seconds: float) -> bool:
        """Wait for nothing."""
        del stop, seconds
        return False


@pytest.fixture
def settings(tmp_path: Path) -> LocalSettings:
    """A machine whose `.pipelines` folder is empty."""
    return LocalSettings(home=tmp_path / ".pipelines", interpreter=Path(sys.executable))


@pytest.fixture
def service(settings: LocalSettings) -> Iterator[LocalSageMaker]:
    """A local SageMaker whose clock ticks with each operation."""
    with LocalSageMaker(settings, EngineParts(clock=TickingClock())) as service:
        yield service


def _problems(shape: Json, value: Json, where: str) -> Iterator[str]:
    """Walk a value along a botocore shape."""
    match shape.type_name:
        case "structure":
            yield from (
                f"{where}.{member} is no member" for member in value.keys() - shape.members.keys()
            )
            missing = set(shape.required_members) - value.keys() - RECORDED_WITHOUT
            yield from (f"{where}.{member} is required" for member in missing)
            for member in value.keys() & shape.members.keys():
                yield from _problems(shape.members[member], value[member], f"{where}.{member}")
        case "list":
            for index, item in enumerate(value):
                yield from _problems(shape.member, item, f"{where}[{index}]")
        case "map":
            for key, item in value.items():
                yield from _problems(shape.value, item, f"{where}[{key}]")
        case kind:
            yield from _scalar_problems(shape, value, where, TYPES[kind])


def _scalar_problems(
    shape: Json, value: Json, where: str, types: tuple[type, ...]
) -> Iterator[str]:
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        yield f"{where} is {type(value).__name__}"
    elif isinstance(value, datetime) and value.tzinfo is None:
        yield f"{where} has no time zone"
    elif isinstance(value, str):
        pattern = shape.metadata.get("pattern", "")
        if shape.enum and value not in shape.enum:
            yield f"{where} is {value}, none of {shape.enum}"
        elif pattern and "\\p" not in pattern and not re.fullmatch(pattern, value):
            yield f"{where} is {value}, not {pattern}"


@pytest.fixture(scope="session")
def conform() -> Callable[[str, JsonObject], None]:
    """Hold a response against its operation's output shape in botocore's model."""
    model = botocore.session.get_session().get_service_model("sagemaker")

    def check(operation: str, response: JsonObject) -> None:
        shape = model.operation_model(operation).output_shape
        if shape is None:
            assert response == {}
        else:
            assert list(_problems(shape, response, operation)) == []

    return check
