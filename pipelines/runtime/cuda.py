"""Driver and CUDA libraries → LD_LIBRARY_PATH (FACTS 11.9)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Mapping

_COMPAT = Path("/usr/local/cuda/compat")
_DRIVER = Path("/proc/driver/nvidia/version")


def library_path(
    environment: Mapping[str, str], compat: Path = _COMPAT, driver: Path = _DRIVER
) -> dict[str, str]:
    """Put the compatibility libraries first if the host's driver is older than they are.

    The image's start command does this too, but our jobs are not started through it.
    """
    ours, theirs = _newest(compat), _driver(driver)
    if ours is None or theirs is None or theirs >= ours:
        return {}
    before = environment.get("LD_LIBRARY_PATH")
    return {"LD_LIBRARY_PATH": f"{compat}:{before}" if before else str(compat)}


def _newest(compat: Path) -> tuple[int, ...] | None:
    versions = [_version(path.name[len("libcuda.so.") :]) for path in compat.glob("libcuda.so.*.*")]
    return max(versions, default=None)


def _driver(path: Path) -> tuple[int, ...] | None:
    try:
        found = re.search(r"\s(\d+(?:\.\d+)+)\s", path.read_text())
    except OSError:
        return None  # there is no NVIDIA driver
    return _version(found[1]) if found else None


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text))
