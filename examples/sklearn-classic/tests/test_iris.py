"""The classic script, started as SageMaker starts it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.testing.jobs import Jobs

FLOWERS = "0,5.1,3.5,1.4,0.2\n2,6.7,3.0,5.2,2.3\n1,5.9,3.0,4.2,1.5\n"


def test_the_script_learns_and_writes_a_model(sagemaker_job: Jobs) -> None:
    """Its accuracy stands where `metric_definitions` looks for it."""
    channel = {"iris.csv": FLOWERS}
    result = sagemaker_job.step("train", inputs={"train": channel, "test": channel}).run()
    assert result.exit_code == 0, result.failure
    assert result.metrics("accuracy") == [1.0]
    assert (result.model / "model.joblib").is_file()
