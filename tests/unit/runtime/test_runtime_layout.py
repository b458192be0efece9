from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipelines.runtime import environment
from pipelines.runtime.bundle import Job
from pipelines.runtime.command import processes_per_host
from pipelines.runtime.cuda import library_path
from pipelines.runtime.environment import count_gpus, variable
from pipelines.runtime.layout import Layout


def test_the_layout_is_that_of_the_container() -> None:
    """The paths of FACTS 3.4, for both kinds of job."""
    training = Layout.from_environment({}, "training")
    processing = Layout.from_environment({}, "processing")
    assert str(training.input("train")) == "/opt/ml/input/data/train"
    assert str(training.config_dir) == "/opt/ml/input/config"
    assert str(training.failure) == "/opt/ml/output/failure"
    assert str(processing.input("a")) == "/opt/ml/processing/input/a"
    assert str(processing.output("b")) == "/opt/ml/processing/output/b"
    assert str(processing.config_dir) == "/opt/ml/config"
    assert str(processing.failure) == "/opt/ml/output/message"


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("/opt/ml/processing/input/a", "/job/opt/ml/processing/input/a"),
        ("/job/opt/ml/processing/input/a", "/job/opt/ml/processing/input/a"),
        ("/opt/mlx/a", "/opt/mlx/a"),
        ("/data", "/data"),
    ],
)
def test_a_path_of_a_config_file_is_found_below_the_root(given: str, found: str) -> None:
    """Whether or not the local SageMaker has rewritten it already."""
    assert Layout(Path("/job/opt/ml"), "processing").locate(given) == Path(found)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("train", "SM_CHANNEL_TRAIN"), ("my-data.v2", "SM_CHANNEL_MY_DATA_V2"), ("é", "SM_CHANNEL__")],
)
def test_a_variable_holds_only_letters_digits_and_underscores(name: str, expected: str) -> None:
    """Names with `-` or `.` break the SDK's environment file (FACTS 3.2)."""
    assert variable("SM_CHANNEL_", name) == expected


def test_gpus_are_counted_by_their_devices(tmp_path: Path) -> None:
    """Control devices such as nvidiactl are no GPUs."""
    for name in ("nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm", "null"):
        (tmp_path / name).touch()
    assert count_gpus(tmp_path) == 2


def test_a_host_runs_a_process_for_each_gpu_or_neuron_core(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As SageMaker's SDK counts them: the step's number first, and at least one."""
    (tmp_path / "neuron0").touch()
    tool = tmp_path / "neuron-ls"
    tool.write_text('#!/bin/sh\necho \'[{"nc_count": 2}, {"nc_count": 2}]\'\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(environment.count_neurons, "__defaults__", (tmp_path,))
    monkeypatch.setattr(environment.count_gpus, "__defaults__", (tmp_path,))
    job = Job("s", "training", "a.py", None, {}, None, {"launcher": "torchrun"})
    assert processes_per_host(job) == 4
    (tmp_path / "nvidia0").touch()
    assert processes_per_host(job) == 1
    own = job._replace(distribution={"launcher": "torchrun", "processes_per_host": 3})
    assert processes_per_host(own) == 3


@pytest.mark.parametrize(
    ("driver", "before", "expected"),
    [
        ("550.163.01", "", {"LD_LIBRARY_PATH": "COMPAT"}),
        ("550.163.01", "/usr/lib", {"LD_LIBRARY_PATH": "COMPAT:/usr/lib"}),
        ("580.65.06", "", {}),
        ("590.1", "/usr/lib", {}),
        (None, "", {}),
    ],
)
def test_compatibility_libraries_are_taken_when_the_driver_is_older(
    tmp_path: Path, driver: str | None, before: str, expected: dict[str, str]
) -> None:
    """Under an own entry point the image's start command does not do it (FACTS 11.9)."""
    for name in ("libcuda.so", "libcuda.so.1", "libcuda.so.580.65.06"):
        (tmp_path / name).touch()
    version = tmp_path / "version"
    if driver:
        version.write_text(
            f"NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  {driver}  Release Build\n"
            "GCC version:  gcc version 11.4.0\n"
        )
    found = library_path({"LD_LIBRARY_PATH": before}, tmp_path, version)
    assert found == {k: v.replace("COMPAT", str(tmp_path)) for k, v in expected.items()}
