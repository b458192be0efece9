"""Scripts as AWS's public examples have them run unchanged: the shapes of four frameworks' scripts.

That of scikit-learn is the project examples/sklearn-classic. Only the interface of SageMaker is of
interest here, so that of the frameworks PyTorch alone is imported.
"""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipelines.backends.local.jobs.isolation import probe
from tests.functional.cli.in_process import run_in

if TYPE_CHECKING:
    from pipelines.testing.jobs import Jobs

CLASSIC = Path(__file__).parent / "classic"
FIXED_PATHS = """\
spec: 1
pipeline: abalone
aws: {role: "arn:aws:iam::111122223333:role/jobs", bucket: team-bucket}
data: {abalone: data/}
steps:
  split:
    kind: processing
    image: sklearn-1.9-cpu
    script: processing_abalone.py
    inputs: {input: "${data.abalone}"}
    outputs: [train, test]
    reports: {evaluation: evaluation.json}
    paths:
      input: /opt/ml/processing/input
      train: /opt/ml/processing/train
      test: /opt/ml/processing/test
      evaluation: /opt/ml/processing/evaluation
    arguments: {train-test-split-ratio: 0.25}
"""


@pytest.fixture
def script(request: pytest.FixtureRequest) -> str:
    """Return the path of a script from pytest's root folder, which stands for the project's."""
    return str((CLASSIC / f"{request.param}.py").relative_to(request.config.rootpath))


@pytest.mark.parametrize("script", ["tensorflow_mnist"], indirect=True)
def test_a_script_that_passes_over_unknown_arguments(sagemaker_job: Jobs, script: str) -> None:
    """Hyperparameters that are none of its own; SM_HPS has them as they were given."""
    result = sagemaker_job.training(
        script,
        channels={"training": {"train.csv": "1,2\n3,4\n"}},
        hyperparameters={"model_dir": "s3://bucket/models", "dropout": 0.25},
    ).run()
    assert result.exit_code == 0, result.failure
    assert "rows=2 unknown=['--dropout', '0.25'] dropout=0.25" in result.log
    assert (result.model / "000000001" / "saved_model.pb").is_file()


@pytest.mark.parametrize("script", ["xgboost_abalone"], indirect=True)
def test_a_script_with_two_channels_and_output_data(sagemaker_job: Jobs, script: str) -> None:
    """Names with underscores, one model file without a suffix, files beside the model."""
    result = sagemaker_job.training(
        script,
        channels={"train": {"a.libsvm": "1 1:2"}, "validation": {"b.libsvm": "2 1:3"}},
        hyperparameters={"max_depth": 5, "eta": 0.2, "objective": "reg:linear", "num_round": 3},
    ).run()
    assert result.exit_code == 0, result.failure
    assert "['train', 'validation'] files=['a.libsvm', 'b.libsvm'] threads=True" in result.log
    boosters = pickle.loads((result.model / "xgboost-model").read_bytes())  # noqa: S301 - as above
    assert boosters == [{"max_depth": 5, "eta": 0.2, "objective": "reg:linear"}] * 3


@pytest.mark.parametrize("script", ["huggingface_imdb"], indirect=True)
def test_a_script_that_logs_to_stdout(sagemaker_job: Jobs, script: str) -> None:
    """A text with a slash for a hyperparameter, a metric out of the log."""
    result = sagemaker_job.training(
        script,
        channels={"train": {"data.json": [1, 2, 3]}, "test": {"data.json": [1]}},
        hyperparameters={"epochs": 1, "model_name": "distilbert/distilbert-base", "extra": "a b"},
    ).run()
    assert result.exit_code == 0, result.failure
    assert result.metrics(r"test_dataset length is: (\d+)") == [1.0]
    written = json.loads((result.model / "config.json").read_text())
    assert written == {"_name_or_path": "distilbert/distilbert-base"}


@pytest.mark.parametrize("script", ["pytorch_mnist"], indirect=True)
def test_a_script_that_makes_its_own_process_group(sagemaker_job: Jobs, script: str) -> None:
    """Rank and world size from SM_HOSTS; the master's address is there, as its container had it."""
    pytest.importorskip("torch", reason="the script trains with PyTorch")
    result = sagemaker_job.training(
        script,
        channels={"training": {"rows.json": [[1.0, 2.0], [3.0, 4.0]]}},
        hyperparameters={"epochs": 2, "backend": "gloo"},
        hosts=2,
    ).run()
    assert result.exit_code == 0, result.failure
    assert result.log.count("world=2 total=20.0 gpus=0") == 2
    assert (result.model / "model.pth").is_file()


@pytest.mark.skipif(probe().which != "namespaces", reason="fixed paths need namespaces")
def test_a_processing_script_with_fixed_paths(tmp_path: Path) -> None:
    """`paths:` puts its input and its outputs where it looks for them; the project stays as is."""
    shutil.copy(CLASSIC / "processing_abalone.py", tmp_path)
    (tmp_path / "pipeline.yaml").write_text(FIXED_PATHS)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "abalone.csv").write_text("age\n1\n2\n3\n4")
    answer = run_in(tmp_path, "run")
    assert answer.code == 0, answer.err
    outputs = {file.name: file.read_text() for file in (tmp_path / ".pipelines/s3").rglob("*.csv")}
    assert outputs == {
        "abalone.csv": "age\n1\n2\n3\n4",
        "train.csv": "age\n1\n2\n3",
        "test.csv": "age\n4",
    }
    assert [one.name for one in (tmp_path / "data").iterdir()] == ["abalone.csv"]
