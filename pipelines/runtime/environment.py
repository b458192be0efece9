"""The platform's configuration → the `SM_*` variables of the user's code (FACTS 3.2)."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

from .bundle import IMPORT_ROOTS, Job
from .container import Container, decode
from .layout import Layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Mapping
    from typing import NamedTuple as Record
else:
    from .record import Record

_DEVICES = Path("/dev")
_INFO = 20  # of `logging`, whose import would slow every job


class Scratch(Record):
    """The folder that a bundle was unpacked into."""

    folder: Path

    @property
    def code(self) -> Path:
        """The user's code: the working directory of the job."""
        return self.folder / "code"

    @property
    def tool(self) -> Path:
        """The part of `pipelines` that is in the bundle."""
        return self.folder / "tool"

    @property
    def model(self) -> Path:
        """Where the model input is unpacked."""
        return self.folder / "model"


def variable(prefix: str, name: str) -> str:
    """Return the variable for a name: upper case, with `_` for all but A-Z and 0-9."""
    return prefix + re.sub(r"[^A-Z0-9]", "_", name.upper())


def toolkit_variable(prefix: str, name: str) -> str:
    """Return the variable that the images' toolkit has for a name: all of it, in upper case."""
    return prefix + name.upper()


def hyperparameter_arguments(hyperparameters: Mapping[str, str]) -> list[str]:
    """Return hyperparameters as `--key value`; `--key=value` if the value begins with `-`."""
    arguments = []
    for name, value in hyperparameters.items():
        if value.startswith("-"):
            arguments.append(f"--{name}={value}")
        else:
            arguments += [f"--{name}", value]
    return arguments


def toolkit_arguments(values: Mapping[str, Any]) -> list[str]:
    """Return hyperparameters as the images' toolkit writes them: by name, `-e 5` for one letter."""
    arguments = []
    for name, value in sorted(values.items()):
        if isinstance(value, dict):
            text = ",".join(f"{key}={one}" for key, one in sorted(value.items()))
        else:
            text = "" if value is None else str(value)
        arguments += [f"--{name}" if len(name) > 1 else f"-{name}", text]
    return arguments


def arguments_of(container: Container) -> list[str]:
    """Return the hyperparameters as the user's program gets them on its command line."""
    if container.decoded is not None:
        return toolkit_arguments(container.decoded)
    return hyperparameter_arguments(container.hyperparameters)


def build_environment(
    job: Job, layout: Layout, container: Container, model_dir: Path, code: Path
) -> dict[str, str]:
    """Return every `SM_*` variable of the job, as text.

    Args:
        job: its static configuration.
        layout: where the platform's folders are.
        container: the platform's configuration.
        model_dir: where the job reads or writes the model.
        code: the folder with the user's code.
    """
    plain = {**_paths(layout, model_dir), **_cluster(container), **_groups(job, container)}
    decoded = {name: decode(text) for name, text in container.hyperparameters.items()}
    plain["SM_HPS"] = decoded if container.decoded is None else container.decoded
    plain["SM_CHANNELS"] = sorted(container.channels)
    plain["SM_INPUT_DATA_CONFIG"] = container.input_data_config
    plain["SM_RESOURCE_CONFIG"] = container.hosts.config
    if job.checkpoints is not None:
        plain["SM_CHECKPOINT_DIR"] = str(layout.locate(job.checkpoints["folder"]))
    events = (job.tracking or {}).get("tensorboard")
    if events:
        plain["SM_TENSORBOARD_DIR"] = str(layout.locate(events))
    entry = job.program or os.path.relpath(job.script or ".", job.source_dir or ".")
    plain["SM_SOURCE_DIR"] = plain["SM_MODULE_DIR"] = str(code / (job.source_dir or ""))
    plain["SM_ENTRY_SCRIPT"] = plain["SM_USER_ENTRY_POINT"] = entry
    plain["SM_MODULE_NAME"] = re.sub(r"\.py$", "", entry)
    plain["SM_FRAMEWORK_PARAMS"] = {}  # what the toolkits' own hyperparameters leave over
    plain["SM_DISTRIBUTED_CONFIG"] = job.distribution or {}
    plain["SM_LOG_LEVEL"] = _INFO
    described = {_described(name): value for name, value in plain.items()}
    plain["SM_TRAINING_ENV"] = {
        **described,
        "channel_input_dirs": {name: str(path) for name, path in container.channels.items()},
        "job_name": container.job_name,
        "master_hostname": container.hosts.master,
        "is_master": container.hosts.rank == 0,
    }
    plain["SM_USER_ARGS"] = arguments_of(container)
    named = variable if container.decoded is None else toolkit_variable
    return {
        **{name: _text(value) for name, value in plain.items()},
        **{named("SM_CHANNEL_", k): str(v) for k, v in container.channels.items()},
        **{variable("SM_OUT_", k): str(v) for k, v in output_dirs(job, layout, container).items()},
        **{named("SM_HP_", k): v for k, v in container.hyperparameters.items()},
    }


def process_environment(
    outer: Mapping[str, str], variables: Mapping[str, str], scratch: Scratch, job: Job
) -> dict[str, str]:
    """Return the whole environment of the child process.

    PYTHONPATH begins with the folders that the code is imported from, preceded for a program by
    the bundle's own tool.
    """
    first = [str(scratch.tool)] if job.program is not None else []
    own = [job.source_dir] if job.source_dir else []
    found = [scratch.code / root for root in (*own, *IMPORT_ROOTS)]
    roots = [str(root) for root in found if root.is_dir()]
    search = first + roots + [path for path in [outer.get("PYTHONPATH")] if path]
    return {
        "PYTHONUNBUFFERED": "1",  # a job's log is read while it runs
        **outer,
        **variables,
        "PYTHONPATH": os.pathsep.join(search),
    }


def output_dirs(job: Job, layout: Layout, container: Container) -> dict[str, Path]:
    """Map each processing output to its folder: the platform's, or else the conventional one."""
    return {**{name: layout.output(name) for name in job.outputs}, **container.outputs}


def count_gpus(devices: Path = _DEVICES) -> int:
    """Count the NVIDIA GPUs that this container can see."""
    return sum(1 for device in devices.iterdir() if re.fullmatch(r"nvidia\d+", device.name))


def count_neurons(devices: Path = _DEVICES) -> int:
    """Count Neuron cores; 0 if there is no such device."""
    if not (devices / "neuron0").exists():
        return 0
    import subprocess  # noqa: PLC0415 - only where there is a Neuron device to ask about

    try:
        listed = subprocess.run(["neuron-ls", "-j"], stdout=subprocess.PIPE, check=True)  # noqa: S607 - a tool of the image
        return sum(int(device.get("nc_count", 0)) for device in json.loads(listed.stdout))
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        print(f"pipelines: neuron-ls failed ({error}); assuming 0 cores", file=sys.stderr)
        return 0


def _paths(layout: Layout, model_dir: Path) -> dict[str, Any]:
    return {
        "SM_MODEL_DIR": str(model_dir),
        "SM_INPUT_DIR": str(layout.input_dir),
        "SM_INPUT_DATA_DIR": str(layout.data_dir),
        "SM_INPUT_CONFIG_DIR": str(layout.config_dir),
        "SM_OUTPUT_DIR": str(layout.output_dir),
        "SM_OUTPUT_FAILURE": str(layout.failure),
        "SM_OUTPUT_DATA_DIR": str(layout.output_data_dir),
    }


def _cluster(container: Container) -> dict[str, Any]:
    hosts = container.hosts
    return {
        "SM_MASTER_ADDR": hosts.master,
        "SM_MASTER_PORT": container.port,
        "SM_HOSTS": list(hosts.names),
        "SM_CURRENT_HOST": hosts.current,
        "SM_CURRENT_INSTANCE_TYPE": hosts.instance_type,
        "SM_HOST_COUNT": len(hosts.names),
        "SM_CURRENT_HOST_RANK": hosts.rank,
        "SM_NETWORK_INTERFACE_NAME": hosts.interface or "eth0",
        "SM_NUM_CPUS": os.cpu_count() or 1,
        "SM_NUM_GPUS": count_gpus(),
        "SM_NUM_NEURONS": count_neurons(),
    }


def _groups(job: Job, container: Container) -> dict[str, Any]:
    """Describe the instance groups, as the images' toolkit does; nothing where there are none."""
    config = container.hosts.config
    groups = {one["instance_group_name"]: one for one in config.get("instance_groups") or ()}
    if not groups:
        return {}
    current = config.get("current_group_name") or next(iter(groups))
    return {
        "SM_CURRENT_INSTANCE_GROUP": current,
        "SM_CURRENT_INSTANCE_GROUP_HOSTS": groups.get(current, {}).get("hosts") or [],
        "SM_INSTANCE_GROUPS": list(groups),
        "SM_INSTANCE_GROUPS_DICT": groups,
        "SM_DISTRIBUTION_INSTANCE_GROUPS": list(groups) if job.distribution else [],
        "SM_IS_HETERO": len(groups) > 1,
    }


def _described(name: str) -> str:
    key = name[len("SM_") :].lower()
    return {
        "hps": "hyperparameters",
        "channels": "channel_names",
        "framework_params": "additional_framework_parameters",
    }.get(key, key)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
