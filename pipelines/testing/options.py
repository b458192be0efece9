"""Keyword arguments of the fixtures → checked values, or a TypeError that says what is wrong."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, TypedDict

from pydantic_core import PydanticCustomError

from pipelines.diagnostics.nearest import nearest
from pipelines.files import real
from pipelines.json_types import JsonObject
from pipelines.spec.values import literal_scalar, scalar_text
from pipelines.testing.data import Data

_MAPPINGS = ("channels", "inputs", "hyperparameters", "arguments", "environment", "parameters")
_LISTS = ("outputs", "requirements", "include")
_LAUNCHERS = ("torchrun", "mpi", "tensorflow")
_NUMBERS = {
    "hosts": (int, "a number of instances, 1 or more"),
    "processes_per_host": (int, "a number of processes, 1 or more, or None"),
    "timeout": (int | float, "a number of seconds above 0"),
}


class JobOptions(TypedDict, total=False):
    """What any job may be given.

    hosts: how many instances, each a process with its own /opt/ml (default 1).
    distribution: the launcher, or None for one process per host.
    processes_per_host: for the launcher (default: GPUs, Neuron cores, or 1).
    requirements: lines of a requirements file; installed where they are not met.
    environment: further environment variables.
    timeout: seconds after which the job is killed (default 600).
    """

    hosts: int
    distribution: Literal["torchrun", "mpi", "tensorflow"] | None
    processes_per_host: int | None
    requirements: Sequence[str]
    environment: Mapping[str, object]
    timeout: float


class ScriptOptions(JobOptions, total=False):
    """What the job of a script may be given.

    include: files, folders or globs of the project that the code needs besides its imports.
    """

    include: Sequence[str | os.PathLike[str]]


class TrainingOptions(ScriptOptions, total=False):
    """What a training job may be given: channel → data, and hyperparameters."""

    channels: Mapping[str, Data]
    hyperparameters: Mapping[str, object]


class ProcessingOptions(ScriptOptions, total=False):
    """What a processing job may be given.

    inputs: name → data.
    outputs: names; a script finds their folders in SM_OUT_<NAME>.
    arguments: `--key value` of the script.
    model: what model.tar.gz holds, such as the `model` of a training's result; the script finds
        it unpacked in SM_MODEL_DIR.
    """

    inputs: Mapping[str, Data]
    outputs: Sequence[str]
    arguments: Mapping[str, object]
    model: Data


class StepOptions(JobOptions, total=False):
    """What a step of the spec may be given; all else is taken from there.

    inputs: name → data; an input from local data or from a gate need not be given.
    model: what model.tar.gz holds, such as the `model` of a training's result.
    parameters: of the pipeline; the others have their defaults.
    arguments: instead of or besides those of a processing step.
    hyperparameters: instead of or besides those of a training step.
    environment: instead of or besides the step's variables.
    requirements: lines instead of the step's.
    """

    inputs: Mapping[str, Data]
    model: Data
    parameters: Mapping[str, object]
    arguments: Mapping[str, object]
    hyperparameters: Mapping[str, object]


def check_options(given: Mapping[str, object], known: frozenset[str]) -> None:
    """Refuse unknown options and those of another type: type checkers see them, pytest does not.

    Raises:
        TypeError: names the option, and what there is or how it is written.
    """
    for name, value in given.items():
        if name not in known:
            close = nearest(name, sorted(known))
            listed = f"the options are {', '.join(sorted(known))}"
            advice = f"did you mean `{close}`?" if close else listed
            raise TypeError(f"there is no option `{name}`: {advice}")
        if name in _MAPPINGS:
            _check_names(name, value)
        if name in _LISTS:
            _check_list(name, value)
        if name in _NUMBERS:
            _check_number(name, value)
        if name == "distribution" and value not in (None, *_LAUNCHERS):
            raise TypeError(f"`distribution` is {' or '.join(_LAUNCHERS)}, not {value!r}")


def check_name(name: object) -> None:
    """Refuse what is not the name of a step.

    Raises:
        TypeError: it is not a text.
    """
    if not isinstance(name, str):
        raise TypeError(f'a step is named by a text, as in step("train"), not {name!r}')


def _check_names(option: str, value: object) -> None:
    if not isinstance(value, Mapping):
        raise TypeError(f"`{option}` is a mapping of names to values, not {value!r}")
    for name in value:
        if not isinstance(name, str):
            raise TypeError(f"the names in `{option}` are texts, not {name!r}")


def _check_list(option: str, value: object) -> None:
    if isinstance(value, str | os.PathLike) or not isinstance(value, Sequence):
        raise TypeError(f"`{option}` is a list: write [{value!r}]")
    if isinstance(value, bytes | bytearray):
        raise TypeError(f"`{option}` is a list of texts, not {value!r}")
    kinds = str | os.PathLike if option == "include" else str
    for item in value:
        if not isinstance(item, kinds):
            raise TypeError(f"`{option}` is a list of texts: {item!r} is none")


def _check_number(option: str, value: object) -> None:
    kind, what = _NUMBERS[option]
    if value is None and option == "processes_per_host":
        return
    if isinstance(value, bool) or not isinstance(value, kind) or not value > 0:
        raise TypeError(f"`{option}` is {what}, not {value!r}")


def texts(given: Mapping[str, object], option: str) -> dict[str, str]:
    """Return the values of an option as the definition carries them.

    Raises:
        TypeError: one is not a text, a number or true/false.
    """
    return {name: _text(value, f"{option}.{name}") for name, value in given.items()}


def words(arguments: Mapping[str, str]) -> tuple[str, ...]:
    """Return arguments as `ContainerArguments` has them."""
    return tuple(word for name, value in arguments.items() for word in (f"--{name}", value))


def distribution(options: JobOptions) -> JsonObject | None:
    """Return the launcher that was asked for, as job.json has it."""
    launcher = options.get("distribution")
    if launcher is None:
        return None
    return {"launcher": launcher, "processes_per_host": options.get("processes_per_host")}


def project_path(path: str | os.PathLike[str], project: Path) -> str:
    """Return a path as the spec writes it: relative to the project.

    One that leads elsewhere stays absolute, which no bundle accepts.

    Raises:
        TypeError: it is not a path.
    """
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"a path is a text or a Path, not {path!r}")
    given = Path(path)
    for one, folder in ((given, project), (real(given), real(project))):
        if given.is_absolute() and one.is_relative_to(folder):
            return one.relative_to(folder).as_posix()
    return given.as_posix()


def _text(value: object, where: str) -> str:
    try:
        return scalar_text(literal_scalar(value))
    except PydanticCustomError as mistake:
        raise TypeError(f"`{where}` {mistake.message()}") from None
