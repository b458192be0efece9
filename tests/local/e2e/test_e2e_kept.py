"""What is left of a failed job, and what its traceback names."""

from __future__ import annotations

import re
from pathlib import Path

from tests.local.e2e.tiny_project import Project

BROKEN = """\
    from pathlib import Path
    print("here", Path("notes.txt").absolute())
    Path(os.environ["SM_MODEL_DIR"], "half").write_text("half a model")
    raise ValueError("no rows")
    """
_FRAME = re.compile(r'File "(.*)", line \d+, in <module>')


def kept(project: Project) -> list[Path]:
    """Return the folders of failed jobs."""
    return [path for path in (project.home / "jobs").iterdir() if path.is_dir()]


def test_the_traceback_names_the_files_of_the_project(either: Project) -> None:
    """In the output of `run` and in the log; after an edit the kept copy is named."""
    either.script("train", BROKEN)
    own = re.findall(_FRAME, either.run("run").out)
    assert {Path(file).parent.parent for file in own} == {either.folder}
    assert all("raise ValueError" in Path(file).read_text() for file in own)
    assert re.findall(_FRAME, either.run("logs", "--local", "latest", "train").out)[0] == own[0]
    either.script("train", "pass")
    (copy, *_) = re.findall(_FRAME, either.run("logs", "--local", "latest", "train").out)
    assert copy != own[0]
    assert "raise ValueError" in Path(copy).read_text()


def test_the_folder_of_a_failed_job_stays_until_it_is_pruned(either: Project) -> None:
    """`run` and `status` name it, `prune --local` removes it and says how much that was."""
    either.script("train", BROKEN)
    ended = either.run("run")
    (folder,) = kept(either)
    assert f"    its folder is kept: {folder}\n" in ended.out
    assert f"train: its folder is kept: {folder}\n" in either.run("status", "--local", "latest").out
    assert (folder / "algo-1" / "opt" / "ml" / "model" / "half").read_text() == "half a model"
    shown = either.run("prune", "--local", "--dry-run").out
    assert re.search(rf"\d (bytes|kB)  {re.escape(str(folder))}\n", shown)
    assert kept(either) == [folder]
    assert "removed 1 folder of failed or debugged jobs" in either.run("prune", "--local").out
    assert kept(either) == []
    assert 'train.py", line' in either.run("logs", "--local", "latest", "train").out


def test_the_next_attempt_replaces_what_was_kept(either: Project) -> None:
    """Resuming leaves the folder of the last failure; jobs that succeed leave none."""
    either.script("train", BROKEN)
    either.run("run")
    (first,) = kept(either)
    either.run("run", "--resume")
    (second,) = kept(either)
    assert second != first
    either.script("train", "pass")
    assert "  train: Succeeded" in either.run("run").out
    assert [path for path in kept(either) if "-train-" in path.name] == [second]


def test_a_job_may_print_any_path(either: Project) -> None:
    """A name that is too long, one that leads out of the bundle, a NUL."""
    script = """\
        here = os.path.dirname(os.path.abspath(__file__))
        for name in ("a" * 300, "b/" * 3000, "../" * 9 + "etc/passwd", "c\\0d"):
            print(f'File "/opt/ml/{name}"')
            print(f'File "{here}/{name}"')
        raise ValueError("no rows")
        """
    either.script("train", script)
    assert "ValueError: no rows" in either.run("run").out
    assert "ValueError: no rows" in either.run("logs", "--local", "latest", "train").out
