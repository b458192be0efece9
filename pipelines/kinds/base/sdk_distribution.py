"""`distribution` as SageMaker's SDK and others write it → how it is written here.

The SDK's keys: `distribution` of its estimators (v2, `fw_utils.py`, `validate_distribution`), and
the classes of `distributed=` (v3, `Torchrun`, `MPI`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from pipelines.json_types import Json, JsonObject

_TORCHRUN: Final[JsonObject] = {"launcher": "torchrun"}
_MPI: Final[JsonObject] = {"launcher": "mpi"}
_MIRRORED: Final[JsonObject] = {"launcher": "tensorflow"}

_WORDS: Final[Mapping[str, JsonObject]] = {
    "accelerate": _TORCHRUN,
    "dataparallel": {"launcher": "smddp"},
    "ddp": _TORCHRUN,
    "deepspeed": _TORCHRUN,
    "fsdp": _TORCHRUN,
    "horovod": _MPI,
    "modelparallel": {"launcher": "smp"},
    "mpirun": _MPI,
    "multiworkermirrored": _MIRRORED,
    "multiworkermirroredstrategy": _MIRRORED,
    "openmpi": _MPI,
    "parameterserver": {"launcher": "tensorflow", "strategy": "parameter_server"},
    "pytorch": _TORCHRUN,
    "pytorchddp": _TORCHRUN,
    "pytorchxla": _TORCHRUN,
    "smdataparallel": {"launcher": "smddp"},
    "smdistributed": {"launcher": "smddp"},
    "smmodelparallel": {"launcher": "smp"},
    "torch": _TORCHRUN,
    "torchdistributed": _TORCHRUN,
}
_OWN: Final = {
    "torchrun": _TORCHRUN,
    "mpi": _MPI,
    "smddp": {"launcher": "smddp"},
    "smp": {"launcher": "smp"},
}
"""What is a launcher here, and stands as a key in the SDK's mapping."""

_OPTIONS: Final = "custom_mpi_options"
_COUNTS: Final = frozenset(
    {"processes_per_host", "process_count_per_node", "processes_per_node", "nproc_per_node"}
)


def from_text(word: str) -> JsonObject | None:
    """Return the mapping that a word for a launcher means; None where it is no such word."""
    return _WORDS.get(_plain(word))


def from_mapping(given: Mapping[str, Json]) -> tuple[str, JsonObject | None] | None:
    """Return the key of a mapping that is of the SDK, and what it means; None where none is.

    It means nothing where it is not enabled.
    """
    if "launcher" in given:
        return None
    for key, settings in given.items():
        word = settings if key == "type" and isinstance(settings, str) else key
        found = {**_WORDS, **_OWN}.get(_plain(word))
        if found is None:
            continue
        told = settings if isinstance(settings, dict) else {}
        if told.get("enabled") is False or settings is False:
            return key, None
        if "modelparallel" in told:
            found = {"launcher": "smp"}
        return key, {**found, **_settings(found, {**given, **told})}
    return None


def written(mapping: JsonObject) -> str:
    """Write a mapping in one line as it stands in a spec, as one word where that says it."""
    if list(mapping) == ["launcher"]:
        return f"distribution: {mapping['launcher']}"
    parts = (
        f"{key}: {json.dumps(value) if key == _OPTIONS else value}"
        for key, value in mapping.items()
    )
    return f"distribution: {{{', '.join(parts)}}}"


def _settings(found: JsonObject, told: Mapping[str, Json]) -> JsonObject:
    """Return what else is said of the processes, as far as the launcher takes it."""
    settings: JsonObject = {}
    if found["launcher"] in ("torchrun", "mpi", "smp"):
        count = next((told[key] for key in told if key in _COUNTS), None)
        if isinstance(count, int) and not isinstance(count, bool):
            settings["processes_per_host"] = count
    options = told.get(_OPTIONS)
    if found["launcher"] in ("mpi", "smddp") and isinstance(options, str) and options:
        settings[_OPTIONS] = options
    return settings


def _plain(word: str) -> str:
    return word.casefold().replace("_", "").replace("-", "").replace(".", "").replace(" ", "")
