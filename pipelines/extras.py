"""The packages that parts of the tool need and the tool itself does not install: its extras.

A hint names the packages, not the extra: whoever has a clone has a distribution that no index has.
"""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, distribution, requires
from typing import Final

DISTRIBUTION: Final = "sagemaker-pipelines-as-code"
EXTRAS: Final = {
    "aws": ("boto3",),
    "serve": ("boto3", "httptools", "uvicorn", "uvloop"),
    "tuning": ("optuna",),
    "validation": ("great-expectations", "pandas", "pyarrow"),
}
"""Each extra with the names of its distributions; a test compares it with `pyproject.toml`."""
_NAME = re.compile(r"[A-Za-z0-9._-]+")


def missing(extra: str) -> tuple[str, ...]:
    """Name the distributions of an extra that are not installed."""
    return tuple(name for name in EXTRAS[extra] if not _is_installed(name))


def how_to_install(extra: str) -> str:
    """Write the command that installs an extra, with the versions that the tool declares."""
    named = EXTRAS[extra]
    declared = {name: text for text in _declared(extra) if (name := _name(text)) in named}
    return f"pip install {' '.join(_quoted(declared.get(name, name)) for name in named)}"


def _declared(extra: str) -> list[str]:
    """Return the requirements of an extra; none where the tool runs without being installed."""
    try:
        lines = requires(DISTRIBUTION) or []
    except PackageNotFoundError:
        return []
    mark = re.compile(rf"""extra == ["']{extra}["']""")
    return [line.partition(";")[0].strip() for line in lines if mark.search(line)]


def _name(requirement: str) -> str:
    found = _NAME.match(requirement)
    return found[0] if found else ""


def _quoted(requirement: str) -> str:
    return f"'{requirement}'" if _name(requirement) != requirement else requirement


def _is_installed(name: str) -> bool:
    try:
        distribution(name)  # `version` would parse its metadata
    except PackageNotFoundError:
        return False
    return True
