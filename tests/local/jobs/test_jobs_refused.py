"""Jobs that this machine cannot start, or whose folders are not as they were: each has an end."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from pipelines.backends.local.executors import processing, training
from pipelines.backends.local.jobs.kind import require_kind
from pipelines.backends.local.jobs.states import JobStatus
from pipelines.backends.local.kept import job_folder
from pipelines.execution.failure import without_remarks
from pipelines.execution.status import StepStatus

if TYPE_CHECKING:
    from tests.local.jobs.conftest import Local


def test_a_job_whose_logs_cannot_be_written_is_not_created(local: Local) -> None:
    """Nothing is recorded, its name stays free, and nothing waits for its end."""
    kind = require_kind("Training")
    place = local.home / "logs"
    place.write_text("in the way")
    with pytest.raises(OSError, match="logs"):
        local.jobs.create(kind, "t", local.training("true"))
    assert local.jobs.all(kind) == []
    place.unlink()
    local.jobs.stop_all()
    assert local.jobs.create(kind, "t", local.training("true")).wait().status == "Completed"


def test_a_job_without_a_thread_has_failed(local: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that starts no more threads: the job says so, and nothing waits for its end."""

    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    kind = require_kind("Training")
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        job = local.jobs.create(kind, "t", local.training("true"))
    local.jobs.stop_all()
    assert job.wait().reason == "InternalServerError: this machine cannot start another thread"
    record = local.jobs.find(kind, "t")
    assert record is not None
    assert record.state.status is JobStatus.FAILED


def test_the_kept_folder_of_an_unknown_job_is_not_in_the_way(local: Local) -> None:
    """`state.db` was deleted, and a job of the same name is created."""
    kept = job_folder(local.home, "training-job-t") / "algo-1" / "opt" / "ml" / "old"
    kept.mkdir(parents=True)
    (kept.parents[3] / ".kept").touch()
    job = local.jobs.create(require_kind("Training"), "t", local.training("true"))
    assert job.wait().status == "Completed"
    assert local.clean()


def test_a_folder_that_a_job_has_removed_is_empty(local: Local) -> None:
    """The model and the output of a job may be nothing at all."""
    script = 'cd "${PIPELINES_OPT_ML:-/opt/ml}" && rm -rf model output/data'
    outcome = training.execute(local.call(local.training("sh", "-c", script)))
    assert outcome.status is StepStatus.SUCCEEDED, outcome.reason
    output = {"Outputs": [local.s3_output("rows", "s3://bucket/rows")]}
    script = 'rm -rf "${PIPELINES_OPT_ML:-/opt/ml}/processing"'
    call = local.call(local.processing("sh", "-c", script, ProcessingOutputConfig=output))
    outcome = processing.execute(call)
    assert outcome.status is StepStatus.SUCCEEDED, outcome.reason


def test_a_file_in_place_of_a_folder_is_refused_by_name(local: Local) -> None:
    """What the job has written there is not dropped silently."""
    script = 'cd "${PIPELINES_OPT_ML:-/opt/ml}" && rmdir model && echo 1 > model'
    outcome = training.execute(local.call(local.training("sh", "-c", script)))
    assert outcome.status is StepStatus.FAILED
    assert "the job has replaced its folder" in str(outcome.reason)
    assert "/opt/ml/model by a file" in str(outcome.reason)


@pytest.mark.parametrize(
    ("words", "environment", "said"),
    [
        (("true",), {"A": "x\0y"}, "environment: embedded null byte"),
        (("true",), {"A": "\ud800"}, "surrogates not allowed"),
        (("true", "a\0b"), {}, "'true': embedded null byte"),
    ],
)
def test_a_text_that_no_process_can_have_is_named(
    local: Local, words: tuple[str, ...], environment: dict[str, str], said: str
) -> None:
    """JSON holds NULs and lone surrogates; a job with one fails, and its launcher lives."""
    call = local.call(local.training(*words, Environment=environment))
    outcome = training.execute(call)
    assert outcome.status is StepStatus.FAILED
    assert said in without_remarks(outcome.reason)
