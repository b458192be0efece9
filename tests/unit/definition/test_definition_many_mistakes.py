from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import pytest

from pipelines.definition import check_definition
from pipelines.json_types import JsonObject
from tests.everything import EVERYTHING
from tests.growth import LIMIT, growth

pytestmark = pytest.mark.no_cover

FEW: Final = 400 if EVERYTHING else 200


IN_QUICK: Final = frozenset(("unknown parameters", "unknown steps", "a cycle"))
"""`make quick` leaves the others out."""


def _definition(*steps: JsonObject, parameters: Any = ()) -> JsonObject:
    return {"Version": "2020-12-01", "Parameters": [*parameters], "Steps": [*steps]}


def _fail(name: str, **more: Any) -> JsonObject:
    return {"Name": name, "Type": "Fail", "Arguments": {"ErrorMessage": "m"}, **more}


def _job(many: int) -> JsonObject:
    """Return a step with so many outputs and property files."""
    outputs = [{"OutputName": f"o{n}"} for n in range(many)]
    files = [
        {"PropertyFileName": f"f{n}", "OutputName": f"q{n}", "FilePath": "a"} for n in range(many)
    ]
    arguments = {"ProcessingOutputConfig": {"Outputs": outputs}}
    return {"Name": "job", "Type": "Processing", "Arguments": arguments, "PropertyFiles": files}


def _reading(many: int, get: str) -> JsonObject:
    values = [{"Get": get.replace("#", str(n))} for n in range(many)]
    return _fail("end", Arguments={"ErrorMessage": {"Std:Join": {"On": "", "Values": values}}})


DEFINITIONS: Final[Mapping[str, Callable[[int], JsonObject]]] = {
    "unknown steps": lambda n: _definition(
        *(_fail(f"s{i}", DependsOn=[f"t{i}"]) for i in range(n))
    ),
    "unknown parameters": lambda n: _definition(
        _reading(n, "Parameters.q#"),
        parameters=[{"Name": f"p{i}", "Type": "String"} for i in range(n)],
    ),
    "unknown outputs": lambda n: _definition(
        _job(n), _reading(n, "Steps.job.ProcessingOutputConfig.Outputs['q#'].S3Output.S3Uri")
    ),
    "unknown property files": lambda n: _definition(
        _job(n), _reading(n, "Steps.job.PropertyFiles.q#")
    ),
    "a cycle": lambda n: _definition(
        *(_fail(f"s{i}", DependsOn=[f"s{(i + 1) % n}"]) for i in range(n))
    ),
    "unknown keys": lambda n: _definition(_fail("s", **{f"Key{i}": 1 for i in range(n)})),
    "the same name": lambda n: _definition(*(_fail("s") for _ in range(n))),
}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name in IN_QUICK else pytest.mark.slow, id=name)
        for name in DEFINITIONS
    ],
)
def test_time_grows_with_the_number_of_mistakes_not_with_its_square(name: str) -> None:
    """Whoever sends a definition to the API may have made as many as fit into it."""
    assert check_definition(DEFINITIONS[name](8))
    assert growth(lambda many: check_definition(DEFINITIONS[name](many)), FEW) < LIMIT
