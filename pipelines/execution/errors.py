"""What the service answers with a ValidationException, found before it is asked."""

from __future__ import annotations

from pipelines.errors import UsageError


class InvalidError(UsageError):
    """A definition that cannot be scheduled, or parameters that do not fit it."""
