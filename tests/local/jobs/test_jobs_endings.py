from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipelines.backends.local.executors import processing, training
from pipelines.backends.local.jobs import supervise
from pipelines.backends.local.jobs.spec import REASON_LENGTH
from pipelines.execution.failure import remarks, without_remarks
from pipelines.execution.status import StepStatus
from tests.local.jobs.conftest import JumpingClock
from tests.waiting import until

if TYPE_CHECKING:
    from pipelines.backends.local.executors.contract import StepOutcome
    from tests.local.jobs.conftest import Local


def run_training(local: Local, script: str, **more: object) -> StepOutcome:
    """Run a training job of one shell script."""
    hosts = more.pop("hosts", 1)
    assert isinstance(hosts, int)
    return training.execute(local.call(local.training("sh", "-c", script, hosts=hosts, **more)))


def test_an_exit_code_is_a_failure(local: Local) -> None:
    """Exit code ≠ 0 = Failed; the code stands in the reason."""
    outcome = run_training(local, "exit 3")
    assert outcome.status is StepStatus.FAILED
    assert without_remarks(outcome.reason).endswith("exit code: 3")
    assert outcome.properties["TrainingJobStatus"] == "Failed"
    assert outcome.properties["FailureReason"] == outcome.reason
    assert outcome.fault is None


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("nosuchcommand", "exit code: 127 (a command was not found)"),
        ("kill -9 $$", "killed (SIGKILL), probably out of memory"),
        ("kill -11 $$", "killed by SIGSEGV"),
        ("kill -TERM $$", "killed by SIGTERM"),
        ("kill -40 $$", "killed by signal 40"),
        ("exit 137", "exit code: 137 (killed (SIGKILL), probably out of memory)"),
    ],
)
def test_how_a_job_died_is_named(local: Local, script: str, said: str) -> None:
    """Signals and the shell's codes are put into words."""
    assert said in str(run_training(local, script).reason)


def test_a_program_that_is_not_there_is_named(local: Local) -> None:
    """The word that could not be started stands in the reason, with the system's answer."""
    outcome = training.execute(local.call(local.training("./nosuch/program", "x")))
    assert without_remarks(outcome.reason) == (
        "AlgorithmError: the program could not be started: './nosuch/program':"
        " No such file or directory"
    )


def test_the_failure_file_is_the_reason(local: Local) -> None:
    """FACTS 3.4: what /opt/ml/output/failure says is FailureReason."""
    outcome = run_training(local, "printf 'no such column' > /opt/ml/output/failure; exit 1")
    assert without_remarks(outcome.reason) == "AlgorithmError: no such column, exit code: 1"


def test_an_oversize_failure_file_is_cut(local: Local) -> None:
    """At most 1,024 characters; the exit code stays readable at the end."""
    script = "yes é | head -c 100000 > /opt/ml/output/failure; exit 1"
    reason = str(run_training(local, script).reason)
    assert len(reason) == REASON_LENGTH
    assert reason.startswith("AlgorithmError: é\né")
    assert without_remarks(reason).endswith(", exit code: 1")
    assert [Path(one.removeprefix("its folder is kept: ")).is_dir() for one in remarks(reason)] == [
        True
    ]


def test_the_processing_message_is_the_exit_message(local: Local) -> None:
    """FACTS 11.5: /opt/ml/output/message is ExitMessage, of good and of failed jobs."""
    good = processing.execute(
        local.call(local.processing("sh", "-c", "printf fine > /opt/ml/output/message"))
    )
    assert good.properties["ExitMessage"] == "fine"
    bad = processing.execute(
        local.call(local.processing("sh", "-c", "printf oh > /opt/ml/output/message; exit 4"))
    )
    assert bad.properties["ExitMessage"] == "oh"
    assert without_remarks(bad.reason) == "AlgorithmError: oh, exit code: 4"


def test_a_message_that_is_not_utf_8_fails_the_job(local: Local) -> None:
    """FACTS 11.5: not UTF-8 fails the processing job, even one that exits with 0."""
    outcome = processing.execute(
        local.call(local.processing("sh", "-c", "printf '\\377\\376' > /opt/ml/output/message"))
    )
    assert outcome.status is StepStatus.FAILED
    assert outcome.reason == "the text in /opt/ml/output/message is not UTF-8"
    assert "ExitMessage" not in outcome.properties


def test_a_long_message_is_cut_at_a_kilobyte_without_breaking_a_character(local: Local) -> None:
    """The first 1 KB counts; half a character at its end is left out."""
    script = "(printf x; yes é | tr -d '\\n' | head -c 4000) > /opt/ml/output/message"
    outcome = processing.execute(local.call(local.processing("sh", "-c", script)))
    assert outcome.properties["ExitMessage"] == "x" + "é" * 511


def test_an_image_without_an_entrypoint_is_told_about_stubs(local: Local) -> None:
    """Only a container can run an image's own entrypoint: the reason names image and way out."""
    outcome = training.execute(local.call(local.training()))
    assert outcome.status is StepStatus.FAILED
    assert "the image image:1 has its own entrypoint" in str(outcome.reason)
    assert "run --stub STEP=FILE" in str(outcome.reason)
    again = processing.execute(local.call(local.processing()))
    assert "run --stub STEP=FILE" in str(again.reason)


def test_train_of_this_machine_stands_in_for_the_one_of_an_image(
    local: Local, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SageMaker starts `train` where a request has no entrypoint (FACTS 3.4); a note says so."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "train"
    program.write_text(
        "#!/bin/sh\nroot=${PIPELINES_OPT_ML:-/opt/ml}\n"
        "cp $root/input/config/hyperparameters.json $root/model/\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    outcome = training.execute(local.call(local.training(HyperParameters={"rounds": "5"})))
    assert outcome.status is StepStatus.SUCCEEDED, outcome.reason
    assert outcome.notes == ("`train` of this machine is started in place of the one in image:1",)


def test_a_command_that_only_the_image_has_is_told_about_stubs(local: Local) -> None:
    """Whether a request is one of training or of processing."""
    for outcome in (
        training.execute(local.call(local.training("nosuchcommand", "--fast"))),
        processing.execute(local.call(local.processing("nosuchcommand"))),
    ):
        assert outcome.status is StepStatus.FAILED
        assert "does not have the command `nosuchcommand`" in str(outcome.reason)
        assert "run --stub STEP=FILE" in str(outcome.reason)
    for words in (("python3", "-u", "/app/x.py"), ("/app/x.py",), ("sh", "/app/x.py")):
        outcome = processing.execute(local.call(local.processing(*words)))
        assert "this machine does not have `/app/x.py`" in str(outcome.reason)


def test_a_script_that_spark_would_submit_is_started_by_python(local: Local) -> None:
    """Where only the image has smspark-submit; a program in Java needs it, on one host as well."""
    script = local.home / "count.py"
    script.write_text("import sys\nprint('COUNTED', *sys.argv[1:])\n")
    options = ("-v", "--py-files", "/opt/ml/processing/input/py-files")
    words = ("smspark-submit", *options, str(script), "--rows", "3")
    request = local.processing(*words)
    request["AppSpecification"]["ImageUri"] = (
        "1.dkr.ecr.r.amazonaws.com/sagemaker-spark-processing:3"
    )
    request["ProcessingResources"]["ClusterConfig"]["InstanceCount"] = 3
    outcome = processing.execute(local.call(request))
    assert outcome.status is StepStatus.SUCCEEDED, outcome.reason
    said = [file.read_text() for file in sorted((local.home / "logs").rglob("*.log"))]
    assert sum("COUNTED --rows 3" in text for text in said) == 1
    outcome = processing.execute(local.call(local.processing("smspark-submit", "/opt/x.jar")))
    assert "does not have the command `smspark-submit`" in str(outcome.reason)


def test_a_serverless_job_is_told_about_stubs(local: Local) -> None:
    """Its request has neither image nor instances, as the SDK's templates for evaluations."""
    request = local.training()
    request["ServerlessJobConfig"] = {"BaseModelArn": "arn:aws:sagemaker:::m", "JobType": "Eval"}
    del request["AlgorithmSpecification"], request["ResourceConfig"]
    outcome = training.execute(local.call(request))
    assert outcome.status is StepStatus.FAILED
    assert "a serverless job has no code" in str(outcome.reason)
    assert "run --stub STEP=FILE" in str(outcome.reason)


def test_the_wall_clock_limit_ends_a_job(local: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGTERM comes first; the training job is MaxRuntimeExceeded, its step has failed."""
    ready = local.home / "ready"
    monkeypatch.setattr(supervise, "time", JumpingClock(ready))
    script = f"trap 'echo asked; exit 0' TERM; touch {ready}; while :; do sleep 0.02; done"
    call = local.call(local.training("sh", "-c", script))
    outcome = training.execute(call)
    assert outcome.status is StepStatus.FAILED
    assert local.log(call).strip() == "asked"
    assert "MaxRuntimeInSeconds (60 s)" in str(outcome.reason)
    assert outcome.properties["TrainingJobStatus"] == "Stopped"
    assert outcome.properties["SecondaryStatus"] == "MaxRuntimeExceeded"
    model = outcome.properties["ModelArtifacts"]["S3ModelArtifacts"]
    assert local.store.exists(model), "the service keeps the model of a stopped job"


def test_a_stopped_execution_stops_its_job(local: Local) -> None:
    """`call.stop` → SIGTERM → STOPPED, no failure reason."""
    stop = threading.Event()
    started = local.home / "started"
    script = f"touch {started}; exec sleep 60"
    call = local.call(local.training("sh", "-c", script), stop)

    def stop_when_started() -> None:
        until(started.exists)
        stop.set()

    watcher = threading.Thread(target=stop_when_started)
    watcher.start()
    outcome = training.execute(call)
    watcher.join()
    assert outcome.status is StepStatus.STOPPED
    assert outcome.reason is None
    assert outcome.properties["TrainingJobStatus"] == "Stopped"


def test_one_failing_host_ends_the_others(local: Local) -> None:
    """The job does not wait for hosts that wait for a dead one; the reason names the first.

    They sleep for longer than a test may take.
    """
    script = (
        "case $(basename $(dirname $PWD)) in algo-2) echo broken > /opt/ml/output/failure; exit 5;;"
        " *) exec sleep 900;; esac"
    )
    outcome = run_training(local, script, hosts=2)
    assert without_remarks(outcome.reason) == "AlgorithmError: algo-2: broken, exit code: 5"


def test_of_hosts_that_tell_the_same_the_first_one_is_named(local: Local) -> None:
    """Under mpirun all end with the words of the master, whose log has what the ranks said."""
    ready = local.home / "ready"
    script = (
        "echo rank 3: no > /opt/ml/output/failure; case $(basename $(dirname $PWD)) in"
        f" algo-2) while [ ! -e {ready} ]; do sleep 0.01; done; exit 5;;"
        f" *) trap 'exit 5' TERM; touch {ready}; sleep 900 & wait;; esac"
    )
    outcome = run_training(local, script, hosts=2)
    assert without_remarks(outcome.reason) == "AlgorithmError: algo-1: rank 3: no, exit code: 5"


def test_a_hard_coded_path_is_told_what_it_needs(local: Local) -> None:
    """With rewritten paths a script that opens /opt/ml itself fails; the reason says why."""
    local.store.put_bytes("s3://bucket/code/x.py", b"open('/opt/ml/processing/input/code/x.py')")
    words = ("python3", "/opt/ml/processing/input/code/x.py")
    inputs = [local.s3_input("code", "s3://bucket/code/x.py")]
    outcome = processing.execute(local.call(local.processing(*words, ProcessingInputs=inputs)))
    if local.settings.isolation == "namespaces":
        assert outcome.status is StepStatus.SUCCEEDED
    else:
        assert "a hard-coded path needs Linux namespaces" in str(outcome.reason)


def test_output_and_errors_stand_in_one_log_in_order(local: Local) -> None:
    """Both streams go to one file as they are written."""
    call = local.call(local.processing("sh", "-c", "echo 1; echo 2 >&2; echo 3"))
    processing.execute(call)
    assert local.log(call) == "1\n2\n3\n"
