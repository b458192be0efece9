"""Tracebacks of the user's code, whose files are named where they are after this process, too."""

from __future__ import annotations

import filecmp
import re
import shutil
import sys
import traceback
from functools import cache
from pathlib import Path
from typing import NamedTuple


class FailureReport(NamedTuple):
    """Where the serving code is now, and afterwards.

    Args:
        code: its folder in this process.
        kept: where a copy is kept when it fails.
        project: the user's project, whose files are named where they are the same.
    """

    code: str
    kept: str
    project: str

    def write(self) -> None:
        """Write the traceback of the exception that is being handled to stderr."""
        frame = rf'"{re.escape(self.code)}/([^"]+)"'
        text = re.sub(frame, lambda found: f'"{_named(self, found[1])}"', traceback.format_exc())
        sys.stderr.write(text)
        sys.stderr.flush()


@cache
def _named(report: FailureReport, path: str) -> Path:
    """Return the file of the project that is the same as one of the code, else the kept copy."""
    copy = _keep(report) / path
    project = Path(report.project)
    for file in (project / path, *project.glob(f"[!.]*/{path}"), *project.glob(f"[!.]*/*/{path}")):
        if file.is_file() and copy.is_file() and filecmp.cmp(file, copy, shallow=False):
            return file
    return copy


@cache
def _keep(report: FailureReport) -> Path:
    """Keep a copy of the code in the place of an earlier one."""
    shutil.rmtree(report.kept, ignore_errors=True)
    try:
        shutil.copytree(report.code, report.kept)
    except OSError:  # no room, for example: the traceback is what counts
        return Path(report.code)
    return Path(report.kept)
