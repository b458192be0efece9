"""A training's checkpoints: whether those that are there belong to it, and that it has ended.

Beside the checkpoints lies a file with a fingerprint of the data and the hyperparameters that they
were made with. What was made with others is set aside, so that no training goes on with it. All
hosts share one prefix in S3, so that the fingerprint is the same on each of them: it holds nothing
of channels that are sharded, or that only some hosts get.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys

from .errors import JobError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any, Iterator

    from .container import Container

MARK = ".pipelines-checkpoint.json"
ASIDE = ".set-aside"
_MOST_FILES = 100000
_MOST_HEADS = 100
_HEAD = 65536


class Checkpoints:
    """The checkpoints of a job.

    Args:
        folder: where they are.
        container: the platform's configuration.
        resumes: the execution that the step explicitly goes on with; None for its own.
    """

    def __init__(self, folder: Path, container: Container, resumes: str | None) -> None:
        self._folder = folder
        self._is_master = container.hosts.rank == 0
        self._resumes = resumes
        self._fingerprint = fingerprint(container)

    def begin(self) -> None:
        """Keep what is there if it belongs to this training, else set it aside.

        Raises:
            JobError: the training that is to be resumed is done.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        known = _read(self._folder / MARK)
        if known is not None:
            self._require_open(known)
            if known.get("fingerprint") != self._fingerprint:
                self._set_aside(str(known.get("fingerprint")))
        self._write(done=False)

    def done(self) -> None:
        """Record that the training has ended well: whoever goes on with it trains nothing."""
        if self._is_master:
            self._write(done=True)

    def _require_open(self, known: dict[str, Any]) -> None:
        if self._resumes is not None and known.get("done"):
            raise JobError(
                "the training of execution %s is done, there is nothing to resume:"
                " remove `checkpoints.resume`" % self._resumes
            )

    def _set_aside(self, other: str) -> None:
        paths = [one for one in self._folder.iterdir() if one.name not in (MARK, ASIDE)]
        if not paths:
            return
        aside = self._folder / ASIDE / other[:16]
        number = 0
        while aside.exists():
            number += 1
            aside = aside.with_name("%s-%d" % (other[:16], number))
        aside.mkdir(parents=True)
        for path in paths:
            path.rename(aside / path.name)
        print(
            "pipelines: the checkpoints were made with other data or hyperparameters: they are"
            " ignored, and lie in %s" % aside,
            file=sys.stderr,
            flush=True,
        )

    def _write(self, *, done: bool) -> None:
        text = json.dumps({"fingerprint": self._fingerprint, "done": done}, sort_keys=True)
        part = self._folder / (MARK + ".part")
        part.write_text(text)
        part.replace(self._folder / MARK)


def fingerprint(container: Container) -> str:
    """Return a hash over hyperparameters and data: names and sizes, and how some files begin."""
    groups = container.hosts.config.get("instance_groups") or ()
    channels = {}
    for name in sorted(container.channels):
        config = container.input_data_config.get(name) or {}
        whole = config.get("S3DistributionType") != "ShardedByS3Key" and len(groups) < 2
        is_piped = config.get("TrainingInputMode") == "Pipe"
        files = list(_files(container.channels[name])) if whole and not is_piped else []
        channels[name] = [config, files]
    described = [container.hyperparameters, channels]
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()


def _files(folder: Path) -> Iterator[list[Any]]:
    """Yield name, size and, of the first files, a hash of the beginning."""
    count = 0
    for parent, folders, names in os.walk(str(folder)):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(parent, name)  # noqa: PTH118 - as os.walk gives them
            try:
                size = os.stat(path).st_size  # noqa: PTH116 - as above
                head = _head(path) if count < _MOST_HEADS else ""
            except OSError:
                continue
            yield [os.path.relpath(path, str(folder)), size, head]
            count += 1
            if count == _MOST_FILES:
                return


def _head(path: str) -> str:
    with open(path, "rb") as file:  # noqa: PTH123 - as above
        return hashlib.sha256(file.read(_HEAD)).hexdigest()


def _read(path: Path) -> dict[str, Any] | None:
    """Read a mark; a damaged one is none."""
    try:
        known = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return known if isinstance(known, dict) else None
