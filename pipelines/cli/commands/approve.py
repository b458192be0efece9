"""`approve`: a version may go live, and does."""

from __future__ import annotations

from pipelines.cli.approval import command

COMMAND = command(
    "approve", "Approved", "Approve a registered version; the highest approved one goes live."
)
