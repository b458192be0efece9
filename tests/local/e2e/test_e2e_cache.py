"""What runs again after an edit, and what does not."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.local.e2e.tiny_project import JOBS, STEPS, Project

CACHED = {"prepare", "aside", "train", "evaluate", "register-package"}


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run the example once; return the folder that holds it with the log of what ran."""
    parent = tmp_path_factory.mktemp("snapshot")
    project = Project(parent / "project", {"PIPELINES_ISOLATION": "rewrite"}).make()
    ended = project.run("run")
    assert ended.code == 0, ended.text
    assert project.cached() == set()
    return parent


@pytest.fixture
def ran(snapshot: Path, tmp_path: Path) -> Iterator[Project]:
    """Return the example after its first run; what the test does to it is undone.

    The folder stays the same, because the log's path is part of the steps' environment, and with
    it of their cache keys.
    """
    shutil.copytree(snapshot, tmp_path / "kept", symlinks=True)
    yield Project(snapshot / "project", {"PIPELINES_ISOLATION": "rewrite"})
    shutil.rmtree(snapshot)
    (tmp_path / "kept").rename(snapshot)


def _again(project: Project, *words: str) -> set[str]:
    """Run once more; name the steps that came from the cache."""
    ended = project.run("run", *words)
    assert ended.code == 0, ended.text
    return project.cached()


def test_an_unchanged_project_runs_nothing_twice(ran: Project) -> None:
    """Every job is a hit; the model is registered again, as the service does."""
    assert _again(ran) == CACHED
    assert ran.calls() == JOBS
    assert [model["ModelPackageVersion"] for model in ran.models()] == [2, 1]
    assert set(ran.statuses()) == set(STEPS)
    assert "cached from" in ran.run("status", "--local", "latest").out


@pytest.mark.parametrize(
    ("step", "hits"),
    [
        ("prepare", {"aside"}),
        ("aside", CACHED - {"aside"}),
        ("train", {"prepare", "aside"}),
        ("evaluate", CACHED - {"evaluate"}),
    ],
)
def test_an_edited_script_runs_again_with_what_reads_its_outputs(
    ran: Project, step: str, hits: set[str]
) -> None:
    """Its new outputs have new URIs, so whoever reads them runs again; nobody else does."""
    ran.edit("import os\n", "import os  # edited\n", f"steps/{step}.py")
    assert _again(ran) == hits


def test_edited_data_runs_everything_that_depends_on_it(ran: Project) -> None:
    """Local data is addressed by content."""
    ran.write("data/rows.txt", "5 3 1 4 2 7")
    assert _again(ran) == {"aside"}


_HEADER = 30
"""Bytes of a zip's header of a file, before the file's name."""


def _flip(content: bytes) -> bytes:
    """Change one bit of the largest file; no checksum of a zip covers what stands between files."""
    with ZipFile(BytesIO(content)) as archive:
        largest = max(archive.infolist(), key=lambda entry: entry.compress_size)
    begin = largest.header_offset + _HEADER + len(largest.filename.encode())
    middle = begin + largest.compress_size // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.parametrize("harm", [lambda _: b"", lambda old: old[: len(old) // 2], _flip])
def test_damaged_code_and_data_are_written_again(
    ran: Project, harm: Callable[[bytes], bytes]
) -> None:
    """A full disk or a hand left them so; the names are still those of the right content."""
    store = ran.folder / ".pipelines" / "s3"
    data = [file for file in store.rglob("rows.txt") if "runs" not in file.parts]
    files = [*store.rglob("bundle.pyz"), *(data if harm is not _flip else ())]
    whole = {file: file.read_bytes() for file in files}
    assert len(data) == 1
    for file, content in whole.items():
        file.write_bytes(harm(content))
    assert _again(ran, "--no-cache") == set()
    assert {file: file.read_bytes() for file in whole} == whole


def test_an_emptied_result_is_made_again_and_the_reader_with_it(ran: Project) -> None:
    """It is said that the service would have reused it; what did not read it is a hit."""
    (file,) = (ran.folder / ".pipelines" / "s3").rglob("prepare/train/rows.txt")
    file.write_bytes(b"")
    ended = ran.run("run")
    assert ended.code == 0, ended.text
    assert ran.cached() == {"aside"}
    assert "prepare: not from the cache (the service would reuse it without looking)" in ended.out
    assert "prepare/train/rows.txt has changed" in ended.out


def test_edited_serving_code_repackages_and_trains_nothing(ran: Project) -> None:
    """The package is a step of its own (decision 3)."""
    ran.write("serving/inference.py", "def model_fn(folder):\n    return None\n")
    assert _again(ran) == CACHED - {"register-package"}


def test_a_parameter_counts_where_it_is_used(ran: Project) -> None:
    """`rounds` is a hyperparameter; the threshold stands in the condition alone."""
    assert _again(ran, "-p", "min_auc=0.4") == CACHED
    assert _again(ran, "-p", "rounds=3") == {"prepare", "aside"}


def test_no_cache_runs_every_step(ran: Project) -> None:
    """And its results are there for the next run."""
    assert _again(ran, "--no-cache") == set()
    assert _again(ran) == CACHED
    assert ran.calls() == JOBS + JOBS


def test_results_that_somebody_deleted_are_made_again(ran: Project) -> None:
    """The store is a folder that people clean by hand."""
    for file in (ran.home / "s3").rglob("runs/*/train/**/model.tar.gz"):
        file.unlink()
    assert _again(ran) == {"prepare", "aside"}


def test_a_step_that_reads_a_bare_prefix_is_not_cached(ran: Project) -> None:
    """New files under the same URI would go unseen, unless they are said never to change."""
    bucket = ran.home / "s3" / "lake" / "raw"
    bucket.mkdir(parents=True)
    (bucket / "rows.txt").write_text("5 3 1 4 2 6")
    ran.edit("  raw: data/\n", "  raw: {s3: s3://lake/raw/}\n")
    assert _again(ran) == {"aside"}
    (bucket / "rows.txt").write_text("5 3 1 4 2 8")
    assert _again(ran) == {"aside"}
    ran.edit("s3://lake/raw/}", "s3://lake/raw/, immutable: true}")
    assert _again(ran) == {"aside"}
    assert _again(ran) == CACHED


def test_a_failed_step_is_never_a_hit(project: Project) -> None:
    """Only successes are taken."""
    project.script("train", "raise SystemExit(1)")
    for _ in range(2):
        assert project.run("run").code == 5
    assert project.cached() == {"prepare", "aside"}
    assert project.calls()["train"] == 4
