"""The steps of pipeline.yaml as SageMaker starts them: command line, `SM_*` variables, folders.

`sagemaker_job` comes with the tool; the scripts know nothing of it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pipelines.testing.jobs import Jobs


def features(jobs: Jobs) -> Mapping[str, Path]:
    """Run the features step on the project's data; its outputs by name."""
    result = jobs.step("features").run()
    assert result.exit_code == 0, result.log
    return result.outputs


def test_every_known_penguin_goes_to_one_side(sagemaker_job: Jobs) -> None:
    """Of 344 penguins 333 have all features and a sex; a quarter of them is kept to test on."""
    outputs = features(sagemaker_job)
    rows = {name: (outputs[name] / "rows.csv").read_text().splitlines()[1:] for name in outputs}
    assert (len(rows["train"]), len(rows["test"])) == (250, 83)
    assert not set(rows["train"]) & set(rows["test"])


def test_a_trained_model_passes_the_evaluation(sagemaker_job: Jobs) -> None:
    """Training and evaluation fit together: files, names of features, metrics in the log."""
    outputs = features(sagemaker_job)
    trained = sagemaker_job.step("train", inputs={"train": outputs["train"]}).run()
    assert trained.exit_code == 0, trained.failure
    assert trained.metrics("accuracy")[-1] > 0.8

    evaluated = sagemaker_job.step(
        "evaluate", model=trained.model, inputs={"test": outputs["test"]}
    ).run()
    assert evaluated.exit_code == 0, evaluated.log
    report = json.loads(evaluated.reports["report"].read_text())
    assert report["auc"] > 0.8
    assert report["rows"] == 83


def test_a_training_file_without_rows_fails_with_a_reason(sagemaker_job: Jobs) -> None:
    """What would become the FailureReason names the problem."""
    empty = "species,bill_length_mm,bill_depth_mm,flipper_length_mm,body_mass_g,male\n"
    result = sagemaker_job.step("train", inputs={"train": {"rows.csv": empty}}).run()
    assert result.exit_code != 0
    assert result.failure is not None
