"""The platform's configuration files → what a job knows about itself (FACTS 3.4)."""

from __future__ import annotations

import json
import math
import os
import zlib
from pathlib import Path

from .bundle import BY_TOOLKIT
from .errors import JobError
from .layout import Layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Mapping
    from typing import NamedTuple as Record
else:
    from .record import Record

CODE = "code"  # the channel or input of the bundle, not one of the user's
RESERVED = ("sagemaker_", "_tuning_")
"""How the image toolkit's own hyperparameters begin (FACTS 3.3)."""

_PROGRAM = "sagemaker_program"
_FIRST_PORT, _PORTS = 20000, 10000


class Hosts(Record):
    """The hosts of a job.

    Args:
        current: the name of this host.
        names: all of them, sorted; the first one is the master.
        instance_type: of this host; empty if the platform does not state it.
        interface: the network interface for collectives; None if the platform does not state it.
        config: resourceconfig.json as it is.
    """

    current: str
    names: tuple[str, ...]
    instance_type: str
    interface: str | None
    config: dict[str, Any]

    @property
    def rank(self) -> int:
        """The position of this host among all of them."""
        return self.names.index(self.current)

    @property
    def master(self) -> str:
        """The first host, which coordinates the others."""
        return self.names[0]


class Container(Record):
    """The platform's configuration of this job.

    Args:
        job_name: the name of the job, the same on all hosts.
        hosts: its hosts.
        hyperparameters: name → text; empty for a processing job.
        channels: channel or processing input → folder; without the one for the code.
        outputs: processing output → folder.
        input_data_config: inputdataconfig.json as it is.
        isolated: whether the job is known to have no network.
        by_toolkit: whether the image's toolkit started it, with the hyperparameters as arguments.
        decoded: name → value of each hyperparameter, where in AWS the toolkit starts the user's
            program itself, and writes them in its own way; None where this runtime does.
    """

    job_name: str
    hosts: Hosts
    hyperparameters: dict[str, str]
    channels: dict[str, Path]
    outputs: dict[str, Path]
    input_data_config: dict[str, Any]
    isolated: bool
    by_toolkit: bool = False
    decoded: dict[str, Any] | None = None

    @property
    def port(self) -> int:
        """The master's port, derived from the job's name: two jobs on a machine do not collide."""
        return _FIRST_PORT + zlib.crc32(self.job_name.encode()) % _PORTS


def read_container(layout: Layout, environment: Mapping[str, str]) -> Container:
    """Read the configuration files below the root; raises JobError for damaged ones."""
    hosts = _hosts(_read(layout.config_dir / "resourceconfig.json"))
    if layout.processing:
        return _processing(layout, hosts, environment)
    return _training(layout, hosts, environment)


def _training(layout: Layout, hosts: Hosts, environment: Mapping[str, str]) -> Container:
    config = _read(layout.config_dir / "inputdataconfig.json")
    given = _read(layout.config_dir / "hyperparameters.json")
    own = {name: value for name, value in given.items() if not name.startswith(RESERVED)}
    decoded = None
    if decode(given.get(_PROGRAM, BY_TOOLKIT)) != BY_TOOLKIT:
        own = decoded = {name: decode(value) for name, value in own.items()}
    return Container(
        job_name=environment.get("TRAINING_JOB_NAME", ""),
        hosts=hosts,
        hyperparameters={name: _text(value) for name, value in own.items()},
        channels={name: layout.input(name) for name in config if name != CODE},
        outputs={},
        input_data_config=config,
        isolated=False,
        by_toolkit=_PROGRAM in given,
        decoded=decoded,
    )


def _text(value: Any) -> str:
    """Write a hyperparameter as the images' toolkit does in a variable."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, sort_keys=True, separators=(",", ":"))


def decode(value: Any) -> Any:
    """Return a hyperparameter as a JSON value if its text is one, else the text itself."""
    if not isinstance(value, str):
        return value
    try:
        found = json.loads(value)
        return value if isinstance(found, float) and not math.isfinite(found) else found
    except (ValueError, RecursionError):
        return value


def _processing(layout: Layout, hosts: Hosts, environment: Mapping[str, str]) -> Container:
    config = _read(layout.config_dir / "processingjobconfig.json")
    output_config = config.get("ProcessingOutputConfig") or {}
    return Container(
        job_name=config.get("ProcessingJobName") or environment.get("PROCESSING_JOB_NAME", ""),
        hosts=hosts,
        hyperparameters={},
        channels=_local_paths(layout, config.get("ProcessingInputs"), "InputName", "S3Input"),
        outputs=_local_paths(layout, output_config.get("Outputs"), "OutputName", "S3Output"),
        input_data_config={},
        isolated=bool((config.get("NetworkConfig") or {}).get("EnableNetworkIsolation")),
    )


def _local_paths(layout: Layout, entries: Any, key: str, member: str) -> dict[str, Path]:
    """Map the names of inputs or outputs to their folders in the request."""
    paths = {}
    for entry in entries or ():
        name, path = entry.get(key), _local_path(entry, member)
        if name and path and name != CODE:
            paths[name] = layout.locate(path)
    return paths


def _local_path(entry: dict[str, Any], member: str) -> str | None:
    place = entry.get(member) or (entry.get("DatasetDefinition") or {})
    path = place.get("LocalPath")
    return path if isinstance(path, str) else None


def _hosts(config: dict[str, Any]) -> Hosts:
    current = config.get("current_host") or "algo-1"
    names = tuple(sorted(set(config.get("hosts") or ()) | {current}))
    return Hosts(
        current=current,
        names=names,
        instance_type=config.get("current_instance_type") or "",
        interface=config.get("network_interface_name") or None,
        config=config,
    )


def _read(path: Path) -> dict[str, Any]:
    """Read a configuration file; a missing one is empty (the platform omits some)."""
    try:
        data = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise JobError(f"{os.fspath(path)} cannot be read: {error}") from None
    if not isinstance(data, dict):
        raise JobError(f"{os.fspath(path)} is not a JSON object")
    return data
