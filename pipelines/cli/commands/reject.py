"""`reject`: a version may not be live; the one below takes its place."""

from __future__ import annotations

from pipelines.cli.approval import command

COMMAND = command(
    "reject",
    "Rejected",
    "Reject a registered version; where it is live, the approved one below takes its place.",
)
