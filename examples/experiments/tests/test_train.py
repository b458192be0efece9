"""The training script as SageMaker starts it, with the row of a member."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.testing.jobs import Jobs


def test_a_member_trains_a_model(sagemaker_job: Jobs) -> None:
    """Its error stands where `metric_definitions` looks for it."""
    result = sagemaker_job.step("sweep", hyperparameters={"model": "forest", "depth": 8}).run()
    assert result.exit_code == 0, result.failure
    assert 0 < result.metrics("error")[-1] < 60
    assert (result.model / "model.joblib").is_file()


def test_a_model_that_there_is_not_fails(sagemaker_job: Jobs) -> None:
    """Its name stands in what the job says."""
    result = sagemaker_job.step("sweep", hyperparameters={"model": "nearest"}).run()
    assert result.exit_code != 0
    assert "nearest" in result.log
