"""How the API recognises its owner's programs: by the user of a connection, or by signatures."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Literal, Protocol

from pipelines.backends.local.api.peers import Address, UserLookup, working_lookup
from pipelines.backends.local.settings import ApiCredentials
from pipelines.errors import UsageError
from pipelines.frozen import frozen


class Connection(Protocol):
    """A connection, as asyncio's transports describe it."""

    def get_extra_info(self, name: str) -> Address:
        """Return the address of the client, `peername`, or the server, `sockname`."""


@frozen
class Admission:
    """The way in use.

    Args:
        lookup: finds the user of a connection; None where requests are signed instead.
        credentials: what callers sign with; nobody verifies it where there is a look-up.
    """

    lookup: UserLookup | None
    credentials: ApiCredentials

    def refusal(self, connection: Connection) -> str | None:
        """Return why a connection is not served; None when it is."""
        if self.lookup is None:
            return None
        client, server = (connection.get_extra_info(name) for name in ("peername", "sockname"))
        owner = os.geteuid()
        if self.lookup(client, server) == owner:
            return None
        return f"this local SageMaker serves only the user who started it (user id {owner})"


def choose_admission(
    callers: Literal["auto", "user", "signature"],
    find_lookup: Callable[[], UserLookup | None] = working_lookup,
) -> Admission:
    """Decide how callers are recognised.

    Raises:
        UsageError: by their user is required, and this system does not tell it.
    """
    lookup = None if callers == "signature" else find_lookup()
    if lookup is not None:
        return Admission(lookup, ApiCredentials())
    if callers == "user":
        raise UsageError(
            "this system does not say which user made a connection",
            "let callers sign their requests: PIPELINES_CALLERS=signature",
        )
    from pipelines.backends.local.api.signatures import random_credentials  # noqa: PLC0415 - seldom

    return Admission(None, random_credentials())
