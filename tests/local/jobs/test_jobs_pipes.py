from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from pipelines.backends.local.executors import training
from pipelines.execution.status import StepStatus

if TYPE_CHECKING:
    from pipelines.json_types import Json, JsonObject
    from tests.local.jobs.conftest import Local

READ = """
import time
for epoch in range(3):
    path = f"/opt/ml/input/data/train_{epoch}"
    with open(path, "rb") as pipe:
        print(epoch, pipe.read().hex(), flush=True)
"""


def pipe_channel(local: Local, **more: Json) -> JsonObject:
    """Put two objects and write a Pipe channel that reads them."""
    local.store.put_bytes("s3://bucket/train/a", b"one")
    local.store.put_bytes("s3://bucket/train/b", b"four")
    return local.channel("train", "s3://bucket/train/") | {"InputMode": "Pipe"} | more


def test_every_epoch_reads_all_objects(local: Local) -> None:
    """FACTS 2.2: FIFO `<channel>_<epoch>`; each one gives the objects one after the other."""
    request = local.training("python3", "-c", READ, InputDataConfig=[pipe_channel(local)])
    call = local.call(request)
    assert training.execute(call).status is StepStatus.SUCCEEDED, local.log(call)
    data = b"onefour".hex()
    assert local.log(call).splitlines() == [f"{epoch} {data}" for epoch in range(3)]


def test_an_epoch_that_is_closed_early_is_followed_by_the_next_one(local: Local) -> None:
    """The FIFO of the next one is there as soon as something of this one was read."""
    channel = pipe_channel(local)
    local.store.put_bytes("s3://bucket/train/c", b"x" * (1 << 20))
    early = READ.replace("range(3)", "range(9)").replace("pipe.read()", "pipe.read(3)")
    call = local.call(local.training("python3", "-c", early, InputDataConfig=[channel]))
    assert training.execute(call).status is StepStatus.SUCCEEDED, local.log(call)
    assert local.log(call).splitlines() == [f"{epoch} {b'one'.hex()}" for epoch in range(9)]


def test_objects_can_be_wrapped_as_records(local: Local) -> None:
    """RecordWrapperType RecordIO: magic, length, the object, padding to four bytes."""
    channel = pipe_channel(local, RecordWrapperType="RecordIO")
    request = local.training("python3", "-c", READ, InputDataConfig=[channel])
    call = local.call(request)
    training.execute(call)
    records = struct.pack("<II", 0xCED7230A, 3) + b"one\0" + struct.pack("<II", 0xCED7230A, 4)
    assert local.log(call).splitlines()[0] == f"0 {(records + b'four').hex()}"


def test_each_epoch_is_shuffled_by_the_seed(local: Local) -> None:
    """ShuffleConfig: orders of their own, the same ones for the same seed."""
    orders = []
    for seed in (1, 1, 3):
        channel = pipe_channel(local, ShuffleConfig={"Seed": seed})
        for name in "cdefg":
            local.store.put_bytes(f"s3://bucket/train/{name}", name.encode())
        call = local.call(local.training("python3", "-c", READ, InputDataConfig=[channel]))
        assert training.execute(call).status is StepStatus.SUCCEEDED, local.log(call)
        orders.append([line.split()[1] for line in local.log(call).splitlines()])
    first, again, other = orders
    assert first == again
    assert first != other
    assert len({*first}) > 1
    assert {"".join(sorted(bytes.fromhex(order).decode())) for order in first} == {
        "".join(sorted("onefourcdefg"))
    }


def test_a_job_may_leave_its_pipes_alone(local: Local) -> None:
    """Nobody reads, or only a part: the job's end ends the feeding."""
    request = local.training(
        "head", "-c", "1", "/opt/ml/input/data/train_0", InputDataConfig=[pipe_channel(local)]
    )
    assert training.execute(local.call(request)).status is StepStatus.SUCCEEDED
    request = local.training("true", InputDataConfig=[pipe_channel(local)])
    assert training.execute(local.call(request)).status is StepStatus.SUCCEEDED
    assert local.clean()


def test_an_object_in_a_pipe_that_is_no_gzip_file_is_named(local: Local) -> None:
    """The reader sees the end of the pipe; the step's reason says why it came so early."""
    channel = pipe_channel(local, CompressionType="Gzip")
    words = ("head", "-c", "9", "/opt/ml/input/data/train_0")
    outcome = training.execute(local.call(local.training(*words, InputDataConfig=[channel])))
    assert outcome.status is StepStatus.FAILED
    assert outcome.reason is not None
    assert "s3://bucket/train/a is not a whole gzip file" in outcome.reason
    assert local.clean()
