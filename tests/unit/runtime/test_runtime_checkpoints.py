"""Whether checkpoints belong to a training: the same on all of its hosts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipelines.runtime.checkpoints import ASIDE, MARK, Checkpoints, fingerprint
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
