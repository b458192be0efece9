from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipelines.bundle.assets import CodeAsset
from pipelines.bundle.code import bundle
from pipelines.compile.driver import compile_spec
from pipelines.compile.model import CompileRequest
from pipelines.runtime.bundle import BundleFile
from pipelines.testing.environments import environment
from pipelines.testing.errors import JobSetupError
from pipelines.testing.jobs import Jobs
from pipelines.testing.options import TrainingOptions
from tests.unit.testing.conftest import write


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


def test_a_program_brought_by_include_may_be_started(tmp_path: Path, project: Path) -> None:
    """A file keeps its executable bit in the bundle, as in one of `compile`."""
    write(project, run="import subprocess\nsubprocess.run(['tools/hello'], check=True)\n")
    tool = project / "tools" / "hello"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\necho hello from the tool\n")
    tool.chmod(0o755)
    result = Jobs(tmp_path / "jobs", project).processing("run.py", include=["tools"]).run()
    assert result.exit_code == 0, result.log
    assert "hello from the tool" in result.log


def test_a_package_below_src_is_imported_as_an_installed_one(tmp_path: Path, project: Path) -> None:
    """The script and its module are bundled, and `src/` is on the path of the job."""
    package = project / "src" / "my_package"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "data.py").write_text("VALUE = 41")
    (package / "train.py").write_text("from my_package.data import VALUE\nprint(VALUE + 1)\n")
    result = Jobs(tmp_path / "jobs", project).processing("src/my_package/train.py").run()
    assert result.exit_code == 0, result.log
    assert "42" in result.log


SPEC = """\
spec: 1
pipeline: p
defaults: {image: sklearn-1.9-cpu}
steps:
  work:
    kind: processing
    script: steps/work.py
    include: [conf/*.yaml, tools, one.txt]
"""


def test_a_job_of_a_test_gets_the_files_that_compile_bundles(tmp_path: Path, project: Path) -> None:
    """Imports, folders, globs and file modes: there is one collector."""
    write(
        project,
        work_of_steps="import beside\nfrom lib.deep import tool\nimport json\n",
        beside_of_steps="import lib",
        __init___of_lib="",
        __init___of_deep_of_lib="",
        tool_of_deep_of_lib="from .. import other\n",
        other_of_lib="",
        unrelated="",
        run_of_tools="#!/usr/bin/env python3\n",
    )
    (project / "tools" / "run.py").chmod(0o755)
    (project / "conf").mkdir()
    for name in ("pipeline.yaml", "conf/a.yaml", "conf/b.yaml", "conf/c.json", "one.txt"):
        (project / name).write_text(SPEC)
    result = compile_spec(CompileRequest(project / "pipeline.yaml", None, {}))
    assert result.compiled is not None, result.checked.diagnostics
    job = Jobs(tmp_path / "jobs", project).processing(
        "steps/work.py", include=["conf/*.yaml", Path("tools"), project / "one.txt"]
    )
    made = bundle(job.code, job.project)
    assert made.plan is not None, made.findings
    own = made.plan.read(job.project)

    def code(asset: CodeAsset) -> list[BundleFile]:
        return [one for one in asset.members if one.path.startswith("code/")]

    assert code(own) == code(result.compiled.code[0])
    assert len(code(own)) == 10


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"script": "steps/other.py"}, "SP301: the script `steps/other.py` does not exist"),
        ({"script": Path("/etc/hosts")}, "SP302: `/etc/hosts` lies outside the project"),
        ({"include": ["*.csv"]}, "SP301: `\\*.csv` names no file of the project"),
        ({"script": "broken.py"}, r"SP303: line 1 of `broken.py` .*\(it has to be Python"),
        ({"inputs": {"raw": "data"}}, "the data .*project/data does not exist"),
    ],
)  # fmt: skip
def test_what_compile_does_not_accept_no_job_gets(
    tmp_path: Path, project: Path, options: dict[str, object], said: str
) -> None:
    """The messages are those of `compile`."""
    write(project, run="", broken="if x\n")
    job = Jobs(tmp_path / "jobs", project).processing(**{"script": "run.py", **options})  # type: ignore[arg-type]
    with pytest.raises(JobSetupError, match=said):
        job.run()


def test_a_script_may_be_a_path(tmp_path: Path, project: Path) -> None:
    """Absolute or relative to the project, through a link as well."""
    write(project, run_of_steps="print('ran')\n")
    (tmp_path / "link").symlink_to(project)
    jobs = Jobs(tmp_path / "jobs", project)
    for script in (
        Path("steps/run.py"),
        project / "steps" / "run.py",
        tmp_path / "link" / "steps" / "run.py",
    ):
        assert jobs.processing(script).run().log == "ran\n"
    with pytest.raises(TypeError, match="a path is a text or a Path, not 7"):
        jobs.training(7)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([1, 2], "must be a text, a number or true/false, got a list"),
        (None, "must be a text, a number or true/false, got nothing"),
        ({"a": 1}, "must be a text, a number or true/false, got a mapping"),
        (float("nan"), "must be a finite number, got the number nan"),
        (np.int64(7), "must be a text, a number or true/false, got a value of type int64"),
    ],
)
def test_values_that_the_spec_refuses_are_refused(
    tmp_path: Path, project: Path, value: object, said: str
) -> None:
    """Arguments, hyperparameters and variables are scalars, as in `pipeline.yaml`."""
    jobs = Jobs(tmp_path / "jobs", project)
    with pytest.raises(TypeError, match=f"`arguments.n` {said}"):
        jobs.processing("run.py", arguments={"n": value})
    with pytest.raises(TypeError, match=f"`hyperparameters.n` {said}"):
        jobs.training("run.py", hyperparameters={"n": value})
    with pytest.raises(TypeError, match=f"`environment.n` {said}"):
        jobs.training("run.py", environment={"n": value})
    with (
        pytest.raises(TypeError, match=f"`hyperparameters.n` {said}"),
        environment(tmp_path / "ml", project, hyperparameters={"n": value}),
    ):
        raise AssertionError


def test_values_arrive_as_the_text_that_a_definition_holds(tmp_path: Path, project: Path) -> None:
    """Numbers and booleans as `compile` writes them; a name and its value are two words."""
    write(project, run="import os, sys\nprint(*sys.argv[1:], os.environ['DEBUG'])\n")
    job = Jobs(tmp_path / "jobs", project).processing(
        "run.py",
        arguments={"rate": 2e-5, "seed": -7, "fast": True, "share": np.float64(0.5)},
        environment={"DEBUG": False},
    )
    assert job.run().log == "--rate 2e-05 --seed -7 --fast true --share 0.5 false\n"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"chanels": {}}, r"no option `chanels`: did you mean `channels`"),
        ({"channels": ["data"]}, r"`channels` is a mapping of names to values, not \['data'\]"),
        ({"include": "suites"}, r"`include` is a list: write \['suites'\]"),
        ({"hosts": 0}, "`hosts` is a number of instances, 1 or more, not 0"),
        ({"requirements": Path("a.txt")}, r"`requirements` is a list: write \["),
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
        pytest.raises(TypeError, match="no option `inputs`: the options are channels, hyper"),
        environment(tmp_path / "ml", project, inputs={}),  # type: ignore[call-arg]
    ):
        raise AssertionError


@pytest.mark.parametrize("value", [None, 7, 1.5, True, b"x", "x", ["a", 7], {7: 7}, object()])
@pytest.mark.parametrize("option", sorted({*TrainingOptions.__optional_keys__, "outputs"}))
def test_a_value_of_another_type_is_refused_in_a_sentence(
    option: str, value: object, tmp_path: Path, project: Path
) -> None:
    """Whatever is given for an option is what it takes, or a TypeError that names the option."""
    jobs = Jobs(tmp_path / "jobs", project)
    make = jobs.processing if option == "outputs" else jobs.training
    try:
        make("run.py", **{option: value})  # type: ignore[arg-type]
    except (TypeError, JobSetupError) as error:
        assert f"`{option}" in str(error)  # noqa: PT017 - some values are right


@pytest.mark.parametrize("name", [None, 7, b"train", ["train"], object()])
def test_a_step_is_named_by_a_text(name: object, tmp_path: Path, project: Path) -> None:
    """What else is given is named, and how it is written."""
    jobs = Jobs(tmp_path / "jobs", project, project / "pipeline.yaml")
    with pytest.raises(TypeError, match=r'a step is named by a text, as in step\("train"\), not '):
        jobs.step(name)  # type: ignore[arg-type]
