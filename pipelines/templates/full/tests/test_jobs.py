"""The scripts as SageMaker starts them: command line, `SM_*` variables, folders, failure file.

`sagemaker_job` comes with the tool; the scripts know nothing of it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.testing.jobs import Jobs


def features(jobs: Jobs) -> dict[str, Path]:
    """Run the features step on the project's data; its outputs by name."""
    result = jobs.processing(
        "steps/features.py", inputs={"penguins": "data/"}, outputs=["train", "test"]
    ).run()
    assert result.exit_code == 0, result.log
    return dict(result.outputs)


def test_every_known_penguin_goes_to_one_side(sagemaker_job: Jobs) -> None:
    """Of 344 penguins 333 have all features and a sex; a quarter of them is kept to test on."""
    outputs = features(sagemaker_job)
    rows = {name: (outputs[name] / "rows.csv").read_text().splitlines()[1:] for name in outputs}
    assert (len(rows["train"]), len(rows["test"])) == (250, 83)
    assert not set(rows["train"]) & set(rows["test"])


def test_a_trained_model_passes_the_evaluation(sagemaker_job: Jobs) -> None:
    """Training and evaluation fit together: files, names of features, metrics in the log."""
    outputs = features(sagemaker_job)
    trained = sagemaker_job.training(
        "training/train.py", channels={"train": outputs["train"]}, hyperparameters={"C": 1.0}
    ).run()
    assert trained.exit_code == 0, trained.failure
    assert trained.metrics(r"train accuracy=([0-9.]+)")[-1] > 0.8

    evaluated = sagemaker_job.processing(
        "steps/evaluate.py",
        inputs={"test": outputs["test"]},
        model=trained.model,
        outputs=["report"],
    ).run()
    assert evaluated.exit_code == 0, evaluated.log
    report = json.loads((evaluated.outputs["report"] / "evaluation.json").read_text())
    assert report["auc"] > 0.8
    assert report["rows"] == 83


def test_a_training_file_without_rows_fails_with_a_reason(sagemaker_job: Jobs) -> None:
    """What would become the FailureReason names the problem."""
    empty = "species,bill_length_mm,bill_depth_mm,flipper_length_mm,body_mass_g,male\n"
    result = sagemaker_job.training(
        "training/train.py", channels={"train": {"rows.csv": empty}}
    ).run()
    assert result.exit_code != 0
    assert result.failure is not None
