from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.unit.testing.conftest import write

USERS_TEST = """
import os

def test_job(sagemaker_job):
    result = sagemaker_job.processing("run.py", outputs=["out"], arguments={"n": 3}).run()
    assert (result.outputs["out"] / "n").read_text() == "3"

def test_variables(sagemaker_environment):
    with sagemaker_environment(channels={"train": {"a.txt": "1"}}) as job:
        assert (job.channels["train"] / "a.txt").read_text() == "1"
    assert "SM_MODEL_DIR" not in os.environ

def test_all_of_tmp_path_is_an_input(sagemaker_job, sagemaker_environment, tmp_path):
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "x.txt").write_text("x")
    result = sagemaker_job.processing("list.py", inputs={"raw": tmp_path}).run()
    assert result.log.split() == ["jobs/x.txt"]
    with sagemaker_environment(channels={"raw": tmp_path}) as job:
        assert (job.channels["raw"] / "jobs" / "x.txt").exists()
"""
LIST = """
import os, pathlib
raw = pathlib.Path(os.environ["SM_CHANNEL_RAW"])
print(*(p.relative_to(raw) for p in raw.rglob("*") if p.is_file()))
"""


SPEC = """\
spec: 1
pipeline: p
defaults: {image: sklearn-1.9-cpu}
steps:
  work: {kind: processing, script: run.py, inputs: {raw: s3://b/raw/}, arguments: {n: 3}}
"""


def run_pytest(project: Path, *arguments: str) -> str:
    """Run pytest in a project with this plugin and no other; return what it prints.

    Its temporary folders are in the project: among those of all runs it would remove old ones.
    """
    root = Path(__file__).parents[3]
    (project / "pytest.ini").touch()
    ended = subprocess.run(
        [
            sys.executable,
            "-P",
            "-m",
            "pytest",
            "-q",
            "-p",
            "pipelines.testing.plugin",
            "--basetemp=tmp",
            *arguments,
        ],
        cwd=project,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.stdout + ended.stderr


def test_the_fixtures_work_in_a_users_project(project: Path) -> None:
    """A user's test needs no import of ours."""
    write(
        project,
        run="import os, sys\nopen(os.environ['SM_OUT_OUT'] + '/n', 'w').write(sys.argv[2])\n",
        list=LIST,
        test_users=USERS_TEST,
    )
    said = run_pytest(project)
    assert "3 passed" in said, said


def test_a_project_may_have_a_package_of_our_name(project: Path) -> None:
    """Its tests import that one, also while a fixture of ours is in use."""
    write(
        project,
        __init___of_pipelines="",
        deep_of_pipelines="WHOSE = 'the project'",
        run="print('ran')\n",
        test_users=(
            "from pipelines.deep import WHOSE\n"
            "def test_job(sagemaker_job, sagemaker_environment):\n"
            "    assert sagemaker_job.training('run.py').run().log == 'ran\\n'\n"
            "    assert sagemaker_job.step('work', inputs={'raw': {}}).run().log == 'ran\\n'\n"
            "    with sagemaker_environment(hyperparameters={'n': 1}):\n"
            "        from pipelines import deep\n"
            "    assert WHOSE == deep.WHOSE == 'the project'\n"
        ),
    )
    (project / "pipeline.yaml").write_text(SPEC)
    said = run_pytest(project)
    assert "1 passed" in said, said


def test_the_spec_file_is_found_above_the_test_or_named(project: Path) -> None:
    """Scripts and data begin at its folder; the command line goes before the configuration."""
    nested = project / "some" / "where"
    write(
        nested / "tests",
        test_users=(
            "def test_job(sagemaker_job, sagemaker_project):\n"
            "    print('SPEC', sagemaker_job.spec.relative_to(sagemaker_project))\n"
            "    step = sagemaker_job.step('work', inputs={'raw': 'data'})\n"
            "    assert 'ARGV --n' in step.run().log\n"
        ),
    )
    write(nested, run="import sys\nprint('ARGV', *sys.argv[1:])\n")
    (nested / "data").mkdir()
    for name in ("pipeline.yaml", "named.yaml", "other.yaml"):
        (nested / name).write_text(SPEC)
    assert "SPEC pipeline.yaml" in run_pytest(project, "-s")
    (project / "pytest.ini").write_text("[pytest]\npipelines_file = some/where/named.yaml\n")
    assert "SPEC named.yaml" in run_pytest(project, "-s")
    said = run_pytest(project, "-s", "--pipelines-file", "some/where/other.yaml")
    assert "SPEC other.yaml" in said
    assert "1 passed" in said


def test_the_plugin_costs_nothing_unused(project: Path) -> None:
    """Loaded with every pytest run, it imports nothing of the tool before a fixture is used."""
    write(
        project,
        test_users=(
            "import sys\n"
            "def loaded():\n"
            "    return {m for m in sys.modules if m.partition('.')[0] == 'pipelines'}\n"
            "def test_nothing():\n"
            "    names = ['pipelines', 'pipelines.testing', 'pipelines.testing.plugin']\n"
            "    assert sorted(loaded()) == names\n"
            "    assert not {'yaml', 'pydantic'} & sys.modules.keys()\n"
            "def test_something(sagemaker_job):\n"
            "    assert 'pipelines.testing.jobs' in loaded()\n"
            "    assert not {'yaml', 'pipelines.compile', 'pipelines.kinds'} & sys.modules.keys()\n"
        ),
    )
    said = run_pytest(project)
    assert "2 passed" in said, said
