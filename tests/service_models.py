"""botocore's service models, parsed once for all sessions of a test run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import pytest


@contextmanager
def parsed_once() -> Iterator[None]:
    """Let all of botocore's sessions share one loader, as all clients of one session do.

    Each command in a test makes a session, as a process of its own would, and parsing the models
    anew was half of the time that such a test took.
    """
    import botocore.session  # noqa: PLC0415 - takes a while

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("botocore.session.create_loader", cache(botocore.session.create_loader))
        yield
