"""How a job does without what is installed here: the project itself, and what is not lent to it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_WITHOUT = Path(__file__).with_name("without_project")
_ONLY_LENT = Path(__file__).with_name("only_lent")


def without_project(project: Path) -> dict[str, str]:
    """Return the variables that hide from Python what is installed from the project.

    Nothing where it is not installed: every interpreter of every job would pay for it.
    """
    root = os.path.realpath(project)
    if not any(_is_inside(place, root) for place in _installed()):
        return {}
    return {"PYTHONPATH": str(_WITHOUT), "PIPELINES_PROJECT": root}


def only_lent(file: Path | None) -> dict[str, str]:
    """Return the variables that withhold from Python what a file does not lend it."""
    return {} if file is None else {"PYTHONPATH": str(_ONLY_LENT), "PIPELINES_LENT": str(file)}


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
