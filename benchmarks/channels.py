"""A training job whose channel has 2,000 files, or one of 20 GB, against one small file.

python -m benchmarks.channels [PAIRS]
"""

from __future__ import annotations

import statistics
from pathlib import Path

from benchmarks.pairs import Command, Figure, main, pairs, pipelines

FILES = 2_000
_LARGE = 20 << 30
_PROMISE = 0.3

_SPEC = """\
spec: 1
pipeline: channels
aws: {role: "arn:aws:iam::111122223333:role/jobs", bucket: channels}
steps:
  train:
    kind: training
    image: sklearn-1.9-cpu
    script: train.py
    inputs: {train: "s3://lake/train/"}
"""
_SCRIPT = """\
import os
from pathlib import Path

files = [*Path(os.environ["SM_CHANNEL_TRAIN"]).iterdir()]
Path(os.environ["SM_MODEL_DIR"], "files").write_text(str(len(files)))
print("files", len(files), "bytes", sum(one.stat().st_size for one in files))
"""


def channel_project(folder: Path, files: int, size: int) -> Command:
    """Write a project whose channel has so many files of so many bytes; return its `run`.

    The files are sparse: what is not copied is not read either.
    """
    lake = folder / ".pipelines/s3/lake/train"
    lake.mkdir(parents=True)
    for number in range(files):
        with (lake / f"{number:04}.csv").open("wb") as file:
            file.truncate(size)
    (folder / "pipeline.yaml").write_text(_SPEC)
    (folder / "train.py").write_text(_SCRIPT)
    return pipelines("run", folder=folder)


def figures(count: int, scratch: Path) -> list[Figure]:
    """Measure wall seconds of `run`."""
    one = channel_project(scratch / "one", 1, 1000)
    many = channel_project(scratch / "many", FILES, 1000)
    large = channel_project(scratch / "large", 1, _LARGE)
    return [
        _figure(f"a channel of {FILES:,} files, wall s, to one file", many, one, count),
        _figure("a channel of one file of 20 GB, wall s, to one small file", large, one, count),
    ]


def _figure(what: str, ours: Command, theirs: Command, count: int) -> Figure:
    walls = [(a.wall, b.wall) for a, b in pairs(ours, theirs, count)]
    more = statistics.median(a - b for a, b in walls)
    a, b = (statistics.median(side) for side in zip(*walls, strict=True))
    return Figure(what, f"at most {_PROMISE} s more", a, b, a / b, more <= _PROMISE)


if __name__ == "__main__":
    main("channels", 5, figures)
