"""How a job does without what is installed here: the project itself, and what is not lent to it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_HOOK = Path(__file__).with_name("withheld")


def withheld(project: Path, lent: Path | None) -> dict[str, str]:
    """Return the variables that keep from a job's Python what its image would not have.

    Nothing where there is nothing to keep: every interpreter of every job would pay for it.

    Args:
        project: its modules are hidden if it is installed here.
        lent: the file that lists what the job may find of the environment; None for all.
    """
    root = os.path.realpath(project)
    variables = {} if lent is None else {"PIPELINES_LENT": str(lent)}
    if any(_is_inside(place, root) for place in _installed()):
        variables["PIPELINES_PROJECT"] = root
    return variables and {**variables, "PYTHONPATH": str(_HOOK)}


def _installed() -> list[str]:
    """List the folders that Python's installation adds to what is imported."""
    places = [path for path in sys.path[1:] if path]
    for finder in sys.meta_path:
        module = sys.modules.get(getattr(finder, "__module__", ""))
        mapping = getattr(module, "MAPPING", None)
        if isinstance(mapping, dict):  # of setuptools' editable installations
            places.extend(str(place) for place in mapping.values())
    return places


def _is_inside(place: str, root: str) -> bool:
    real, environment = os.path.realpath(place), os.path.realpath(sys.prefix)
    inside = real == root or real.startswith(root + os.sep)
    return inside and not real.startswith(environment + os.sep)
