"""S3 objects: get, head, put, copy, delete."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from email.utils import formatdate
from typing import BinaryIO

from pipelines.backends.local.api.messages import (
    FileSection,
    HttpRequest,
    HttpResponse,
    whole_number,
)
from pipelines.backends.local.api.s3.documents import XML, S3Error, document, iso, read_document
from pipelines.backends.local.api.s3.etags import check_read, check_write
from pipelines.backends.local.api.s3.payload import S3Payload, payload
from pipelines.backends.local.api.s3.storage import S3Storage, attributes_in, location_of
from pipelines.backends.local.etags import etag
from pipelines.backends.local.object_uris import ObjectUriError, S3Location
from pipelines.backends.local.objects import NoSuchObjectError, ObjectInfo
from pipelines.frozen import frozen

_RANGE = re.compile(r"bytes=(?P<first>[0-9]*)-(?P<last>[0-9]*)")
_LAST_BYTE = (1 << 63) - 1
_OVERRIDES = {
    f"response-{name}": name
    for name in (
        *("cache-control", "content-disposition", "content-encoding"),
        *("content-language", "content-type", "expires"),
    )
}
_NOT_IN_HEADERS = re.compile(r"[^\t\x20-\x7e\xa0-\xff]")
_MOST_DELETED = 1000


@frozen
class ObjectOperations:
    """The operations on one object, and DeleteObjects."""

    storage: S3Storage

    def get(self, location: S3Location, request: HttpRequest) -> HttpResponse:
        """Return an object or a range of it; HEAD returns the same headers."""
        overrides = _overrides(request)
        file, info, tag = self.opened(location)
        try:
            status = os.fstat(file.fileno())
            check_read(request.headers, tag, status.st_mtime)
            start, length, partial = read_range(request.headers.get("range"), status.st_size)
        except S3Error:
            file.close()
            raise
        headers = {
            **self.storage.attributes.of(info.uri, status),
            **overrides,
            "Accept-Ranges": "bytes",
            "ETag": tag,
            "Last-Modified": formatdate(status.st_mtime, usegmt=True),
        }
        if partial:
            headers["Content-Range"] = f"bytes {start}-{start + length - 1}/{status.st_size}"
        return HttpResponse(206 if partial else 200, headers, FileSection(file, start, length))

    def put(self, location: S3Location, request: HttpRequest) -> HttpResponse:
        """Write an object; readers see the old one or the new one."""
        self.storage.require_bucket(location.bucket)
        with payload(request) as body:
            tag = self.write(location, request.headers, body)
        checksums = {n: v for n, v in body.confirmed.items() if n.startswith("x-amz-")}
        return HttpResponse(200, {"ETag": tag, **checksums})

    def write(
        self,
        location: S3Location,
        headers: Mapping[str, str],
        body: S3Payload,
        attributes: Mapping[str, str] | None = None,
    ) -> str:
        """Write a payload if the conditions of the headers allow it; return its ETag.

        Args:
            location: where to.
            headers: of the request, with its conditions.
            body: the payload.
            attributes: content type and user metadata; those of the headers by default.
        """
        conditional = "if-match" in headers or "if-none-match" in headers
        objects = self.storage.objects
        with self.storage.writing(alone=conditional):
            if conditional:
                check_write(headers, self._tag(location))
            if body.path is None:
                info = objects.put_bytes(location.uri, body.data)
            else:
                info = objects.put_file(location.uri, body.path)
            status = info.path.stat()
            kept = attributes_in(headers) if attributes is None else attributes
            self.storage.attributes.keep(info.uri, status, kept)
        return etag(info.path, status)

    def copy(self, location: S3Location, request: HttpRequest) -> HttpResponse:
        """Copy an object within the store, with its attributes or with new ones."""
        self.storage.require_bucket(location.bucket)
        file, info, _ = self.source(request)
        with file:
            attributes = self.storage.attributes.of(info.uri, os.fstat(file.fileno()))
        if request.headers.get("x-amz-metadata-directive", "COPY") == "REPLACE":
            attributes = attributes_in(request.headers)
        copied = self.write(
            location, request.headers, S3Payload(b"", info.path, "", {}), attributes
        )
        content = [("LastModified", iso(info.modified)), ("ETag", copied)]
        return HttpResponse(200, XML, document("CopyObjectResult", content))

    def source(self, request: HttpRequest) -> tuple[BinaryIO, ObjectInfo, str]:
        """Open the source of a copy, its conditions checked."""
        source = request.headers["x-amz-copy-source"].partition("?")[0]
        file, info, tag = self.opened(location_of(source))
        try:
            check_read(request.headers, tag, info.modified, "x-amz-copy-source-if-")
        except S3Error:
            file.close()
            raise
        return file, info, tag

    def delete(self, location: S3Location, request: HttpRequest) -> HttpResponse:
        """Delete an object, if it exists."""
        self.storage.require_bucket(location.bucket)
        conditional = "if-match" in request.headers
        with self.storage.writing(alone=conditional):
            if conditional:
                check_write(request.headers, self._tag(location))
            self._remove(location)
        return HttpResponse(204)

    def delete_many(self, location: S3Location, request: HttpRequest) -> HttpResponse:
        """Delete what a document lists, up to 1000 objects."""
        self.storage.require_bucket(location.bucket)
        with payload(request) as body:
            listed = read_document(body.data)
        keys = [] if listed is None else [item.findtext("Key") for item in listed.iter("Object")]
        if listed is None or not keys or len(keys) > _MOST_DELETED or None in keys:
            raise S3Error("MalformedXML", f"DeleteObjects takes 1 to {_MOST_DELETED} keys")
        quiet = (listed.findtext("Quiet") or "").lower() == "true"
        content: list[tuple[str, list[tuple[str, str]]]] = []
        with self.storage.writing(alone=False):
            for key in keys:
                one = S3Location(location.bucket, str(key))
                try:
                    self._remove(one)
                except ObjectUriError as error:
                    entry = [("Key", one.key), ("Code", "InvalidArgument")]
                    content.append(("Error", [*entry, ("Message", error.problem)]))
                    continue
                if not quiet:
                    content.append(("Deleted", [("Key", one.key)]))
        return HttpResponse(200, XML, document("DeleteResult", content))

    def opened(self, location: S3Location) -> tuple[BinaryIO, ObjectInfo, str]:
        """Open the file of an object.

        Raises:
            S3Error: NoSuchBucket, NoSuchKey.
        """
        self.storage.require_bucket(location.bucket)
        try:
            info = self.storage.objects.info(location.uri)
            file = info.path.open("rb")
        except (NoSuchObjectError, FileNotFoundError):
            raise S3Error(
                "NoSuchKey", f"The specified key does not exist: {location.key}"
            ) from None
        return file, info, etag(info.path, os.fstat(file.fileno()))

    def _tag(self, location: S3Location) -> str | None:
        try:
            file, _, tag = self.opened(location)
        except S3Error:
            return None
        file.close()
        return tag

    def _remove(self, location: S3Location) -> None:
        self.storage.objects.delete(location.uri)
        self.storage.attributes.remove(location.uri)
        self.storage.keep_bucket(location.bucket)


def read_range(header: str | None, size: int) -> tuple[int, int, bool]:
    """Read a Range header: its start, its length, and whether it applies.

    For several ranges, or another unit, the whole object is returned, as in S3.

    Raises:
        S3Error: InvalidRange.
    """
    match = _RANGE.fullmatch((header or "").strip())
    if match is None or match["first"] == match["last"] == "":
        return 0, size, False
    first, last = _byte(match["first"]), _byte(match["last"])
    if match["first"] == "":
        length = min(last, size)
        start = size - length
    else:
        start = first
        end = min(last, size - 1) if match["last"] else size - 1
        length = end - start + 1
        if match["last"] and last < start:
            return 0, size, False
    if length <= 0:
        raise S3Error("InvalidRange", "The requested range is not satisfiable")
    return start, length, True


def _byte(text: str) -> int:
    """Read a position; one with too many digits lies behind every object."""
    number = whole_number(text.lstrip("0") or "0")
    return _LAST_BYTE if number is None else number


def _overrides(request: HttpRequest) -> dict[str, str]:
    """Read the headers that a request sets for its response, S3's six.

    Raises:
        S3Error: InvalidArgument, for a value that no header can have.
    """
    found = {
        header: request.query[name] for name, header in _OVERRIDES.items() if name in request.query
    }
    for header, value in found.items():
        if _NOT_IN_HEADERS.search(value):
            raise S3Error("InvalidArgument", f"response-{header} has characters that no header has")
    return found
