"""Managed spot training: interrupted once, as `run --simulate interruption:STEP` asks for."""

from __future__ import annotations

import tarfile
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pipelines.backends.local.executors import training
from pipelines.backends.local.jobs import spot
from pipelines.backends.local.simulations.reading import check_simulations, with_members
from pipelines.errors import UsageError
from pipelines.execution.status import StepStatus
from tests.local.jobs.conftest import JumpingClock

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.backends.local.executors.contract import StepCall
    from tests.local.jobs.conftest import Local

TRAIN = """
import os, pathlib, signal, sys, tempfile, time
mode, code, hosts, meeting = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
saved = pathlib.Path("/opt/ml/checkpoints/epoch")
begin = int(saved.read_text()) if saved.exists() else 0
print("begins with epoch", begin, flush=True)
def end(*_):
    print("told to end", flush=True)
    sys.exit(code)
signal.signal(signal.SIGTERM, end)
tempfile.mkstemp(dir=meeting)
while len(os.listdir(meeting)) < hosts:
    time.sleep(0.01)
for epoch in range(begin, 4):
    if epoch:  # the first one that is saved is the second
        part = saved.with_name(".part")
        part.write_text(str(epoch + 1))
        part.replace(saved)
    while mode == "waits" and epoch == 1 and not begin:
        time.sleep(0.01)
pathlib.Path("/opt/ml/model/model").write_text(f"trained for {epoch + 1} epochs")
"""
ONCE = """
import pathlib, sys, time
mark = pathlib.Path(sys.argv[1])
print("begins", flush=True)
if not mark.exists():
    mark.touch()
    time.sleep(600)
"""
INTERRUPTED = ["Starting", "Downloading", "Training", "Interrupted"]
UNINTERRUPTED = ["Starting", "Downloading", "Training", "Uploading", "Completed"]


def on_spot(local: Local, *words: str, hosts: int = 1, **more: object) -> StepCall:
    """Return the call of a training whose capacity is taken away."""
    waits = {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 60}
    request = local.training(
        "python3", "-c", *words, hosts=hosts, EnableManagedSpotTraining=True, **more
    )
    call = local.call({**request, "StoppingCondition": waits})
    return replace(call, settings=replace(call.settings, simulated={"interruption": ("step",)}))


def model(local: Local, properties: dict[str, object]) -> list[tuple[str, bytes]]:
    """Read the archive of a model."""
    artifacts = properties["ModelArtifacts"]
    assert isinstance(artifacts, dict)
    with tarfile.open(local.store.path_of(artifacts["S3ModelArtifacts"])) as archive:
        files = [one for one in archive if one.isfile()]
        return [(one.name, archive.extractfile(one).read()) for one in files]  # type: ignore[union-attr]  # files only


@pytest.mark.parametrize(("hosts", "code"), [(1, "0"), (2, "3")])
def test_an_interrupted_training_goes_on_from_its_checkpoint(
    local: Local, tmp_path: Path, hosts: int, code: str
) -> None:
    """SIGTERM on all hosts, new ones with what was saved, the same result; Describe tells it."""
    saved = {"S3Uri": "s3://bucket/runs/abc/step/checkpoints"}
    meeting = tmp_path / "meeting"
    meeting.mkdir()
    words = (code, str(hosts), str(meeting))
    call = on_spot(local, TRAIN, "waits", *words, hosts=hosts, CheckpointConfig=saved)
    outcome = training.execute(call)
    assert outcome.status is StepStatus.SUCCEEDED, local.log(call)
    for host in range(1, hosts + 1):
        said = [one for one in local.log(call, f"algo-{host}").splitlines() if "warning" not in one]
        assert said[0] == "begins with epoch 0"
        assert said[1] == "told to end"
        assert said[2].endswith(f"; it goes on from its checkpoint in {saved['S3Uri']}/")
        assert said[3] == "begins with epoch 2"
    (note,) = outcome.notes
    assert note.startswith("simulated: its spot capacity was taken away after ")
    told = [one["Status"] for one in outcome.properties["SecondaryStatusTransitions"]]
    assert told == INTERRUPTED + UNINTERRUPTED
    other = {"S3Uri": "s3://bucket/runs/other/step/checkpoints"}
    plain = on_spot(local, TRAIN, "runs", *words, hosts=hosts, CheckpointConfig=other)
    without = training.execute(replace(plain, settings=replace(plain.settings, simulated={})))
    assert without.status is StepStatus.SUCCEEDED, local.log(plain)
    assert model(local, outcome.properties) == model(local, without.properties)


def test_an_interrupted_training_without_a_checkpoint_starts_again(
    local: Local, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is interrupted after some seconds, and what it says is why it was at the beginning."""
    mark = tmp_path / "mark"
    monkeypatch.setattr(spot, "time", JumpingClock(mark))
    call = on_spot(local, ONCE, str(mark))
    outcome = training.execute(call)
    assert outcome.status is StepStatus.SUCCEEDED, local.log(call)
    assert local.log(call).count("begins\n") == 2
    assert "it starts from the beginning: it had saved no checkpoint" in outcome.notes[0]
    mark.unlink()
    monkeypatch.undo()
    short = on_spot(local, "print('short')")
    assert training.execute(short).notes == (
        "simulated: it ended before its spot capacity was taken away",
    )


def test_capacity_that_does_not_come_back_stops_the_job(local: Local, tmp_path: Path) -> None:
    """MaxWaitTimeExceeded below Stopped (FACTS 12.19); what was saved stays, the step fails."""
    saved = {"S3Uri": "s3://bucket/runs/abc/step/checkpoints"}
    meeting = tmp_path / "meeting"
    meeting.mkdir()
    call = on_spot(local, TRAIN, "waits", "0", "1", str(meeting), CheckpointConfig=saved)
    simulated = {"max_wait": ("step",)}
    call = replace(call, settings=replace(call.settings, simulated=simulated))
    outcome = training.execute(call)
    assert outcome.status is StepStatus.FAILED
    assert str(outcome.reason).endswith(
        "MaxWaitTimeInSeconds (60 s) for spot capacity and was ended"
    )
    told = [one["Status"] for one in outcome.properties["SecondaryStatusTransitions"]]
    assert told == [*INTERRUPTED, "MaxWaitTimeExceeded"]
    assert outcome.properties["TrainingJobStatus"] == "Stopped"
    assert local.store.get_bytes(f"{saved['S3Uri']}/epoch") == b"2"
    assert f"is kept in {saved['S3Uri']}" in outcome.notes[0]


def test_only_a_step_on_spot_capacity_can_be_interrupted() -> None:
    """Said before anything runs, with the steps that are."""
    definition = """{"Version": "2020-12-01", "Steps": [
        {"Name": "a", "Type": "Training", "Arguments": {"ResourceConfig": {}}},
        {"Name": "b", "Type": "Training", "Arguments": {"EnableManagedSpotTraining": true,
            "ResourceConfig": {}}}]}"""
    check_simulations(["interruption:b"], definition, {})
    with pytest.raises(
        UsageError, match="`a` is not a step that trains on managed spot"
    ) as refused:
        check_simulations(["interruption:a"], definition, {})
    assert str(refused.value.remedy).endswith("allowed: b")
    given, origins = ["interruption:sweep", "interruption:b"], {"a": "sweep", "b": "sweep"}
    assert with_members(given, definition, {}, origins) == ("interruption:b", "interruption:b")
    assert with_members(["interruption:c"], definition, {}, origins) == ("interruption:c",)
