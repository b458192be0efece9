"""The last lines of a local log, while the job still writes it."""

from __future__ import annotations

from pathlib import Path

from pipelines.backends.local.operations.logs import LogOperations
from pipelines.json_types import JsonObject

JOB = "pipelines-abc123def456-train-x1-1"


def _log(home: Path, text: str, *, is_running: bool) -> LogOperations:
    folder = home / "executions" / "abc123def456" / "train" / "1"
    folder.mkdir(parents=True)
    (folder / "job").write_text(JOB)
    (folder / "algo-1.log").write_text(text)
    (home / "jobs").mkdir()
    if is_running:
        (home / "jobs" / f"{JOB}.lock").touch()
    return LogOperations(home)


def _read(logs: LogOperations, **request: object) -> JsonObject:
    answer: JsonObject = logs.get_log_events(
        logGroupName="group", logStreamName=f"{JOB}/algo-1", **request
    )
    return answer


def test_a_line_that_is_being_written_is_shown_and_read_again(tmp_path: Path) -> None:
    """The token stands before it, so that nothing of it is lost."""
    logs = _log(tmp_path, "one\ntwo\n\r 50%", is_running=True)
    answer = _read(logs, limit=2, startFromHead=False)
    assert [event["message"] for event in answer["events"]] == ["two", "\r 50%"]
    file = tmp_path / "executions" / "abc123def456" / "train" / "1" / "algo-1.log"
    file.write_text("one\ntwo\n\r 50%\r100%\n")
    after = _read(logs, nextToken=answer["nextForwardToken"], startFromHead=True)
    assert [event["message"] for event in after["events"]] == ["\r 50%\r100%"]


def test_the_last_line_of_a_job_that_ended_is_whole(tmp_path: Path) -> None:
    """Nothing more comes."""
    logs = _log(tmp_path, "one\ntwo", is_running=False)
    answer = _read(logs, limit=1, startFromHead=False)
    assert [event["message"] for event in answer["events"]] == ["two"]
    assert answer["nextForwardToken"] == "f/7"


def test_few_lines_of_a_long_log_are_found_where_they_stand(tmp_path: Path) -> None:
    """Also where they are longer than what is read of the end at first."""
    lines = ["x" * 9000, "y" * 9000, "z" * 9000]
    logs = _log(tmp_path, "".join(f"{line}\n" for line in lines), is_running=False)
    answer = _read(logs, limit=2, startFromHead=False)
    assert [event["message"] for event in answer["events"]] == lines[1:]
    assert answer["nextBackwardToken"] == "b/9001"
