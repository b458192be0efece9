"""Metrics of a training job: the last values that its expressions find in its logs."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING

import pytest

from pipelines.backends.local.executors import training
from pipelines.backends.local.executors.contract import StepOutcome
from pipelines.backends.local.jobs.metrics import final_metrics
from pipelines.execution.status import StepStatus

if TYPE_CHECKING:
    from pathlib import Path

    from tests.local.jobs.conftest import Local


def test_final_metrics_are_the_last_values_in_the_log(local: Local) -> None:
    """FinalMetricDataList: group 1 of the last match; what is no number is passed over."""
    request = local.training("printf", "auc=0.5\\nauc=0.7 loss=1e-3\\nauc=nope\\n")
    request["AlgorithmSpecification"]["MetricDefinitions"] = [
        {"Name": "auc", "Regex": "auc=(\\S+)"},
        {"Name": "loss", "Regex": "loss=(\\S+)"},
        {"Name": "never", "Regex": "never=(\\S+)"},
    ]
    found = training.execute(local.call(request)).properties["FinalMetricDataList"]
    assert {one["MetricName"]: one["Value"] for one in found} == {"auc": 0.7, "loss": 0.001}


def _metrics(local: Local, words: tuple[str, ...], **expressions: str) -> StepOutcome:
    request = local.training(*words)
    request["AlgorithmSpecification"]["MetricDefinitions"] = [
        {"Name": name, "Regex": expression} for name, expression in expressions.items()
    ]
    return training.execute(local.call(request))


def _values(outcome: StepOutcome) -> dict[str, float]:
    found = outcome.properties["FinalMetricDataList"]
    return {one["MetricName"]: one["Value"] for one in found}


@pytest.mark.one_way
def test_an_expression_that_explodes_is_given_up_and_the_others_are_not(local: Local) -> None:
    """The process that searches the log is ended; the step has succeeded all the same."""
    line = "echo auc=0.5; echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac; echo loss=2"
    outcome = _metrics(
        local, ("sh", "-c", line), auc="auc=(\\S+)", bad="((a+)+)b", loss="loss=(\\S+)"
    )
    assert outcome.status is StepStatus.SUCCEEDED
    assert _values(outcome) == {"auc": 0.5, "loss": 2.0}
    assert outcome.notes == (
        "metric `bad` was given up: `((a+)+)b` takes more than 2 s on a line of the log",
    )


def test_a_line_that_does_not_end_is_searched_in_part(local: Local) -> None:
    """A progress bar without line breaks: quadratic expressions would take minutes of it."""
    code = "import sys; sys.stdout.write('auc=0.5 ' + 'x' * 150_000 + ' auc=0.9\\nauc=0.7\\n')"
    outcome = _metrics(local, ("python3", "-c", code), auc=".*auc=([0-9.]+)", all="(?:.*)auc=(.)")
    assert _values(outcome) == {"auc": 0.7, "all": 0.0}
    assert outcome.notes[0] == (
        "metric `auc`: of each line only the first 16384 characters were searched"
    )


def test_a_stop_ends_the_search_for_metrics(tmp_path: Path) -> None:
    """Also while an expression holds the processor: without the stop there would be a note."""
    log, stop = tmp_path / "log", threading.Event()
    log.write_text("a" * 40 + "c")
    timer = threading.Timer(0.3, stop.set)
    timer.start()
    found = final_metrics({"bad": re.compile("((a+)+)b")}, [log], stop)
    assert (found.values, found.notes) == ([], ())
    timer.join()


def test_a_metric_may_name_its_group_as_the_service_does(local: Local) -> None:
    """The service reads Java's expressions: `(?<value>…)` is Python's `(?P<value>…)`."""
    request = local.training("sh", "-c", "echo auc=0.7")
    regex = "(?<=a)uc=(?<value>[0-9.]+)"
    request["AlgorithmSpecification"]["MetricDefinitions"] = [{"Name": "auc", "Regex": regex}]
    (found,) = training.execute(local.call(request)).properties["FinalMetricDataList"]
    assert (found["MetricName"], found["Value"]) == ("auc", 0.7)
