"""What a request to AWS asks for, read from its HTTP form."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from pipelines.json_types import JsonObject

_SCOPE = re.compile(r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/")
_CHANGES = ("Create", "Update", "Put", "Delete", "Add", "Upload", "Complete", "Start", "Stop")

_S3 = {
    ("PUT", True): "PutObject",
    ("HEAD", True): "HeadObject",
    ("GET", True): "GetObject",
    ("DELETE", True): "DeleteObject",
    ("PUT", False): "CreateBucket",
    ("HEAD", False): "HeadBucket",
    ("GET", False): "ListObjectsV2",
    ("POST", False): "DeleteObjects",
}


@dataclass(frozen=True, slots=True)
class Seen:
    """A request.

    Args:
        method: of HTTP.
        service: as it is signed for, such as s3.
        region: as it is signed for.
        operation: in AWS's own words, such as PutObject.
        path: path and query.
        headers: by lower-case name.
        body: its bytes.
    """

    method: str
    service: str
    region: str
    operation: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def changes(self) -> bool:
        """Whether it changes anything."""
        return self.operation.startswith(_CHANGES)

    @property
    def key(self) -> str:
        """The key of an S3 request."""
        return unquote(urlsplit(self.path).path).lstrip("/").partition("/")[2]

    def json(self) -> JsonObject:
        """Return the arguments of an AWS JSON request."""
        arguments: JsonObject = json.loads(self.body or b"{}")
        return arguments


def see(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Seen:
    """Read a request."""
    scope = _SCOPE.search(headers.get("authorization", ""))
    region, service = (scope[1], scope[2]) if scope else ("", "")
    target = headers.get("x-amz-target", "").rpartition(".")[2]
    if service == "s3":
        operation = _s3(method, path)
    else:
        operation = target or parse_qs(body.decode("latin-1")).get("Action", [""])[0]
    return Seen(method, service, region, operation, path, headers, body)


def _s3(method: str, path: str) -> str:
    parts = urlsplit(path)
    has_key = bool(parts.path.lstrip("/").partition("/")[2])
    query = parse_qs(parts.query, keep_blank_values=True)
    if "uploads" in query:
        return "CreateMultipartUpload"
    if "uploadId" in query:
        return {"PUT": "UploadPart", "POST": "CompleteMultipartUpload"}.get(method, "DeleteUpload")
    return _S3[method, has_key]
