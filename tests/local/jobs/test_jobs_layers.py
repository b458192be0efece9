"""Inputs of many files or bytes: seen without a copy, and never changed by a job."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipelines.backends.local.executors import processing, training
from pipelines.backends.local.jobs import layers
from pipelines.backends.local.kept import job_folder
from pipelines.execution.status import StepStatus

if TYPE_CHECKING:
    from pathlib import Path

    from tests.local.jobs.conftest import Local

MANY = 70
CHANGE = """
import os, pathlib, sys
root = pathlib.Path(sys.argv[1])
files = sorted(root.rglob("*.csv"))
print(len(files), sum(len(one.read_text()) for one in files))
for change in (
    lambda: files[0].write_text("changed"),
    lambda: files[1].unlink(),
    lambda: (root / "new.csv").write_text("new"),
    lambda: files[2].chmod(0o600),
):
    try:
        change()
    except OSError as error:
        print(type(error).__name__, error.errno)
print(sorted(p.name for p in root.iterdir())[:2], (root / "new.csv").exists())
sys.exit(int(sys.argv[2]))
"""


def _fill(local: Local) -> None:
    for number in range(MANY):
        local.store.put_bytes(f"s3://bucket/d/part/{number:03}.csv", b"1,2\n")


def _objects(local: Local) -> dict[str, tuple[bytes, int]]:
    return {
        one.uri: (one.path.read_bytes(), one.path.stat().st_mode)
        for one in local.store.list("s3://bucket/d/")
    }


def test_a_job_sees_a_large_input_and_changes_what_is_its_own(
    local: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In namespaces nothing is copied; in both ways the store's objects stay as they are."""
    _fill(local)
    before = _objects(local)
    copied: list[str] = []
    real = layers.copy_file

    def copy(source: Path, target: Path) -> None:
        copied.append(source.name)
        real(source, target)

    monkeypatch.setattr("pipelines.backends.local.jobs.channels.copy_file", copy)
    place = "/opt/ml/processing/input/d/part"
    inputs = [local.s3_input("d", "s3://bucket/d/")]
    call = local.call(
        local.processing("python3", "-c", CHANGE, place, "0", ProcessingInputs=inputs)
    )
    assert processing.execute(call).status is StepStatus.SUCCEEDED, local.log(call)
    said = local.log(call).splitlines()
    assert said[0] == f"{MANY} {4 * MANY}"
    assert said[-1] == "['000.csv', '002.csv'] True"
    assert _objects(local) == before
    assert len(copied) == (0 if call.settings.isolation == "namespaces" else MANY)
    assert local.clean()


def test_a_fast_file_channel_cannot_be_written(local: Local) -> None:
    """By whoever runs the job, root too, where it is bound; the objects stay as they are."""
    _fill(local)
    before = _objects(local)
    fast = local.channel("d", "s3://bucket/d/part/") | {"InputMode": "FastFile"}
    call = local.call(
        local.training("python3", "-c", CHANGE, "/opt/ml/input/data/d", "0", InputDataConfig=[fast])
    )
    assert training.execute(call).status is StepStatus.SUCCEEDED, local.log(call)
    if call.settings.isolation == "namespaces":
        assert local.log(call).count("OSError 30") == 4, local.log(call)
    assert _objects(local) == before


WRITE = """
import os
for name in ("d", "."):
    try:
        open(f"/opt/ml/input/data/{name}/new.csv", "w").close()
        print(name, "written")
    except OSError as error:
        print(name, os.strerror(error.errno))
print(sorted(os.listdir("/opt/ml/input/data/d"))[0])
"""


@pytest.mark.parametrize(
    ("fast", "said"),
    [
        ("d", ["d Read-only file system", ". written"]),
        (".", ["d written", ". Read-only file system"]),
    ],
)
def test_a_fast_file_channel_is_read_only_inside_and_around_another_one(
    local: Local, fast: str, said: list[str]
) -> None:
    """The folder of a channel that is named `.` holds those of all others."""
    local.store.put_bytes("s3://bucket/d/000.csv", b"1,2\n")
    channels = [
        local.channel(name, "s3://bucket/d/") | ({"InputMode": "FastFile"} if name == fast else {})
        for name in ("d", ".")
    ]
    call = local.call(local.training("python3", "-c", WRITE, InputDataConfig=channels))
    assert training.execute(call).status is StepStatus.SUCCEEDED, local.log(call)
    lines = local.log(call).splitlines()
    if call.settings.isolation == "namespaces":
        assert lines[:3] == [*said, "000.csv"]
    assert local.clean()


@pytest.mark.parametrize("access", ["ro", "rw"])
def test_a_file_system_is_mounted_as_its_access_mode_says(local: Local, access: str) -> None:
    """EFS and FSx are folders under `.pipelines/fs`: `rw` writes land there, `ro` is EROFS."""
    system = {
        "FileSystemId": "fs-01234567",
        "FileSystemAccessMode": access,
        "FileSystemType": "EFS",
        "DirectoryPath": "/flights",
    }
    channel = {"ChannelName": "efs", "DataSource": {"FileSystemDataSource": system}}
    words = ("python3", "-c", CHANGE, "/opt/ml/input/data/efs", "0")
    request = local.training(*words, hosts=2, InputDataConfig=[channel])
    missing = training.execute(local.call(request))
    folder = local.home / "fs/fs-01234567/flights"
    assert str(missing.reason).endswith(f"put the files at {folder}")
    folder.mkdir(parents=True)
    for number in range(4):
        (folder / f"{number}.csv").write_text("1,2\n")
    call = local.call(request | {"ResourceConfig": local.training()["ResourceConfig"]})
    assert training.execute(call).status is StepStatus.SUCCEEDED, local.log(call)
    is_kept = access == "ro" and call.settings.isolation == "namespaces"
    assert local.log(call).count("OSError 30") == (4 if is_kept else 0), local.log(call)
    assert (folder / "new.csv").exists() is not is_kept
    assert (folder / "0.csv").read_text() == ("1,2\n" if is_kept else "changed")
    assert ("read-only in SageMaker" in local.log(call)) is (access == "ro" and not is_kept)
    assert local.clean()


def test_a_share_and_a_part_of_a_folder_are_seen_without_a_copy(
    local: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each host sees its own objects, as links that no change reaches; elsewhere as copies."""
    for number in range(2 * MANY):
        local.store.put_bytes(f"s3://bucket/d/part/{number:03}.csv", b"1,2\n")
    local.store.put_bytes("s3://bucket/d/other.csv", b"1,2\n")
    before = _objects(local)
    copied: list[str] = []
    real = layers.copy_file

    def copy(source: Path, target: Path) -> None:
        copied.append(source.name)
        real(source, target)

    monkeypatch.setattr("pipelines.backends.local.jobs.channels.copy_file", copy)
    shards = local.channel("d", "s3://bucket/d/part", S3DataDistributionType="ShardedByS3Key")
    words = ("python3", "-c", CHANGE, "/opt/ml/input/data/d", "0")
    call = local.call(local.training(*words, hosts=2, InputDataConfig=[shards]))
    assert training.execute(call).status is StepStatus.SUCCEEDED, local.log(call)
    for host in ("algo-1", "algo-2"):
        assert local.log(call, host).startswith(f"{MANY} {4 * MANY}"), local.log(call, host)
    assert _objects(local) == before
    assert len(copied) == (0 if call.settings.isolation == "namespaces" else 2 * MANY)
    assert local.clean()


def test_what_a_failed_job_has_read_is_found_where_it_was(local: Local) -> None:
    """Its folder is kept, with a link to the store in the place of the layer."""
    _fill(local)
    inputs = [local.s3_input("d", "s3://bucket/d/")]
    words = ("python3", "-c", CHANGE, "/opt/ml/processing/input/d/part", "1")
    call = local.call(local.processing(*words, ProcessingInputs=inputs))
    assert processing.execute(call).status is StepStatus.FAILED
    kept = job_folder(local.home, call.job_name) / "algo-1" / "opt/ml/processing/input/d/part"
    assert len([*kept.glob("0*.csv")]) >= MANY - 1


@pytest.mark.parametrize("name", ["code", "d"])
def test_what_is_used_outside_of_the_host_is_copied(local: Local, name: str) -> None:
    """Code, an input that lies in an output, and a part of a folder are no layers."""
    _fill(local)
    inputs = [local.s3_input(name, "s3://bucket/d/" if name == "code" else "s3://bucket/d/part/0")]
    words = ("python3", "-c", CHANGE, f"/opt/ml/processing/input/{name}", "0")
    call = local.call(local.processing(*words, ProcessingInputs=inputs))
    assert processing.execute(call).status is StepStatus.SUCCEEDED, local.log(call)
    assert local.log(call).startswith(f"{MANY} ")


def test_where_no_layer_can_be_mounted_the_files_are_copied(
    local: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The launcher finds out, and copies; a path that would read as an option is not tried."""
    _fill(local)
    before = _objects(local)
    monkeypatch.setattr(
        "pipelines.backends.local.jobs.launcher.client.layers_of",
        lambda root: [{**one, "own": "/nowhere"} for one in layers.layers_of(root)],
    )
    inputs = [local.s3_input("d", "s3://bucket/d/")]
    words = ("python3", "-c", CHANGE, "/opt/ml/processing/input/d/part", "0")
    call = local.call(local.processing(*words, ProcessingInputs=inputs))
    assert processing.execute(call).status is StepStatus.SUCCEEDED, local.log(call)
    assert local.log(call).startswith(f"{MANY} ")
    assert _objects(local) == before
    for number in range(MANY):
        local.store.put_bytes(f"s3://bucket/a,b/{number:03}.csv", b"")
    assert layers.folder_of(local.store.layout("s3://bucket/a,b/")) is None
    assert layers.folder_of(local.store.layout("s3://bucket/d/")) is not None
