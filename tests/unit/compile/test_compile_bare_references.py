from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from pipelines.compile.driver import validate
from pipelines.compile.model import CompileRequest
from pipelines.diagnostics import Path as DocumentPath
from tests.everything import EVERYTHING

pytestmark = pytest.mark.no_cover

SPEC: Final = """\
spec: 1
pipeline: bare
aws: {region: eu-central-1, role: arn:aws:iam::111122223333:role/a, bucket: b-b, kms_key: k,
  deploy_role: arn:aws:iam::111122223333:role/d, pip_index_url: "https://u", tags: {team: a},
  vpc: {subnets: [s], security_group_ids: [g]}}
parameters:
  name: {type: string, default: a, enum: [a], description: d}
data:
  local: data/
  plain: s3://bucket/prefix/
  long: {s3: s3://bucket/prefix/}
  efs: {efs: {file_system_id: fs-01234567, directory_path: /a}}
defaults: {image: sklearn-1.9-cpu, instance_type: ml.m5.large, instance_count: 1,
  volume_size_in_gb: 30, max_runtime_in_seconds: 60, cache: 30d,
  retry: [{exception_type: [Step.THROTTLING], max_attempts: 2}]}
steps:
  check: {kind: validation, inputs: {a: '${data.plain}'}, suites: {a: suite.json}}
  work: {kind: processing, script: work.py, description: d, display_name: n, after: [check],
    inputs: {a: '${steps.check.a}', b: {from: s3://x/}}, outputs: [o],
    reports: {r: r.json}, arguments: {a: 1}, environment: {A: a}, include: [work.py],
    requirements: {file: requirements.txt, mode: index}, image: sklearn-1.9-cpu,
    instance_type: ml.m5.large}
  train: {kind: training, script: work.py, inputs: {a: '${steps.work.o}', e: "${data.efs}",
    b: {from: s3://x/, content_type: c}},
    hyperparameters: {a: 1}, metric_definitions: {auc: 'auc=(.*)'}, distribution: torchrun,
    instance_groups: [{instance_group_name: g, instance_type: ml.m5.large, instance_count: 1}],
    enable_managed_spot_training: true, max_wait_time_in_seconds: 86400,
    checkpoints: {local_path: /opt/ml/checkpoints}}
  warm: {kind: training, script: work.py, keep_alive_period_in_seconds: 60}
  judge: {kind: evaluation, script: work.py, model: '${steps.train.model}', inputs: {a: s3://x/},
    report: r.json, arguments: {a: 1}}
  decide: {kind: condition, if: steps.judge.report.auc > 0.5, then: [register, deploy],
    else: [stop]}
  register: {kind: registration, group: g, model: '${steps.train.model}',
    metrics: '${steps.judge.report}', drift_baselines: {model_quality: s3://x/a.json},
    model_card: {content: '{}'}, metadata: {a: b}, approval_status: Approved,
    serving: {source: ., image: sklearn-1.9-cpu, entry: work.py, environment: {A: a},
      requirements: requirements.txt}}
  deploy: {kind: deployment, group: '${steps.register.group}', endpoint: e, environment: {A: a},
    sample: suite.json, image: sklearn-1.9-cpu, instance_type: ml.t3.medium,
    realtime: {instance_type: ml.m5.large, rollout: {type: canary, alarms: [a]}}}
  stop: {kind: fail, message: m}
"""
ROOTS: Final = ("steps", "data", "parameters")
OF_REFERENCES: Final = frozenset({"SP203", "SP205"})
_SUITE: Final = """\
{"name": "a", "expectations": [
  {"type": "expect_column_to_exist", "kwargs": {"column": "a"}, "meta": {}}
]}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Make a folder with every file that the spec names."""
    (tmp_path / "work.py").write_text("def model_fn(model_dir): ...\n")
    (tmp_path / "requirements.txt").touch()
    (tmp_path / "suite.json").write_text(_SUITE)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.csv").touch()
    return tmp_path


def _places(value: Any, path: DocumentPath = ()) -> Iterator[DocumentPath]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _places(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _places(item, (*path, index))
    else:
        yield path


def _with(data: Any, path: DocumentPath, value: str) -> Any:
    whole = copy.deepcopy(data)
    holder = whole
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    return whole


def _written(project: Path, data: Any) -> CompileRequest:
    file = project / "pipeline.yaml"
    file.write_text(json.dumps(data, indent=1))  # is YAML, and quickly written
    return CompileRequest(file, None, {})


def test_the_spec_of_these_tests_is_sound(project: Path) -> None:
    """Whatever is found after a change is found because of it."""
    found = validate(_written(project, yaml.safe_load(SPEC))).diagnostics
    assert [(one.code, one.message) for one in found] == []


def test_a_root_without_a_name_is_an_error_at_its_value(project: Path) -> None:
    """In every value of data and steps; where no reference may stand, one root is tried.

    Each place gets another root than its neighbours; `make everything` tries all roots everywhere.
    """
    data = yaml.safe_load(SPEC)
    places = [path for path in _places(data) if path[0] in {"data", "steps"}]
    for number, path in enumerate(places):
        for root in ROOTS if EVERYTHING else (ROOTS[number % len(ROOTS)],):
            text = f"${{{root}}}"
            found = validate(_written(project, _with(data, path, text))).diagnostics
            at = {one.code for one in found if _is_about(one.path, path) or text in one.path}
            assert at, (path, root)
            assert all(one.span is not None for one in found), (path, root)
            if not at <= OF_REFERENCES:
                break


def _is_about(path: DocumentPath, value: DocumentPath) -> bool:
    return path[: len(value)] == value or path == value[:-1]
