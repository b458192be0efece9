"""Who may call: programs on this machine, and no web page that some browser shows on it.

A page whose name resolves to 127.0.0.1 (DNS rebinding) sends its own name as Host; a page that
posts across origins says so in Origin or Sec-Fetch-Site.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_HTTP_PORT = 80


def refusal(headers: Mapping[str, str], port: int) -> str | None:
    """Say why a request is refused, None where it is welcome.

    Args:
        headers: of the request, by lower-case name.
        port: the port that the server listens on.
    """
    host = headers.get("host", "")
    welcome = {f"{name}:{port}" for name in _LOOPBACK}
    if port == _HTTP_PORT:
        welcome.update(_LOOPBACK)
    if host.lower() not in welcome:
        return f"the local SageMaker answers to 127.0.0.1:{port}, not to the host `{host}`"
    origin = headers.get("origin")
    if origin is not None and not _is_loopback(origin):
        return f"the local SageMaker takes no requests from pages of `{origin}`"
    if headers.get("sec-fetch-site") == "cross-site":
        return "the local SageMaker takes no requests from pages of other sites"
    return None


def _is_loopback(origin: str) -> bool:
    try:
        name = urlsplit(origin).hostname
    except ValueError:
        return False
    return name in {"localhost", "127.0.0.1", "::1"}
