"""The kept folder of a failed job, which several commands may look at and remove."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from pipelines.backends.local.kept import keep, kept_folders, remove
from pipelines.backends.local.pruning.leftovers import delete, size_of

ROUNDS = 20


def _make(folder: Path) -> None:
    for number in range(20):
        inner = folder / str(number) / "inner"
        inner.mkdir(parents=True)
        for name in "abc":
            (inner / name).write_text(name)
    keep(folder)


def test_two_commands_may_remove_what_a_third_measures(tmp_path: Path) -> None:
    """`prune --local` beside `run --resume`: what has gone meanwhile is removed."""
    folder = tmp_path / "jobs" / "job"
    with ThreadPoolExecutor(3) as pool:
        for _ in range(ROUNDS):
            _make(folder)
            assert kept_folders(tmp_path) == (folder,)
            actions: list[Callable[[], object]] = [
                partial(remove, folder),
                partial(delete, folder),
                partial(size_of, folder),
            ]
            for ended in [pool.submit(action) for action in actions]:
                ended.result()
            assert not folder.exists()


def test_the_size_is_that_of_the_files(tmp_path: Path) -> None:
    """Links and folders count nothing."""
    folder = tmp_path / "jobs" / "job"
    (folder / "a").mkdir(parents=True)
    (folder / "a" / "file").write_text("12345")
    (folder / "link").symlink_to("a/file")
    keep(folder)
    assert (kept_folders(tmp_path), size_of(folder)) == ((folder,), 5)
