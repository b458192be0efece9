"""Why an endpoint did not come into service: its version, or the machine under it.

A version that does not load fails again wherever it is tried. A process that was killed, or a
machine that was not to be had, says nothing about it.
"""

from __future__ import annotations

import re

_LOCAL = r"killed by SIG(KILL|TERM)|its launcher was killed"
_SERVICE = r"Unable to provision requested ML compute capacity|InsufficientInstanceCapacity"
"""FailureReason of the service, as quoted in aws/deep-learning-containers PR 6673."""

_KILLED = re.compile(f"{_LOCAL}|{_SERVICE}")


def is_killed(reason: str) -> bool:
    """Return whether a reason is that of a machine and not of a version."""
    return _KILLED.search(reason) is not None
