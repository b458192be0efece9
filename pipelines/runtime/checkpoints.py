"""A training's checkpoints: whether those that are there belong to it, and that it has ended.

Beside the checkpoints lies a file with a fingerprint of the data and the hyperparameters that they
were made with. What was made with others is set aside, so that no training goes on with it. All
hosts share one prefix in S3, so that the fingerprint is the same on each of them: it holds nothing
of channels that are sharded, or that only some hosts get. Nor of file systems that the training may
write to, which hold something else when it goes on.
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
    from typing import Any, Iterator, Mapping

    from .container import Container

MARK = ".pipelines-checkpoint.json"
ASIDE = ".set-aside"
WRITABLE_VARIABLE = "PIPELINES_WRITABLE_CHANNELS"
"""Channels of file systems that can be written to, where a machine stands for SageMaker."""
_MOUNTS = "/proc/self/mounts"
_NETWORK = ("nfs", "nfs4", "lustre")
_MOST_FILES = 100000
_MOST_HEADS = 100
_HEAD = 65536


class Checkpoints:
    """The checkpoints of a job.

    Args:
        folder: where they are.
        container: the platform's configuration.
        resumes: the execution that the step explicitly goes on with; None for its own.
        anew: whether a training that is done begins anew instead of failing: a member of a sweep,
            whose result the selection needs.
    """

    def __init__(
        self, folder: Path, container: Container, resumes: str | None, *, anew: bool = False
    ) -> None:
        self._folder = folder
        self._is_master = container.hosts.rank == 0
        self._resumes = resumes
        self._anew = anew
        self._hyperparameters = dict(container.hyperparameters)
        self._fingerprint = fingerprint(container)

    def begin(self) -> None:
        """Keep what is there if it belongs to this training, else set it aside.

        Raises:
            JobError: the training that is to be resumed is done.
        """
        known = _read(self._folder / MARK)
        if known is not None:
            is_done = self._resumes is not None and bool(known.get("done"))
            if is_done and not self._anew:
                raise JobError(
                    "the training of execution %s is done, there is nothing to resume:"
                    " remove `checkpoints.resume`" % self._resumes
                )
            if known.get("fingerprint") != self._fingerprint:
                other = _differences(known.get("hyperparameters"), self._hyperparameters)
                self._set_aside(known, "were made with %s" % other)
            elif is_done:
                done = "are of execution %s, whose training is done" % self._resumes
                self._set_aside(known, done)
        self._write(done=False)

    def done(self) -> None:
        """Record that the training has ended well: whoever goes on with it trains nothing."""
        if self._is_master:
            self._write(done=True)

    def _set_aside(self, known: dict[str, Any], why: str) -> None:
        """Move what is there out of the script's sight."""
        other = str(known.get("fingerprint"))
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
            "pipelines: the checkpoints %s: they are ignored, and lie in %s" % (why, aside),
            file=sys.stderr,
            flush=True,
        )

    def _write(self, *, done: bool) -> None:
        mark = {
            "fingerprint": self._fingerprint,
            "hyperparameters": self._hyperparameters,
            "done": done,
        }
        text = json.dumps(mark, sort_keys=True)
        self._folder.mkdir(parents=True, exist_ok=True)  # some scripts remove it once they are done
        part = self._folder / (MARK + ".part")
        part.write_text(text)
        part.replace(self._folder / MARK)


def _differences(other: Any, own: Mapping[str, str]) -> str:
    """Return what is different, in words; data alone where the hyperparameters are the same."""
    if not isinstance(other, dict):
        return "other data or hyperparameters"
    names = sorted(name for name in {*other, *own} if other.get(name) != own.get(name))
    if not names:
        return "other data"
    return "other hyperparameters (%s)" % "; ".join(
        "%s %s, now %s" % (name, other.get(name, "unset"), own.get(name, "unset")) for name in names
    )


def fingerprint(container: Container) -> str:
    """Return a hash over hyperparameters and data: names and sizes, and how some files begin."""
    groups = container.hosts.config.get("instance_groups") or ()
    writable = _writable(container)
    channels = {}
    for name in sorted(container.channels):
        config = container.input_data_config.get(name) or {}
        whole = config.get("S3DistributionType") != "ShardedByS3Key" and len(groups) < 2
        is_data = config.get("TrainingInputMode") != "Pipe" and name not in writable
        files = list(_files(container.channels[name])) if whole and is_data else []
        channels[name] = [config, files]
    described = [container.hyperparameters, channels]
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()


def _writable(container: Container) -> set[str]:
    """Return the channels of file systems that the training may write to."""
    found = set(filter(None, os.environ.get(WRITABLE_VARIABLE, "").split(",")))
    try:
        with open(_MOUNTS, encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - as below
            mounted = writable_mounts(file.read())
    except OSError:
        return found
    return found | {name for name, path in container.channels.items() if str(path) in mounted}


def writable_mounts(table: str) -> set[str]:
    """Return where network file systems are mounted that can be written to, by Linux's table."""
    rows = (line.split(" ") for line in table.splitlines())
    whole = (row for row in rows if len(row) > 3)
    return {row[1] for row in whole if row[2] in _NETWORK and "rw" in row[3].split(",")}


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
