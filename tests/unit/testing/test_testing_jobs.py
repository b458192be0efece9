from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from pipelines.testing.data import put
from pipelines.testing.environments import environment
from pipelines.testing.jobs import Jobs
from pipelines.testing.sources import collect


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The folder of a user's project."""
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


def write(project: Path, **files: str) -> None:
    """Write Python files; `_of_` in a name parts it from its folder: `a_of_b` is b/a.py."""
    for name, text in files.items():
        path = project.joinpath(*reversed(name.split("_of_"))).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_a_training_job_takes_frames_and_gives_model_log_and_metrics(
    tmp_path: Path, project: Path
) -> None:
    """The example of the documentation, with what a result shows."""
    write(
        project,
        train_of_training=(
            "import os, pathlib, pandas as pd\n"
            "rows = len(pd.read_csv(pathlib.Path(os.environ['SM_CHANNEL_TRAIN'], 'a.csv')))\n"
            "for epoch in range(int(os.environ['SM_HP_EPOCHS'])):\n"
            "    print(f'validation auc={rows + epoch / 10}')\n"
            "pathlib.Path(os.environ['SM_MODEL_DIR'], 'model.txt').write_text('m')\n"
        ),
    )
    result = Jobs(tmp_path / "jobs", project).training(
        "training/train.py",
        channels={"train": {"a.csv": pd.DataFrame({"x": [1, 2]})}},
        hyperparameters={"epochs": 2},
    ).run()  # fmt: skip
    assert result.exit_code == 0, result.failure
    assert result.failure is None
    assert result.metrics(r"validation auc=([0-9.]+)") == [2.0, 2.1]
    assert (result.model / "model.txt").read_text() == "m"


def test_several_hosts_run_with_their_own_rank_and_their_folders_are_merged(
    tmp_path: Path, project: Path
) -> None:
    """Each host is a process with its own /opt/ml; SageMaker merges what they leave."""
    write(
        project,
        run=(
            "import os, pathlib\n"
            "rank = os.environ['SM_CURRENT_HOST_RANK']\n"
            "pathlib.Path(os.environ['SM_OUT_PARTS'], f'part-{rank}').write_text(rank)\n"
        ),
    )
    result = Jobs(tmp_path / "jobs", project).processing("run.py", hosts=2, outputs=["parts"]).run()
    assert result.exit_code == 0, result.log
    assert sorted(p.name for p in result.outputs["parts"].iterdir()) == ["part-0", "part-1"]
    assert list(result.logs) == ["127.0.0.1", "127.0.0.2"]


def test_when_one_host_fails_the_others_are_stopped(tmp_path: Path, project: Path) -> None:
    """SageMaker ends the whole job; the failure is that of the host that failed."""
    write(
        project,
        run=(
            "import os, signal\n"
            "if os.environ['SM_CURRENT_HOST_RANK'] == '1':\n"
            "    raise ValueError('one is enough')\n"
            "signal.pause()\n"
        ),
    )
    result = Jobs(tmp_path / "jobs", project).training("run.py", hosts=2).run()
    assert result.exit_code == 1
    assert result.failure is not None
    assert result.failure.startswith("ValueError: one is enough")


def test_a_job_over_its_time_is_killed(tmp_path: Path, project: Path) -> None:
    """No test hangs for ever."""
    write(project, run="import signal\nsignal.pause()\n")
    with pytest.raises(TimeoutError, match=r"not done after 0\.5 s"):
        Jobs(tmp_path / "jobs", project).training("run.py", timeout=0.5).run()


def test_a_bundle_holds_the_imported_modules_and_what_is_included(project: Path) -> None:
    """Modules beside the script and of the project, packages, relative imports; nothing else."""
    write(
        project,
        features_of_steps="import beside\nfrom lib.deep import tool\nimport json, lib.other\n",
        beside_of_steps="import lib",
        __init___of_lib="",
        __init___of_deep_of_lib="",
        tool_of_deep_of_lib="from . import sibling\nfrom .. import other as o\n",
        sibling_of_deep_of_lib="",
        other_of_lib="",
        unrelated="",
    )
    (project / "suites").mkdir()
    (project / "suites" / "a.json").write_text("{}")
    assert set(collect(project, "steps/features.py", ["suites"])) == {
        "steps/features.py", "steps/beside.py", "lib/__init__.py", "lib/deep/__init__.py",
        "lib/deep/tool.py", "lib/deep/sibling.py", "lib/other.py", "suites/a.json",
    }  # fmt: skip


def test_data_may_be_a_folder_a_file_a_frame_or_contents(tmp_path: Path, project: Path) -> None:
    """Everything lands as files in the channel's folder."""
    (project / "data" / "deep").mkdir(parents=True)
    (project / "data" / "deep" / "x.txt").write_text("x")
    frame = pd.DataFrame({"a": [1]})
    put("data", tmp_path / "folder", project)
    put(project / "data" / "deep" / "x.txt", tmp_path / "file", project)
    put(frame, tmp_path / "frame", project)
    put({"t": "text", "b": b"\0", "j": {"k": 1}, "f.parquet": frame}, tmp_path / "many", project)
    assert (tmp_path / "folder" / "deep" / "x.txt").read_text() == "x"
    assert (tmp_path / "file" / "x.txt").read_text() == "x"
    assert (tmp_path / "frame" / "data.parquet").exists()
    assert (tmp_path / "many" / "j").read_text() == '{"k": 1}'
    assert (tmp_path / "many" / "f.parquet").exists()
    with pytest.raises(TypeError, match=r"\.csv or \.parquet"):
        put({"f.xlsx": frame}, tmp_path / "odd", project)
    with pytest.raises(TypeError, match="not int"):
        put(7, tmp_path / "odd", project)  # type: ignore[arg-type]


def test_variables_are_set_in_this_process_and_put_back(tmp_path: Path, project: Path) -> None:
    """For a function under test; nothing is left behind."""
    before = dict(os.environ)
    options = {"channels": {"train": {"a.txt": "1"}}, "outputs": ["out-put"]}
    with environment(tmp_path / "ml", project, hyperparameters={"lr": 0.1}, **options) as job:  # type: ignore[arg-type]
        assert os.environ["SM_CHANNEL_TRAIN"] == str(job.channels["train"])
        assert os.environ["SM_OUT_OUT_PUT"] == str(job.outputs["out-put"])
        assert os.environ["SM_MODEL_DIR"] == str(job.model)
        assert os.environ["SM_HP_LR"] == "0.1"
        assert job.outputs["out-put"].is_dir()
    assert dict(os.environ) == before


USERS_TEST = """
import os

def test_job(sagemaker_job):
    result = sagemaker_job.processing("run.py", outputs=["out"], arguments={"n": 3}).run()
    assert (result.outputs["out"] / "n").read_text() == "3"

def test_variables(sagemaker_environment):
    with sagemaker_environment(channels={"train": {"a.txt": "1"}}) as job:
        assert (job.channels["train"] / "a.txt").read_text() == "1"
    assert "SM_MODEL_DIR" not in os.environ
"""


def test_the_fixtures_work_in_a_users_project(project: Path) -> None:
    """A user's test needs no import of ours."""
    write(
        project,
        run="import os, sys\nopen(os.environ['SM_OUT_OUT'] + '/n', 'w').write(sys.argv[2])\n",
        test_users=USERS_TEST,
    )
    (project / "pytest.ini").write_text("[pytest]\n")
    root = Path(__file__).parents[3]
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "pipelines.testing.plugin", "test_users.py"],
        cwd=project,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "2 passed" in ended.stdout, ended.stdout


def test_the_plugin_costs_nothing_unused() -> None:
    """Loaded with every pytest run, it imports nothing of the tool before it is asked."""
    code = (
        "import pytest, sys, pipelines.testing.plugin\n"
        "print(sorted(m for m in sys.modules if m.startswith('pipelines.')))"
    )
    root = Path(__file__).parents[3]
    said = subprocess.check_output([sys.executable, "-c", code], text=True, cwd=root)
    assert said == "['pipelines.testing', 'pipelines.testing.plugin']\n"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"chanels": {}}, r"no option `chanels`: there is channels, distribution"),
        ({"channels": ["data"]}, r"`channels` is a mapping of names to values, not \['data'\]"),
        ({"include": "suites"}, r"`include` is a list: write \['suites'\]"),
    ],
)
def test_an_option_that_would_be_ignored_is_refused(
    tmp_path: Path, project: Path, options: dict[str, object], said: str
) -> None:
    """A misspelt word would otherwise give a test that tests something else."""
    jobs = Jobs(tmp_path / "jobs", project)
    with pytest.raises(TypeError, match=said):
        jobs.training("run.py", **options)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="`arguments` is a mapping"):
        jobs.processing("run.py", arguments=["--a"])  # type: ignore[arg-type]
    with (
        pytest.raises(TypeError, match="no option `inputs`: there is channels, hyper"),
        environment(tmp_path / "ml", project, inputs={}),  # type: ignore[call-arg]
    ):
        raise AssertionError
