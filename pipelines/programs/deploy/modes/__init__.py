"""The ways in which an endpoint serves: one module for each, found by its name.

A mode is a key of a deployment in the spec. What the deployer has to know of it is declared in its
module, so that nothing else of the deployer names one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import NamedTuple as Record
else:
    from pipelines.runtime.record import Record


class Mode(Record):
    """What the deployer knows of a way of serving.

    Args:
        name: its key in the spec and its name in the history.
        noun: what a message calls such an endpoint, with its article.
        shows: whether an endpoint config, as DescribeEndpointConfig returns it, is in this mode.
        becomes: the modes that UpdateEndpoint can change such an endpoint to, beside its own.
        takes_rollout: whether UpdateEndpoint takes a DeploymentConfig for such an endpoint.
        chains_containers: whether such an endpoint serves a model of several containers.
        config: the section `aws` of the spec → members of CreateEndpointConfig that only this mode
            has.
        answers_in_s3: whether it is invoked by InvokeEndpointAsync, whose answer is an object.
        is_batch: whether it is no endpoint, but a transform job for each input.
    """

    name: str
    noun: str
    shows: Callable[[Mapping[str, Any]], bool]
    becomes: tuple[str, ...]
    takes_rollout: bool
    chains_containers: bool
    config: Callable[[Mapping[str, Any]], dict[str, Any]]
    answers_in_s3: bool = False
    is_batch: bool = False

    def can_become(self, name: str) -> bool:
        """Return whether an update leads to another mode, or to one that is not known."""
        return name in ("", self.name, *self.becomes)


def volume_key(aws: Mapping[str, Any]) -> dict[str, Any]:
    """Return the key of the instances' volumes, of the section `aws` of the spec."""
    key = aws.get("kms_key")
    return {"KmsKeyId": key} if key else {}


@lru_cache(maxsize=None)  # noqa: UP033 - Python 3.7
def names() -> tuple[str, ...]:
    """Return the names of all modes, sorted: the modules beside this one."""
    return tuple(sorted(file.stem for file in Path(__file__).parent.glob("[!_]*.py")))


def find(name: str) -> Mode:
    """Return the mode of a name, which is one of `names()`."""
    mode: Mode = import_module(f"{__name__}.{name}").MODE
    return mode


def of(config: Mapping[str, Any]) -> Mode:
    """Return the mode of an endpoint config, as DescribeEndpointConfig returns it."""
    return next(mode for mode in map(find, names()) if mode.shows(config))
