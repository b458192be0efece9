"""The `SM_*` variables of a job, set in the process of a test."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict, Unpack

from pipelines.runtime.bundle import Job
from pipelines.runtime.container import read_container
from pipelines.runtime.environment import build_environment
from pipelines.testing.data import Data
from pipelines.testing.hosts import JobSetup, host_environment, prepare
from pipelines.testing.options import check_options, texts


class EnvironmentOptions(TypedDict, total=False):
    """What the variables speak of.

    channels: channel or input → data, found in SM_CHANNEL_<NAME>.
    outputs: names, found in SM_OUT_<NAME>.
    hyperparameters: name → value, found in SM_HP_<NAME> and SM_HPS.
    """

    channels: Mapping[str, Data]
    outputs: Sequence[str]
    hyperparameters: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class JobFolders:
    """The folders that the code under test reads and writes.

    Args:
        model: SM_MODEL_DIR.
        output_data: SM_OUTPUT_DATA_DIR.
        channels: name → SM_CHANNEL_<NAME>.
        outputs: name → SM_OUT_<NAME>.
    """

    model: Path
    output_data: Path
    channels: Mapping[str, Path]
    outputs: Mapping[str, Path]


@contextmanager
def environment(
    folder: Path, project: Path, **options: Unpack[EnvironmentOptions]
) -> Iterator[JobFolders]:
    """Set every variable of a job on one host, and put the process's environment back afterwards.

    Args:
        folder: an empty or missing folder that stands for /opt/ml.
        project: where relative data paths begin.
        options: see `EnvironmentOptions`.
    """
    check_options(options, EnvironmentOptions.__optional_keys__)
    outputs = tuple(options.get("outputs", ()))
    setup = JobSetup(
        job="training",
        name="test",
        inputs=options.get("channels", {}),
        hyperparameters=texts(options.get("hyperparameters", {}), "hyperparameters"),
    )
    layout = prepare(setup, "algo-1", folder, project)
    outer = host_environment(setup, layout)
    container = read_container(layout, outer)
    places = {name: folder / "processing" / "output" / name for name in outputs}
    for place in places.values():
        place.mkdir(parents=True)
    container = container._replace(outputs=places)
    job = Job("test", "training")
    variables = build_environment(job, layout, container, layout.model_dir, project)
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update({**outer, **variables})
    try:
        yield JobFolders(layout.model_dir, layout.output_data_dir, container.channels, places)
    finally:
        os.environ.clear()
        os.environ.update(before)
