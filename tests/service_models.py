"""botocore's service models, parsed once for all sessions of a test run; its calls are untraced."""

from __future__ import annotations

import socketserver
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import pytest

from tests.tracing import untraced


@contextmanager
def parsed_once() -> Iterator[None]:
    """Let all of botocore's sessions share one loader, as all clients of one session do.

    Each command in a test makes a session, as a process of its own would, and parsing the models
    anew was half of the time that such a test took. Coverage traces neither what botocore does for
    a call nor the servers of other libraries, or of tests, which answer it.
    """
    import botocore.session  # noqa: PLC0415 - takes a while
    from botocore.client import BaseClient  # noqa: PLC0415 - takes a while

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("botocore.session.create_loader", cache(botocore.session.create_loader))
        for owner, name in (
            (BaseClient, "_make_api_call"),
            (botocore.session.Session, "create_client"),
            (socketserver.ThreadingMixIn, "process_request_thread"),
        ):
            patch.setattr(owner, name, untraced(getattr(owner, name)))
        yield
