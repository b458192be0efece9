"""What a job is given → the /opt/ml of each of its hosts, as the platform would leave it."""

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

MODEL = "model.tar.gz"


@dataclass(frozen=True, slots=True)
class ModelArchive:
    """An input that is a model archive: what it holds, or the archive itself."""

    content: Data


@dataclass(frozen=True, slots=True)
class JobSetup:
    """What a job is given.

    Args:
        job: `training` or `processing`.
        name: the name of the job.
        inputs: channel or processing input → its data.
        outputs: the names of processing outputs.
        hyperparameters: name → text.
        arguments: the words of the command line behind the script.
        environment: further environment variables.
        hosts: how many instances.
    """

    job: Literal["training", "processing"]
    name: str
    inputs: Mapping[str, Data | ModelArchive] = field(default_factory=dict)
    outputs: tuple[str, ...] = ()
    hyperparameters: Mapping[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    hosts: int = 1

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
        if isinstance(data, ModelArchive):
            _pack(data.content, layout.input(name), project)
        else:
            put(data, layout.input(name), project)
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
    """Return the environment of a job: this process's without `SM_*`, and what the job is given."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SM_")}
    name = {"TRAINING_JOB_NAME": setup.name} if setup.job == "training" else {}
    return {**clean, ROOT_VARIABLE: str(layout.root), **name, **setup.environment}


def _pack(model: Data, folder: Path, project: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if isinstance(model, str | Path) and str(model).endswith(".tar.gz"):
        put({MODEL: Path(model)}, folder, project)
        return
    with tempfile.TemporaryDirectory() as content:
        put(model, Path(content), project)
        archive.pack(Path(content), folder / MODEL)


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
    if setup.job == "processing":
        return {"processingjobconfig.json": _processing_config(setup, layout)}
    channel = {
        "TrainingInputMode": "File",
        "S3DistributionType": "FullyReplicated",
        "RecordWrapperType": "None",
    }
    return {
        "inputdataconfig.json": dict.fromkeys(setup.inputs, channel),
        "hyperparameters.json": dict(setup.hyperparameters),
    }


def _processing_config(setup: JobSetup, layout: Layout) -> dict[str, object]:
    def entry(key: str, name: str, member: str, path: Path) -> dict[str, object]:
        return {key: name, member: {"LocalPath": str(path)}}

    inputs = [entry("InputName", name, "S3Input", layout.input(name)) for name in setup.inputs]
    outputs = [entry("OutputName", o, "S3Output", layout.output(o)) for o in setup.outputs]
    return {
        "ProcessingJobName": setup.name,
        "ProcessingInputs": inputs,
        "ProcessingOutputConfig": {"Outputs": outputs},
    }
