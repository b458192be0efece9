from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.runtime.environment import hyperparameter_arguments
from pipelines.testing.jobs import Jobs
from tests.everything import EVERYTHING

pytestmark = pytest.mark.usefixtures("every_python")

SHOW = """\
import json, os, sys
print("RESULT" + json.dumps({"argv": sys.argv, "cwd": os.getcwd(), "path": sys.path[0],
    "environment": {k: v for k, v in os.environ.items() if k.startswith(("SM_", "PYTHON"))}}))
"""


def shown(log: str) -> dict[str, object]:
    """Read what the script SHOW printed."""
    line = next(line for line in log.splitlines() if line.startswith("RESULT"))
    found: dict[str, object] = json.loads(line.removeprefix("RESULT"))
    return found


def test_a_script_runs_from_the_code_folder_beside_its_modules(jobs: Jobs, project: Path) -> None:
    """The working directory is the code folder; the script's own folder is sys.path[0]."""
    (project / "training").mkdir()
    (project / "shared.py").write_text("TEXT = 'shared'\n")
    (project / "training" / "beside.py").write_text("TEXT = 'beside'\n")
    (project / "training" / "train.py").write_text(
        f"import beside, shared\nprint(beside.TEXT, shared.TEXT)\n{SHOW}"
    )
    result = jobs.training("training/train.py").run()
    assert result.exit_code == 0, result.log
    assert "beside shared" in result.log
    seen = shown(result.log)
    assert seen["path"] == str(project / "training"), "a log names the project's files"
    assert not Path(str(seen["cwd"])).exists(), "the scratch folder must be gone"


def test_a_pipe_in_a_model_is_removed_and_said(jobs: Jobs, project: Path) -> None:
    """An archive could hold it and nobody read it; there need be no link beside it."""
    (project / "train.py").write_text(
        "import os\nmodel = os.environ['SM_MODEL_DIR']\nos.makedirs(model + '/deep')\n"
        "open(model + '/deep/weights', 'w').close()\nos.mkfifo(model + '/deep/pipe')\n"
    )
    result = jobs.training("train.py").run()
    assert result.exit_code == 0, result.log
    assert "/deep/pipe is a pipe, a socket or a device: removed" in result.log
    assert [one.name for one in (result.model / "deep").iterdir()] == ["weights"]


def test_every_variable_of_a_training_job_is_set(jobs: Jobs, project: Path) -> None:
    """The platform sets no SM_* variable: the runtime sets all of FACTS 3.2."""
    (project / "train.py").write_text(SHOW)
    result = jobs.training(
        "train.py",
        channels={"train-set": {"a.txt": "1"}, "code": {"x.txt": "not the user's"}},
        hyperparameters={"learning-rate": 1e-3, "epochs": 4, "name": "a b"},
    ).run()
    seen = shown(result.log)["environment"]
    assert isinstance(seen, dict)
    root = str(result.model.parent)
    expected = {
        "SM_MODEL_DIR": f"{root}/model",
        "SM_INPUT_DIR": f"{root}/input",
        "SM_INPUT_DATA_DIR": f"{root}/input/data",
        "SM_INPUT_CONFIG_DIR": f"{root}/input/config",
        "SM_OUTPUT_DIR": f"{root}/output",
        "SM_OUTPUT_FAILURE": f"{root}/output/failure",
        "SM_OUTPUT_DATA_DIR": f"{root}/output/data",
        "SM_MASTER_ADDR": "algo-1",
        "SM_CHANNELS": '["train-set"]',
        "SM_CHANNEL_TRAIN_SET": f"{root}/input/data/train-set",
        "SM_HP_LEARNING_RATE": "0.001",
        "SM_HPS": '{"learning-rate": 0.001, "epochs": 4, "name": "a b"}',
        "SM_HOSTS": '["algo-1"]',
        "SM_CURRENT_HOST": "algo-1",
        "SM_HOST_COUNT": "1",
        "SM_CURRENT_HOST_RANK": "0",
        "SM_CURRENT_INSTANCE_TYPE": "local",
        "SM_NUM_NEURONS": "0",
        "SM_LOG_LEVEL": "20",
        "SM_ENTRY_SCRIPT": "train.py",
        "SM_SOURCE_DIR": str(shown(result.log)["cwd"]),
        "SM_DISTRIBUTED_CONFIG": "{}",
        "SM_MODULE_DIR": str(shown(result.log)["cwd"]),
        "SM_MODULE_NAME": "train",
        "SM_FRAMEWORK_PARAMS": "{}",
    }
    assert {name: seen.get(name) for name in expected} == expected
    described = json.loads(seen["SM_TRAINING_ENV"])
    argv = shown(result.log)["argv"]
    assert isinstance(argv, list)
    assert json.loads(seen["SM_USER_ARGS"]) == argv[1:]
    told = ("master_hostname", "is_master", "module_name", "additional_framework_parameters")
    assert [described[name] for name in told] == ["algo-1", True, "train", {}]
    assert described["channel_input_dirs"] == {"train-set": f"{root}/input/data/train-set"}
    for name in ("MASTER_PORT", "NUM_CPUS", "NUM_GPUS", "RESOURCE_CONFIG", "INPUT_DATA_CONFIG"):
        json.loads(seen[f"SM_{name}"])


def test_a_processing_job_finds_inputs_outputs_arguments_and_model(
    jobs: Jobs, project: Path
) -> None:
    """Inputs are SM_CHANNEL_*, outputs SM_OUT_*, and the model archive is unpacked."""
    (project / "evaluate.py").write_text(
        "import os, sys, pathlib\n"
        "e = os.environ\n"
        "text = pathlib.Path(e['SM_CHANNEL_TEST'], 'a.txt').read_text()\n"
        "text += pathlib.Path(e['SM_MODEL_DIR'], 'deep', 'model.txt').read_text()\n"
        "pathlib.Path(e['SM_OUT_MY_REPORT'], 'r.txt').write_text(text + '|'.join(sys.argv[1:]))\n"
    )
    result = jobs.processing(
        "evaluate.py",
        inputs={"test": {"a.txt": "data "}},
        outputs=["my-report"],
        arguments={"seed": -7, "text": "x y"},
        model={"deep/model.txt": "model "},
    ).run()
    assert result.exit_code == 0, result.log
    written = (result.outputs["my-report"] / "r.txt").read_text()
    assert written == "data model --seed|-7|--text|x y"


ODD = {"a": 'it\'s "q"', "b": "--x -y", "c": "", "d": "ü 漢 😀", "e": "$HOME `id` \\ *", "f": "\t"}


def test_odd_hyperparameters_arrive_unchanged(jobs: Jobs, project: Path) -> None:
    """Quotes, spaces, Unicode and leading dashes survive in the arguments and in SM_HP_*."""
    (project / "train.py").write_text(SHOW)
    seen = shown(jobs.training("train.py", hyperparameters=ODD).run().log)
    argv, environment = seen["argv"], seen["environment"]
    assert isinstance(argv, list)
    assert isinstance(environment, dict)
    assert argv[1:] == hyperparameter_arguments(ODD)
    assert {k: environment[f"SM_HP_{k.upper()}"] for k in ODD} == ODD


PARSE = """\
import argparse, json, os
parser = argparse.ArgumentParser()
parser.add_argument("--value")
given = parser.parse_args().value
assert given == os.environ["SM_HP_VALUE"]
print("RESULT" + json.dumps({"value": given}))
"""
VALUES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\n\r"), max_size=60)


@settings(
    max_examples=12 if EVERYTHING else 6,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(value=VALUES)
def test_argparse_reads_back_any_hyperparameter(jobs: Jobs, project: Path, value: str) -> None:
    """Whatever one line of text a hyperparameter is, argparse gives it back to the script."""
    (project / "train.py").write_text(PARSE)
    result = jobs.training("train.py", hyperparameters={"value": value}).run()
    assert shown(result.log)["value"] == value, result.log


@pytest.mark.parametrize(
    ("script", "exit_code", "first_line"),
    [
        ("raise KeyError('dep_delay')", 1, "KeyError: 'dep_delay'"),
        ("import sys\nsys.exit(3)", 3, "exit code 3"),
        ("import sys\nsys.exit('no rows left')", 1, "exit code 1"),
        ("import os\nos.kill(os.getpid(), 9)", 137, "killed by SIGKILL; out of memory?"),
        ("import os\nos.abort()", 134, "killed by SIGABRT"),
        ("def f(:\n  pass", 1, "exit code 1"),
    ],
)
def test_a_failed_script_leaves_its_reason_and_exit_code(
    jobs: Jobs, project: Path, script: str, exit_code: int, first_line: str
) -> None:
    """The failure file begins with what went wrong; the exit code is the script's own."""
    (project / "train.py").write_text(script)
    result = jobs.training("train.py", timeout=60).run() if "f(:" not in script else None
    if result is None:  # a syntax error cannot be traced for its imports: hand the file over
        (project / "ok.py").write_text("import runpy\nrunpy.run_path('train.py')\n")
        result = jobs.training("ok.py", include=["train.py"]).run()
        first_line = "SyntaxError: invalid syntax"
    assert result.exit_code == exit_code
    assert result.failure is not None
    assert result.failure.splitlines()[0] == first_line


def test_a_processing_failure_goes_to_the_message_file(jobs: Jobs, project: Path) -> None:
    """SageMaker reads a processing job's ExitMessage from output/message (FACTS 11.5)."""
    (project / "run.py").write_text("print('three\\nlast words', flush=True)\nraise SystemExit(2)")
    job = jobs.processing("run.py", outputs=["out"])
    result = job.run()
    message = job.folder / "algo-1" / "opt" / "ml" / "output" / "message"
    assert message.read_text() == result.failure
    assert result.failure == "exit code 2\nThe output ended with:\nthree\nlast words"


def test_the_failure_file_is_short_and_whole_utf8(jobs: Jobs, project: Path) -> None:
    """At most 1024 bytes, never cut inside a character, the message first."""
    (project / "train.py").write_text("raise ValueError('ü漢' * 3000)")
    job = jobs.training("train.py")
    job.run()
    text = (job.folder / "algo-1/opt/ml/output/failure").read_bytes()
    assert 1000 < len(text) <= 1024
    assert text.decode("utf-8").startswith("ValueError: ü漢ü漢")


def test_a_failure_file_that_cannot_be_written_is_no_bug(jobs: Jobs, project: Path) -> None:
    """On a full disk, say: the log still ends with what went wrong."""
    (project / "train.py").write_text(
        "import os\nos.makedirs(os.environ['SM_OUTPUT_FAILURE'])\n"
        "print('so far', end='')\nraise SystemExit(3)"
    )
    result = jobs.training("train.py").run()
    assert result.exit_code == 3
    assert "so far\npipelines: the job failed: exit code 3" in result.log
    assert "failure cannot be written" in result.log
    assert "bug" not in result.log


def test_the_reason_names_files_of_the_project(jobs: Jobs, project: Path) -> None:
    """A traceback shows paths as the user knows them, not those of the scratch folder."""
    (project / "steps").mkdir()
    (project / "steps" / "features.py").write_text("def f():\n    return 1 / 0\nf()\n")
    result = jobs.processing("steps/features.py").run()
    assert result.failure is not None
    assert 'File "steps/features.py", line 2, in f' in result.failure
