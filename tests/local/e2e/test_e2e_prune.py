"""`prune --local` with real runs: what goes, what stays, and what works afterwards."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from pipelines.backends.local.jobs.owners import JobOwner
from pipelines.backends.local.jobs.states import JobState
from pipelines.backends.local.jobs.workspace import counted
from pipelines.backends.local.pruning import leftovers
from pipelines.backends.local.pruning.choosing import PruneRules
from pipelines.backends.local.pruning.prune import LocalPruning
from pipelines.backends.local.state.jobs import JobRecord
from pipelines.backends.local.state.local_state import LocalState
from tests.local.e2e.tiny_project import Project

ALL = PruneRules(executions=True)


def ids(project: Project) -> list[str]:
    """Return the ids of the executions, the latest first."""
    return [one.id for one in project.seen()]


def mentions(project: Project, execution: str) -> list[Path]:
    """Return the files and folders that are named after an execution."""
    return [path for path in project.home.rglob("*") if execution in path.name]


def old_files(project: Project) -> None:
    """Make all that is in the folder two years old."""
    for path in project.home.rglob("*"):
        os.utime(path, (1_700_000_000, 1_700_000_000), follow_symlinks=False)


def test_executions_go_with_all_that_they_left_but_for_what_others_need(project: Project) -> None:
    """A failed one goes; those that registered a version, or whose results are used, stay."""
    assert project.run("run").code == 0
    project.script("train", 'raise ValueError("no rows")')
    assert project.run("run").code == 5
    project.script("train", 'raise ValueError("no rows, again")')
    assert project.run("run").code == 5
    newest, failed, good = ids(project)
    shown = project.run("prune", "--local", "--keep", "1", "--dry-run").out
    assert f"  {failed} of tiny, " in shown
    assert f"kept 1 execution ({newest}): it is one of the newest 1 of its pipeline" in shown
    assert f"kept 1 execution ({good}): a registered version comes from it" in shown
    refused = project.run("prune", "--local", "--keep", "1")
    assert (refused.code, "add --yes" in refused.err) == (2, True)
    assert ids(project) == [newest, failed, good]
    done = project.run("prune", "--local", "--keep", "1", "--yes")
    assert "removed 1 execution" in done.out, done.text
    assert ids(project) == [newest, good]
    assert mentions(project, failed) == []


def test_what_looks_at_a_pruned_execution_says_so_and_the_rest_works(project: Project) -> None:
    """A sentence of each command; `run`, `--only`, `--resume` and lineage go on with what stays."""
    project.script("train", 'raise ValueError("no rows")')
    assert project.run("run").code == 5
    (failed,) = ids(project)
    project.make()
    assert project.run("run", "--no-cache").code == 0
    assert project.run("prune", "--local", "--older-than", "0h", "--yes").code == 0
    (good,) = ids(project)
    for words in (
        ("status", "--local", failed),
        ("outputs", "--local", failed),
        ("report", "--local", failed),
        ("compare", "--local", failed, good),
        ("logs", "--local", failed, "train"),
        ("run", "--only", "train", "--from", failed),
        ("run", "--resume", failed),
    ):
        answer = project.run(*words)
        assert answer.code == 2, (words, answer.text)
        assert f"no execution `{failed}`" in answer.err, (words, answer.err)
        assert "Traceback" not in answer.text
    assert project.run("status", "--local").out.count("Succeeded") == 1
    assert "Succeeded" in project.run("outputs", "--local").out
    assert good in project.run("models", "--local", "show", "tiny/1").out
    assert "nothing to resume" in project.run("run", "--resume").err
    assert project.run("run", "--only", "train").code == 0
    assert project.run("run").code == 0


def test_environments_stay_while_a_test_of_a_step_uses_one(project: Project) -> None:
    """Pytest's plugin runs a job that no execution knows of."""
    environment = project.home / "env" / "0123456789abcdef"
    environment.mkdir(parents=True)
    with counted(project.home / "jobs", "test-1"):
        project.run("prune", "--local", "--older-than", "0h", "--yes")
        assert environment.is_dir()
    project.run("prune", "--local", "--older-than", "0h", "--yes")
    assert not environment.exists()


def test_what_nothing_names_any_more_goes_when_it_is_old(project: Project) -> None:
    """Code of a version that only pruned executions ran, samples, scratch; not what is in use."""
    project.script("train", 'raise ValueError("no rows")')
    assert project.run("run").code == 5
    project.make()
    assert project.run("run", "--no-cache").code == 0
    code = project.home / "s3" / "pipelines-000000000000" / "tiny" / "code" / "train"
    assert len(list(code.iterdir())) == 2
    (project.home / "samples" / "rows-0123").mkdir(parents=True)
    (project.home / "env" / "0123456789abcdef").mkdir(parents=True)
    (project.home / "env" / "fedcba9876543210").mkdir()
    old_files(project)
    (project.home / "env" / "fedcba9876543210.lock").touch()
    done = project.run("prune", "--local", "--older-than", "1h", "--yes")
    assert done.code == 0, done.text
    (project.home / "env" / ".removed-fedcba9876543210" / "half").mkdir(parents=True)
    done = project.run("prune", "--local", "--older-than", "0h", "--yes")
    assert done.code == 0, done.text
    assert len(list(code.iterdir())) == 1, done.text
    assert list((project.home / "samples").iterdir()) == []
    assert [p.name for p in (project.home / "env").iterdir()] == ["fedcba9876543210.lock"]
    assert project.run("run").code == 0


@pytest.mark.parametrize("deletions", [0, 1, 2])
def test_a_prune_that_was_killed_is_completed_by_the_next(
    project: Project, deletions: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the rows are gone and some of the files: nothing of it is shown, nothing stays."""
    project.script("train", 'raise ValueError("no rows")')
    assert project.run("run").code == 5
    (failed,) = ids(project)
    if not (killed := os.fork()):
        left = iter(range(deletions))
        whole = leftovers.delete

        def dying(path: Path) -> None:
            if next(left, None) is None:
                os.kill(os.getpid(), signal.SIGKILL)
            whole(path)

        monkeypatch.setattr(leftovers, "delete", dying)
        with LocalState(project.home) as state:
            pruning = LocalPruning(project.home, state)
            pruning.remove(ALL, pruning.find(ALL))
        os._exit(0)
    _, status = os.waitpid(killed, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    assert ids(project) == []
    assert mentions(project, failed) != []
    done = project.run("prune", "--local")
    assert "what is left of 1 execution" in done.out, done.text
    assert mentions(project, failed) == []
    assert "nothing to remove" in project.run("prune", "--local").out


def test_a_running_execution_and_what_it_uses_stay(project: Project) -> None:
    """`prune` beside a run removes neither it, nor where it took its results from."""
    assert project.run("run").code == 0
    project.script("train", "import time; time.sleep(60)")
    with project.started("run") as running:
        while "train" not in project.statuses() or len(ids(project)) < 2:
            assert running.poll() is None
        answer = project.run("prune", "--local", "--older-than", "0h", "--yes")
        assert answer.code == 0, answer.text
        assert "it has not ended" in answer.out
        assert len(ids(project)) == 2
    project.wait_for_no_process()


def test_the_jobs_of_an_execution_go_with_it(project: Project) -> None:
    """Nothing lists or describes them any more; those of the executions that stay are there."""
    project.script("train", 'raise ValueError("no rows")')
    assert project.run("run").code == 5
    project.make()
    assert project.run("run", "--no-cache").code == 0
    good, failed = ids(project)
    assert project.run("prune", "--local", "--older-than", "0h", "--yes").code == 0
    with project.sagemaker() as sagemaker:
        trained = sagemaker.list_training_jobs()["TrainingJobSummaries"]
        processed = sagemaker.list_processing_jobs()["ProcessingJobSummaries"]
    names = [
        *(one["TrainingJobName"] for one in trained),
        *(one["ProcessingJobName"] for one in processed),
    ]
    assert [name for name in names if failed in name] == []
    assert len([name for name in names if good in name]) == len(names) == 5


def test_what_the_job_of_a_client_names_stays_while_it_runs(project: Project) -> None:
    """It reads the outputs of an execution; one whose process was killed keeps nothing."""
    project.script("train", 'raise ValueError("no rows")')
    assert project.run("run").code == 5
    (failed,) = ids(project)
    owner = JobOwner(project.home)
    request = {"InputDataConfig": [{"S3Uri": f"s3://pipelines-000000000000/tiny/{failed}/prepare"}]}
    state = JobState.new(time.time())
    with LocalState(project.home) as local:
        local.jobs.add(JobRecord("Training", "t", "arn:t", state, request, owner.name))
        pruning = LocalPruning(project.home, local)
        assert pruning.find(ALL).kept == {failed: "a job that has not ended names it"}
        owner.close()
        assert pruning.find(ALL).executions.keys() == {failed}


def test_code_that_is_used_again_meanwhile_stays(project: Project) -> None:
    """A run starts with code that only a pruned version has named, after `prune` has looked."""
    good = (project.folder / "steps/train.py").read_text()
    project.script("train", 'raise ValueError("no rows")')
    bad = (project.folder / "steps/train.py").read_text()
    assert project.run("run").code == 5
    project.write("steps/train.py", good)
    assert project.run("run", "--no-cache").code == 0
    old_files(project)
    rules = PruneRules(executions=True, unused_since=time.time())
    with LocalState(project.home) as state:
        pruning = LocalPruning(project.home, state)
        found = pruning.find(rules)
        (code,) = [one.path for one in found.others if "code" in one.path.parts]
        project.write("steps/train.py", bad)
        assert project.run("run").code == 5
        pruning.remove(rules, found)
    assert list(code.iterdir())
    os.utime(code, (1_700_000_000, 1_700_000_000))
    with LocalState(project.home) as state:
        state.traces.remove([ids(project)[0]], [("tiny", 3)])
        pruning = LocalPruning(project.home, state)
        found = pruning.find(rules)
        assert code in [one.path for one in found.others]
        os.utime(code)  # as `stage` does, before the state names it
        pruning.remove(rules, found)
    assert list(code.iterdir())
