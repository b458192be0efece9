"""What keeps a job of a test from being started."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.diagnostics import Finding


class JobSetupError(Exception):
    """The project does not hold what a job needs, or a test leaves out what it has to give."""

    @classmethod
    def of(cls, findings: Iterable[Finding]) -> JobSetupError:
        """Report findings in the words of `pipelines compile`."""
        return cls("\n".join(_line(finding) for finding in findings))


def _line(finding: Finding) -> str:
    help_text = f" ({finding.help})" if finding.help else ""
    return f"{finding.code}: {finding.message}{help_text}"
