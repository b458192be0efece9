"""One trial, started as SageMaker starts it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.testing.jobs import Jobs


def test_a_trial_prints_the_objective_and_keeps_its_model(sagemaker_job: Jobs) -> None:
    """With the hyperparameters that a tuning job would choose, beside the fixed ones."""
    flowers = sagemaker_job.step("flowers").run().outputs["train"]
    chosen = {"learning-rate": 0.1, "depth": 4, "features": "sqrt"}
    result = sagemaker_job.step("tune", inputs={"train": flowers}, hyperparameters=chosen).run()
    assert result.exit_code == 0, result.failure
    assert 0.6 <= result.metrics("accuracy")[-1] <= 1
    assert (result.model / "model.joblib").is_file()
