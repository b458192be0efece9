"""The projects of `tests/golden/infra`: specs → the stacks that `ci init` writes for them.

Each folder is a repository. A comment at the top of its first spec holds the command's options:
`# options: source=s3`. `example` is the example of this repository, with a line of data.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

from pipelines.infra.model import Delivery, Options, Stack
from pipelines.infra.reading import Asked, cached_days, open_all
from pipelines.infra.stacks import stacks

FOLDER = Path(__file__).parent / "infra"
CASES = sorted(path.name for path in FOLDER.iterdir() if path.is_dir())
VERSION = "1.2.3"
"""What the tool's version is written as, so that a release changes no golden."""

_ROOT = Path(__file__).parents[2]
_OPTIONS = re.compile(r"^# options: (.+)$", re.MULTILINE)


def project(case: str, scratch: Path) -> Path:
    """Return the folder of a case's project; the example gets a copy with a line of data."""
    if case != "example":
        return FOLDER / case
    for name in ("steps", "training", "serving"):
        shutil.copytree(_ROOT / name, scratch / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("flights", "weather", "planes"):
        (scratch / "data" / name).mkdir(parents=True)
        (scratch / "data" / name / "1.csv").write_text("a\n1\n")
    shutil.copy(_ROOT / "pipeline.yaml", scratch)
    return scratch


def stacks_of(repository: Path) -> tuple[Stack, ...]:
    """Return the stacks of all specs of a repository."""
    options, deliveries = opened(repository)
    return stacks(deliveries, options, cached_days(deliveries))


def opened(repository: Path) -> tuple[Options, tuple[Delivery, ...]]:
    """Return what the command makes of all specs of a repository."""
    files = tuple(sorted(repository.rglob("pipeline.yaml")))
    found = _OPTIONS.search(files[0].read_text("utf-8"))
    given: dict[str, Any] = dict(pair.split("=", 1) for pair in (found[1].split() if found else ()))
    options = Options(version=VERSION, **given)
    checked, deliveries = open_all(Asked(files, (), repository, "infra", {}), options)
    errors = [d.message for one in checked.values() if one.failed for d in one.diagnostics]
    assert errors == []
    return options, deliveries
