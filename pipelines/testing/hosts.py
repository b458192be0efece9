"""A job's description → the /opt/ml of each of its hosts, as the platform would leave it."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pipelines.runtime import archive
from pipelines.runtime.layout import ROOT_VARIABLE, Layout
from pipelines.testing.data import Data, put

MODEL_INPUT = "model"


@dataclass(frozen=True, slots=True)
class JobSetup:
    """What a job is given.

    Args:
        job: `training` or `processing`.
        name: the name of the job.
        inputs: channel or processing input → its data.
        outputs: the names of processing outputs.
        hyperparameters: name → value; anything but text is written as JSON.
        hosts: how many instances.
        model: what model.tar.gz of the input `model` holds, or None.
    """

    job: Literal["training", "processing"]
    name: str
    inputs: Mapping[str, Data] = field(default_factory=dict)
    outputs: tuple[str, ...] = ()
    hyperparameters: Mapping[str, object] = field(default_factory=dict)
    hosts: int = 1
    model: Data | None = None

    @property
    def host_names(self) -> list[str]:
        """`algo-1`, or loopback addresses where hosts have to find each other."""
        if self.hosts == 1:
            return ["algo-1"]
        return [f"127.0.0.{number}" for number in range(1, self.hosts + 1)]


def prepare(setup: JobSetup, host: str, root: Path, project: Path) -> Layout:
    """Make the root folder of one host: data, configuration files, and empty outputs."""
    layout = Layout(root, setup.job)
    for name, data in setup.inputs.items():
        put(data, layout.input(name), project)
    if setup.model is not None:
        _pack_model(setup.model, layout, project)
    layout.config_dir.mkdir(parents=True)
    configs = {"resourceconfig.json": _resources(setup, host), **_configs(setup, layout)}
    for name, content in configs.items():
        (layout.config_dir / name).write_text(json.dumps(content), encoding="utf-8")
    for output in setup.outputs:
        layout.output(output).mkdir(parents=True)
    for folder in (layout.model_dir, layout.output_data_dir, layout.failure.parent):
        folder.mkdir(parents=True, exist_ok=True)
    return layout


def host_environment(setup: JobSetup, layout: Layout) -> dict[str, str]:
    """Return this process's environment as a job would see it: no `SM_*` but its own root."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SM_")}
    name = {"TRAINING_JOB_NAME": setup.name} if setup.job == "training" else {}
    return {**clean, ROOT_VARIABLE: str(layout.root), **name}


def _pack_model(model: Data, layout: Layout, project: Path) -> None:
    layout.input(MODEL_INPUT).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        put(model, Path(folder), project)
        archive.pack(Path(folder), layout.input(MODEL_INPUT) / "model.tar.gz")


def _resources(setup: JobSetup, host: str) -> dict[str, object]:
    common: dict[str, object] = {"current_host": host, "hosts": setup.host_names}
    if setup.job == "processing":
        return common
    group = {"instance_group_name": "homogeneousCluster", "instance_type": "local"}
    return {
        **common,
        "current_instance_type": "local",
        "current_group_name": group["instance_group_name"],
        "instance_groups": [{**group, "hosts": setup.host_names}],
        "network_interface_name": "lo0" if sys.platform == "darwin" else "lo",
    }


def _configs(setup: JobSetup, layout: Layout) -> dict[str, object]:
    names = [*setup.inputs, *([MODEL_INPUT] if setup.model is not None else [])]
    if setup.job == "processing":
        return {"processingjobconfig.json": _processing_config(setup, layout, names)}
    channel = {
        "TrainingInputMode": "File",
        "S3DistributionType": "FullyReplicated",
        "RecordWrapperType": "None",
    }
    return {
        "inputdataconfig.json": dict.fromkeys(names, channel),
        "hyperparameters.json": {k: as_text(v) for k, v in setup.hyperparameters.items()},
    }


def _processing_config(setup: JobSetup, layout: Layout, names: list[str]) -> dict[str, object]:
    def entry(key: str, name: str, member: str, path: Path) -> dict[str, object]:
        return {key: name, member: {"LocalPath": str(path)}}

    inputs = [entry("InputName", name, "S3Input", layout.input(name)) for name in names]
    outputs = [entry("OutputName", o, "S3Output", layout.output(o)) for o in setup.outputs]
    return {
        "ProcessingJobName": setup.name,
        "ProcessingInputs": inputs,
        "ProcessingOutputConfig": {"Outputs": outputs},
    }


def as_text(value: object) -> str:
    """Return a hyperparameter or argument as the definition would carry it."""
    return value if isinstance(value, str) else json.dumps(value)
