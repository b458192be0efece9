"""Every operation of the table, with damaged requests: refused by the service's codes, and whole.

A refused request changes nothing: no row, no file.
"""

from __future__ import annotations

import copy
import json
import random
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipelines.backends.local.api.messages import HttpRequest
from pipelines.backends.local.api.routes import Routes
from pipelines.backends.local.jobs.owners import JobOwner
from pipelines.backends.local.operations.operation import Operation
from pipelines.backends.local.operations.table import operations_of
from pipelines.backends.local.waiting import BLOCKING, in_this_thread
from pipelines.json_types import Json, JsonObject
from pipelines.steptypes.shapes import Shape, ShapeTable, check_request
from tests.everything import EVERYTHING
from tests.local.hosting.conftest import HostedLocal
from tests.local.operations.legal_requests import LEGAL, fill

MUTATIONS = 100 if EVERYTHING else 50
PREFIX = {"sagemaker": "SageMaker", "logs": "Logs_20140328"}
CODES = {
    "ConflictException",
    "NotImplemented",
    "ResourceNotFound",
    "ResourceNotFoundException",
    "SerializationException",
    "ValidationException",
}
OMITTED = {"ModelPackageName", "ModelArtifacts"}
"""Required members that are not there: a version has no name, a running job has no model yet."""
OTHERS: tuple[Json, ...] = (
    None,
    True,
    -1,
    0,
    1e30,
    10**18,
    "",
    "x" * 5000,
    "é\n",
    [],
    {},
    [1],
    {"x": 1},
)
OPERATIONS = [(service, name) for service in PREFIX for name, _ in operations_of(service)]


class World:
    """A local SageMaker with one resource of each kind, and how to see that it changed."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.sagemaker = HostedLocal(home)
        self._owner = JobOwner(home)
        self.names = fill(self.sagemaker, self._owner.name)
        self._database = sqlite3.connect(home / "state.db")

    def send(self, service: str, name: str, request: JsonObject) -> tuple[int, JsonObject]:
        """Send a request as the API receives it; return status and content."""
        headers = {"x-amz-target": f"{PREFIX[service]}.{name}"}
        received = HttpRequest("POST", "/", {}, headers, json.dumps(request).encode())
        response = in_this_thread(Routes(self.sagemaker).find(received).respond(BLOCKING, received))
        assert isinstance(response.body, bytes)
        return response.status, json.loads(response.body)

    def seen(self) -> tuple[int, tuple[str, ...]]:
        """Return what changes with every commit and with every file."""
        (version,) = self._database.execute("PRAGMA data_version").fetchone()
        files = (str(path) for path in self.home.rglob("*") if "state.db" not in path.name)
        return version, tuple(sorted(files))

    def close(self) -> None:
        """Close."""
        self._owner.close()
        self._database.close()
        self.sagemaker.close()


@pytest.fixture
def worlds(tmp_path: Path) -> Iterator[Callable[[], World]]:
    """Return a function that makes a world of its own."""
    made: list[World] = []

    def make() -> World:
        made.append(World(tmp_path / str(len(made)) / ".pipelines"))
        return made[-1]

    yield make
    for world in made:
        world.close()


def mutated(request: JsonObject, operation: Operation, chance: random.Random) -> JsonObject:
    """Damage a request in one to three places that its shape knows, or in one that it does not."""
    damaged: JsonObject = copy.deepcopy(request)
    for _ in range(chance.randint(1, 3)):
        holder, key, shape = _place(damaged, operation, chance)
        match chance.randrange(5):
            case 0 if key in holder:
                del holder[key]
            case 1:
                holder[f"{key}x"] = chance.choice(OTHERS)
            case 2 if shape.type == "string":
                holder[key] = chance.choice(["", "x" * 3000, "no such\n", "ARN:", "-a-", "a/b"])
            case _:
                holder[key] = chance.choice(OTHERS)
    return damaged


def _place(
    request: JsonObject, operation: Operation, chance: random.Random
) -> tuple[JsonObject, str, Shape]:
    """Choose a member at any depth of a request."""
    shapes, shape = operation.shapes, operation.request
    assert shape is not None
    holder = request
    while True:
        key = chance.choice([*shape.members, *holder] or ["x"])
        inner = shapes.get(shape.members[key]) if key in shape.members else Shape("x", "any")
        below = _structure(holder.get(key), inner, shapes)
        if below is None or chance.random() < 0.3:
            return holder, key, inner
        holder, shape = below


def _structure(value: Json, shape: Shape, shapes: ShapeTable) -> tuple[JsonObject, Shape] | None:
    while shape.type == "list" and isinstance(value, list) and value:
        value, shape = value[0], shapes.get(shape.element or "")
    is_structure = shape.type == "structure" and isinstance(value, dict) and shape.members
    return (value, shape) if is_structure else None


@pytest.mark.parametrize(("service", "name"), OPERATIONS)
def test_a_legal_request_is_answered_in_its_shape(
    worlds: Callable[[], World], service: str, name: str
) -> None:
    """The response has no member that the model lacks, and every value fits."""
    world = worlds()
    operation = world.sagemaker.operations.named(service, name)
    response = operation(**LEGAL[name](world.names))
    problems = (
        list(check_request(response, operation.response, operation.shapes))
        if operation.response
        else []
    )
    assert [one.message for one in problems if one.member not in OMITTED] == []


@pytest.mark.parametrize(("service", "name"), OPERATIONS)
def test_a_damaged_request_is_refused_and_changes_nothing(
    worlds: Callable[[], World], service: str, name: str
) -> None:
    """Many of each operation, the same ones each time."""
    world = worlds()
    operation = world.sagemaker.operations.named(service, name)
    chance = random.Random(name)  # noqa: S311 - the same damage in every run
    refused = 0
    for number in range(MUTATIONS):
        request = mutated(LEGAL[name](world.names), operation, chance)
        before = world.seen()
        status, content = world.send(service, name, request)
        if status == 200:
            if world.seen() != before:
                world = worlds()
                operation = world.sagemaker.operations.named(service, name)
            continue
        refused += 1
        assert (status, content["__type"] in CODES) == (400, True), (number, request, content)
        assert content["message"], (number, request)
        assert world.seen() == before, (number, request, content)
    assert refused > MUTATIONS // 4
