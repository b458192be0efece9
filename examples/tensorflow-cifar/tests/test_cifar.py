"""The pictures, and the training script as SageMaker starts it on two hosts."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pipelines.testing.jobs import Jobs

RECORD = 1 + 3 * 32 * 32


def test_pictures_are_records_of_cifar(sagemaker_job: Jobs) -> None:
    """A class below ten, then 3072 bytes; the same pictures in each run."""
    pytest.importorskip("numpy", reason="the image brings numpy")
    first, again = (sagemaker_job.step("pictures").run() for _ in range(2))
    batch = (first.outputs["train"] / "data_batch_1.bin").read_bytes()
    assert len(batch) % RECORD == 0
    assert set(batch[::RECORD]) == set(range(10))
    assert batch == (again.outputs["train"] / "data_batch_1.bin").read_bytes()


@pytest.mark.skipif(
    importlib.util.find_spec("tensorflow") is None, reason="the image brings tensorflow"
)
def test_two_hosts_learn_together(sagemaker_job: Jobs) -> None:
    """Both see the same loss, that of all pictures; the first one's export is the model."""
    pictures = sagemaker_job.step("pictures").run().outputs["train"]
    result = sagemaker_job.step("train", inputs={"train": pictures}, hosts=2).run()
    assert result.exit_code == 0, result.failure
    losses = [line for line in result.log.splitlines() if line.startswith("epoch=1 ")]
    assert len(losses) == 2
    assert losses[0] == losses[1]
    assert (result.model / "1" / "saved_model.pb").is_file()
