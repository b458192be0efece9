"""A connection on which what is written in one turn of the event loop is sent at once.

uvicorn writes the head of a response and its body apart. Each write would be a packet, and wake a
client that can do nothing with a head alone.
"""

from __future__ import annotations

import asyncio
from typing import Any


class GatheringTransport:
    """A transport in front of another one, which does all that is not defined here.

    Args:
        transport: the connection.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Send data at the end of this turn."""
        if not self._pieces:
            self._loop.call_soon(self._flush)
        self._pieces.append(data)

    def write_now(self, data: bytes) -> None:
        """Send data that is whole, behind what was written before it."""
        self._flush()
        if not self._transport.is_closing():
            self._transport.write(data)

    def write_eof(self) -> None:
        """Send nothing more."""
        self._flush()
        self._transport.write_eof()

    def close(self) -> None:
        """Close the connection once everything is sent."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        pieces, self._pieces = self._pieces, []
        if pieces and not self._transport.is_closing():
            self._transport.writelines(pieces)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
