"""The training step of pipeline.yaml as SageMaker starts it: command line, variables, folders."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.testing.jobs import Jobs

ROWS = """\
bill_length_mm,bill_depth_mm,flipper_length_mm,body_mass_g,sex
39.1,18.7,181,3750,male
39.5,17.4,186,3800,female
50.0,16.3,230,5700,male
46.1,13.2,211,4500,female
"""


def test_training_writes_a_model(sagemaker_job: Jobs) -> None:
    """One weight per feature, and the accuracy where `metric_definitions` looks for it."""
    result = sagemaker_job.step(
        "train", inputs={"train": {"rows.csv": ROWS}}, hyperparameters={"C": 10}
    ).run()
    assert result.exit_code == 0, result.failure
    assert result.metrics("accuracy")[-1] > 0.5
    model = json.loads((result.model / "model.json").read_text())
    assert len(model["weights"]) == len(model["features"]) == 4
