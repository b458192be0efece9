"""The reserved pipeline parameter that takes the commit of the code into the registry."""

from __future__ import annotations

COMMIT = "PipelinesCommit"
"""Its name; a registration declares it, and `start` and `run` give it a value."""

UNKNOWN = "unknown"
"""Its default, and its value where the project is no git checkout."""
