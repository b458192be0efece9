"""What is written in one turn of the event loop leaves in one piece."""

from __future__ import annotations

import asyncio
from typing import cast

from pipelines.backends.local.api.gathering import GatheringTransport


class Wire:
    """A transport that remembers what was sent at once."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.closed = False

    def writelines(self, pieces: list[bytes]) -> None:
        """Send."""
        self.sent.append(b"".join(pieces))

    def write_eof(self) -> None:
        """Mark the end."""
        self.sent.append(b"<eof>")

    def close(self) -> None:
        """Close."""
        self.closed = True

    def is_closing(self) -> bool:
        """Return whether it is closed."""
        return self.closed


def test_the_head_and_the_body_of_a_response_are_sent_at_once() -> None:
    """And nothing is lost where the connection is closed, or ended, in the same turn."""

    async def scenario() -> None:
        wire = Wire()
        transport = GatheringTransport(cast("asyncio.Transport", wire))
        transport.write(b"head ")
        transport.write(b"body")
        assert wire.sent == []
        await asyncio.sleep(0)
        assert wire.sent == [b"head body"]
        transport.write(b"next")
        transport.write_eof()
        transport.write(b"last")
        transport.close()
        transport.write(b"too late")
        await asyncio.sleep(0)
        assert wire.sent == [b"head body", b"next", b"<eof>", b"last"]
        assert transport.is_closing()

    asyncio.run(scenario())
