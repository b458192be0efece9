"""Which requests are served: those of the owner's programs, and of no web page in a browser.

A page whose name resolves to 127.0.0.1 (DNS rebinding) sends its own name as Host; a page that
posts across origins is recognised by Origin or Sec-Fetch-Site. Who the caller is, is known by the
connection (`admission.py`), or else by a signature on the request (`signatures.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from urllib.parse import urlsplit

from pipelines.backends.local.api.messages import HttpRefusal, HttpRequest
from pipelines.backends.local.api.routes import Route
from pipelines.backends.local.api.signatures import Signatures, is_signed_in_advance
from pipelines.frozen import frozen

_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_HTTP_PORT = 80


@frozen
class Guard:
    """Decides on requests.

    Args:
        port: the port that Host must name.
        signatures: verifies requests; None where connections are enough.
    """

    port: int
    signatures: Signatures | None

    def early_refusal(self, request: HttpRequest, route: Route) -> HttpRefusal | None:
        """Return why a request is refused before its body is read; None when it is not."""
        if "," in request.headers.get("host", ""):
            return HttpRefusal("InvalidRequest", "the request has more than one Host header")
        reason = self._foreign(request.headers)
        if reason is not None:
            return HttpRefusal("AccessDenied", reason, 403)
        in_advance = route.takes_files or is_signed_in_advance(request)
        return self.signatures.refusal(request) if self.signatures and in_advance else None

    def late_refusal(self, request: HttpRequest, route: Route) -> HttpRefusal | None:
        """Return why a request is refused whose signature covers its body."""
        in_advance = route.takes_files or is_signed_in_advance(request)
        return self.signatures.refusal(request) if self.signatures and not in_advance else None

    def _foreign(self, headers: Mapping[str, str]) -> str | None:
        """Return why a request is one of a web page of another site."""
        host = headers.get("host", "")
        if host.lower() not in _accepted(self.port):
            return f"the local SageMaker serves 127.0.0.1:{self.port}, not the host `{host}`"
        origin = headers.get("origin")
        if origin is not None and not _is_loopback(origin):
            return f"the local SageMaker accepts no requests from pages of `{origin}`"
        if headers.get("sec-fetch-site") == "cross-site":
            return "the local SageMaker accepts no requests from pages of other sites"
        return None


@cache
def _accepted(port: int) -> frozenset[str]:
    """Return what Host may be at a port."""
    names = frozenset(f"{name}:{port}" for name in _LOOPBACK)
    return names.union(_LOOPBACK) if port == _HTTP_PORT else names


def _is_loopback(origin: str) -> bool:
    try:
        name = urlsplit(origin).hostname
    except ValueError:
        return False
    return name in {"localhost", "127.0.0.1", "::1"}
