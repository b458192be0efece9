"""`kind: tuning`: the request is what SageMaker's SDK writes for the same search."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipelines.compile.driver import compile_spec
from pipelines.compile.model import CompileRequest
from pipelines.json_types import JsonObject

SPEC = """\
spec: 1
pipeline: search
aws: {role: "arn:aws:iam::111122223333:role/jobs", bucket: team-bucket}
steps:
  tune:
    kind: tuning
    image: sklearn-1.9-cpu
    script: train.py
    metric_definitions: {auc: 'auc=(.*)'}
    objective: {metric: auc, goal: maximize}
"""
RANGES = """\
    ranges:
      lr: {type: continuous, min: 1e-4, max: 0.5, scaling: logarithmic}
      m: {type: continuous, min: 0.5, max: 0.999, scaling: reverse_logarithmic}
      layers: {type: integer, min: 1, max: 8, scaling: linear}
      opt: [adam, sgd]
      bs: [32, 64]
    max_jobs: 20
    max_parallel_jobs: 2
"""
BAYESIAN = f"""{RANGES}
    random_seed: 7
    max_tuning_time_in_seconds: 86400
    early_stopping: auto
    completion_criteria:
      max_number_of_training_jobs_not_improving: 5
      target_objective_metric_value: 0.95
      complete_on_convergence: true
    warm_start: {{type: identical_data_and_algorithm, parents: [p1, p2]}}
"""
HYPERBAND = (
    f"{RANGES}\n    strategy: hyperband\n    hyperband: {{min_resource: 1, max_resource: 10}}"
)
GRID = "    ranges: {opt: [a, b]}\n    strategy: grid\n    max_parallel_jobs: 2"

_OBJECTIVE = '"HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "auc"}'
_SEARCHED = """"ParameterRanges": {
 "ContinuousParameterRanges": [
  {"Name": "lr", "MinValue": "0.0001", "MaxValue": "0.5", "ScalingType": "Logarithmic"},
  {"Name": "m", "MinValue": "0.5", "MaxValue": "0.999", "ScalingType": "ReverseLogarithmic"}],
 "CategoricalParameterRanges": [
  {"Name": "opt", "Values": ["adam", "sgd"]}, {"Name": "bs", "Values": ["32", "64"]}],
 "IntegerParameterRanges": [
  {"Name": "layers", "MinValue": "1", "MaxValue": "8", "ScalingType": "Linear"}]}"""
WRITTEN_BAYESIAN = f"""{{
 "Strategy": "Bayesian", "TrainingJobEarlyStoppingType": "Auto", "RandomSeed": 7, {_OBJECTIVE},
 "ResourceLimits": {{"MaxNumberOfTrainingJobs": 20, "MaxParallelTrainingJobs": 2,
  "MaxRuntimeInSeconds": 86400}},
 {_SEARCHED},
 "TuningJobCompletionCriteria": {{
  "BestObjectiveNotImproving": {{"MaxNumberOfTrainingJobsNotImproving": 5}},
  "TargetObjectiveMetricValue": 0.95,
  "ConvergenceDetected": {{"CompleteOnConvergence": "Enabled"}}}}}}"""
WRITTEN_HYPERBAND = f"""{{
 "Strategy": "Hyperband", "TrainingJobEarlyStoppingType": "Off", {_OBJECTIVE},
 "ResourceLimits": {{"MaxNumberOfTrainingJobs": 20, "MaxParallelTrainingJobs": 2}}, {_SEARCHED},
 "StrategyConfig": {{"HyperbandStrategyConfig": {{"MinResource": 1, "MaxResource": 10}}}}}}"""
WRITTEN_GRID = f"""{{
 "Strategy": "Grid", "TrainingJobEarlyStoppingType": "Off", {_OBJECTIVE},
 "ResourceLimits": {{"MaxParallelTrainingJobs": 2}},
 "ParameterRanges": {{"ContinuousParameterRanges": [],
  "CategoricalParameterRanges": [{{"Name": "opt", "Values": ["a", "b"]}}],
  "IntegerParameterRanges": []}}}}"""


def arguments(folder: Path, keys: str) -> JsonObject:
    """Compile a tuning step with keys; return its arguments."""
    (folder / "train.py").write_text("print('auc=0.5')\n")
    spec = folder / "pipeline.yaml"
    spec.write_text(SPEC + keys)
    compiled = compile_spec(CompileRequest(spec, None, {})).compiled
    assert compiled is not None
    (step,) = json.loads(compiled.definition)["Steps"]
    found: JsonObject = step["Arguments"]
    return found


@pytest.mark.parametrize(
    ("keys", "written"),
    [
        (BAYESIAN, WRITTEN_BAYESIAN),
        (HYPERBAND, WRITTEN_HYPERBAND),
        (GRID, WRITTEN_GRID),
    ],
    ids=["bayesian", "hyperband", "grid"],
)
def test_a_search_is_written_as_the_sdk_writes_it(tmp_path: Path, keys: str, written: str) -> None:
    """By `TuningStep` over a `HyperparameterTuner` of SDK 2; it has null for a grid's number."""
    found = arguments(tmp_path, keys)
    assert found["HyperParameterTuningJobConfig"] == json.loads(written)
    parents = [{"HyperParameterTuningJobName": name} for name in ("p1", "p2")]
    start = {
        "WarmStartType": "IdenticalDataAndAlgorithm",
        "ParentHyperParameterTuningJobs": parents,
    }
    assert found.get("WarmStartConfig") == (start if keys is BAYESIAN else None)
