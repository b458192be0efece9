"""Whether checkpoints belong to a training: the same on all of its hosts."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from pipelines.runtime.checkpoints import (
    ASIDE,
    MARK,
    WRITABLE_VARIABLE,
    Checkpoints,
    fingerprint,
    writable_mounts,
)
from pipelines.runtime.container import Container, Hosts
from pipelines.runtime.errors import JobError


def container(
    folder: Path, host: str = "algo-1", distribution: str = "FullyReplicated", **parameters: str
) -> Container:
    """Return the configuration of a host of two whose channel is a folder."""
    hosts = Hosts(host, ("algo-1", "algo-2"), "ml.m5.xlarge", None, {})
    config = {"train": {"TrainingInputMode": "File", "S3DistributionType": distribution}}
    return Container("job", hosts, parameters, {"train": folder}, {}, config, isolated=False)


def test_a_fingerprint_is_of_data_and_hyperparameters(tmp_path: Path) -> None:
    """Names, sizes and beginnings; a host's share is no part of it, since hosts share a prefix."""
    data = tmp_path / "train"
    data.mkdir()
    (data / "x.csv").write_text("1,2")
    first = fingerprint(container(data, epochs="4"))
    assert first == fingerprint(container(data, "algo-2", epochs="4"))
    assert first != fingerprint(container(data, epochs="5"))
    sharded = fingerprint(container(data, distribution="ShardedByS3Key", epochs="4"))
    (data / "x.csv").write_text("1,3")
    assert first != fingerprint(container(data, epochs="4"))
    assert sharded == fingerprint(container(data, distribution="ShardedByS3Key", epochs="4"))


def test_what_a_training_may_write_to_is_no_part_of_a_fingerprint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A channel of EFS or FSx with `rw` holds something else when a training goes on."""
    monkeypatch.setenv(WRITABLE_VARIABLE, "shared,train")
    first = fingerprint(container(tmp_path, epochs="4"))
    (tmp_path / "written").write_text("1,2")
    assert first == fingerprint(container(tmp_path, epochs="4"))
    table = (
        "fs-1:/a /opt/ml/input/data/a nfs4 rw,relatime 0 0\n"
        "fs-1:/b /opt/ml/input/data/b nfs4 ro,relatime 0 0\n"
        "10.0.0.1@tcp:/x /opt/ml/input/data/c lustre rw 0 0\n"
        "/dev/nvme1n1 /opt/ml ext4 rw 0 0\nshort\n"
    )
    assert writable_mounts(table) == {"/opt/ml/input/data/a", "/opt/ml/input/data/c"}


def test_it_is_told_what_is_different_where_checkpoints_are_ignored(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The hyperparameters with both values, or the data; marks of earlier versions have neither."""
    saved, data = tmp_path / "checkpoints", tmp_path / "train"
    data.mkdir()
    Checkpoints(saved, container(data, epochs="4", seed="7"), None).begin()
    said = []
    for number, parameters in enumerate([{"epochs": "8"}, {"epochs": "8"}, {"epochs": "9"}]):
        (saved / "epoch").write_text("3")
        (data / "x.csv").write_text("1" * max(1, number))
        if number == 2:
            (saved / MARK).write_text('{"fingerprint": "0123"}')
        Checkpoints(saved, container(data, **parameters), None).begin()
        said.append(capfd.readouterr().err.partition("made with ")[2].partition(": they")[0])
    assert said == [
        "other hyperparameters (epochs 4, now 8; seed 7, now unset)",
        "",
        "other data or hyperparameters",
    ]
    (saved / "epoch").write_text("3")
    (data / "x.csv").write_text("other")
    Checkpoints(saved, container(data, epochs="9"), None).begin()
    assert "were made with other data: they are ignored" in capfd.readouterr().err


def test_only_the_first_host_says_that_a_training_is_done(tmp_path: Path) -> None:
    """Another one may end before it; whoever asks for a training that is done is refused."""
    saved = tmp_path / "checkpoints"
    for host, done in (("algo-2", False), ("algo-1", True)):
        kept = Checkpoints(saved, container(tmp_path, host), None)
        kept.begin()
        kept.done()
        assert json.loads((saved / MARK).read_text())["done"] is done
    with pytest.raises(JobError, match="the training of execution abc is done"):
        Checkpoints(saved, container(tmp_path), "abc").begin()


def test_a_member_of_a_sweep_that_is_done_begins_anew(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The selection needs its result, and a job that is refused has none."""
    saved, data = tmp_path / "checkpoints", tmp_path / "train"
    first = Checkpoints(saved, container(data), None)
    first.begin()
    (saved / "epoch").write_text("3")
    shutil.rmtree(saved)  # as Keras's BackupAndRestore does once it has ended
    first.done()
    (saved / "epoch").write_text("3")
    Checkpoints(saved, container(data), "abc", anew=True).begin()
    assert not (saved / "epoch").exists()
    assert (
        "the checkpoints are of execution abc, whose training is done: they"
        in capfd.readouterr().err
    )
    (saved / "epoch").write_text("1")
    Checkpoints(saved, container(data), "abc", anew=True).begin()
    assert (saved / "epoch").read_text() == "1", "it was interrupted, and goes on"


def test_checkpoints_that_nobody_marked_are_used_and_a_damaged_mark_is_none(tmp_path: Path) -> None:
    """What a job of another tool has saved belongs to whoever names its prefix."""
    saved = tmp_path / "checkpoints"
    saved.mkdir()
    (saved / "epoch").write_text("3")
    (saved / MARK).write_text("{")
    Checkpoints(saved, container(tmp_path), None).begin()
    assert {one.name for one in saved.iterdir()} == {"epoch", MARK}
    for number in ("5", "6", "5"):
        (saved / "epoch").write_text(number)
        Checkpoints(saved, container(tmp_path, epochs=number), None).begin()
    assert len([*(saved / ASIDE).rglob("epoch")]) == 3
