"""Objects: get, head, put, copy, delete."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from email.utils import formatdate
from typing import BinaryIO

from pipelines.backends.local.api.messages import Answer, Request, Section
from pipelines.backends.local.api.s3.attributes import given
from pipelines.backends.local.api.s3.documents import XML, document, iso, read
from pipelines.backends.local.api.s3.errors import S3Error
from pipelines.backends.local.api.s3.etags import check_read, check_write, etag
from pipelines.backends.local.api.s3.payload import Payload, payload
from pipelines.backends.local.api.s3.place import Place, Shelf, place_of
from pipelines.backends.local.objects import NoSuchObjectError, ObjectInfo, ObjectUriError
from pipelines.frozen import frozen

_RANGE = re.compile(r"bytes=(?P<first>\d*)-(?P<last>\d*)")
_OVERRIDE = "response-"
_MOST_DELETED = 1000


@frozen
class Objects:
    """The operations on one object, and DeleteObjects."""

    shelf: Shelf

    def get(self, place: Place, request: Request) -> Answer:
        """Return an object or a range of it; HEAD gives the same headers."""
        file, info, tag = self.opened(place)
        try:
            status = os.fstat(file.fileno())
            check_read(request.headers, tag, status.st_mtime)
            start, length, partial = read_range(request.headers.get("range"), status.st_size)
        except S3Error:
            file.close()
            raise
        overrides = {
            name.removeprefix(_OVERRIDE): value
            for name, value in request.query.items()
            if name.startswith(_OVERRIDE)
        }
        headers = {
            **self.shelf.attributes.of(info.uri, status),
            **overrides,
            "Accept-Ranges": "bytes",
            "ETag": tag,
            "Last-Modified": formatdate(status.st_mtime, usegmt=True),
        }
        if partial:
            headers["Content-Range"] = f"bytes {start}-{start + length - 1}/{status.st_size}"
        return Answer(206 if partial else 200, headers, Section(file, start, length))

    def put(self, place: Place, request: Request) -> Answer:
        """Write an object; readers see the old one or the new one."""
        self.shelf.require_bucket(place.bucket)
        with payload(request) as body:
            tag = self.write(place, request.headers, body)
        checksums = {n: v for n, v in body.confirmed.items() if n.startswith("x-amz-")}
        return Answer(200, {"ETag": tag, **checksums})

    def write(
        self,
        place: Place,
        headers: Mapping[str, str],
        body: Payload,
        attributes: Mapping[str, str] | None = None,
    ) -> str:
        """Write a payload where the conditions of the headers allow; return its ETag.

        Args:
            place: where.
            headers: of the request, with its conditions.
            body: what.
            attributes: content type and user metadata; those of the headers by default.
        """
        conditional = "if-match" in headers or "if-none-match" in headers
        objects = self.shelf.objects
        with self.shelf.writing(alone=conditional):
            if conditional:
                check_write(headers, self._tag(place))
            if body.path is None:
                info = objects.put_bytes(place.uri, body.data)
            else:
                info = objects.put_file(place.uri, body.path)
            status = info.path.stat()
            kept = given(headers) if attributes is None else attributes
            self.shelf.attributes.keep(info.uri, status, kept)
        return etag(info.path, status)

    def copy(self, place: Place, request: Request) -> Answer:
        """Copy an object within the store, with its attributes or with new ones."""
        self.shelf.require_bucket(place.bucket)
        file, info, _ = self.source(request)
        with file:
            attributes = self.shelf.attributes.of(info.uri, os.fstat(file.fileno()))
        if request.headers.get("x-amz-metadata-directive", "COPY") == "REPLACE":
            attributes = given(request.headers)
        copied = self.write(place, request.headers, Payload(b"", info.path, "", {}), attributes)
        content = [("LastModified", iso(info.modified)), ("ETag", copied)]
        return Answer(200, XML, document("CopyObjectResult", content))

    def source(self, request: Request) -> tuple[BinaryIO, ObjectInfo, str]:
        """Open the source of a copy, its conditions checked."""
        source = request.headers["x-amz-copy-source"].partition("?")[0]
        file, info, tag = self.opened(place_of(source))
        try:
            check_read(request.headers, tag, info.modified, "x-amz-copy-source-if-")
        except S3Error:
            file.close()
            raise
        return file, info, tag

    def delete(self, place: Place, request: Request) -> Answer:
        """Delete an object; it need not be there."""
        self.shelf.require_bucket(place.bucket)
        conditional = "if-match" in request.headers
        with self.shelf.writing(alone=conditional):
            if conditional:
                check_write(request.headers, self._tag(place))
            self._remove(place)
        return Answer(204)

    def delete_many(self, place: Place, request: Request) -> Answer:
        """Delete what a document lists, up to 1000 objects."""
        self.shelf.require_bucket(place.bucket)
        with payload(request) as body:
            asked = read(body.data)
        keys = [] if asked is None else [item.findtext("Key") for item in asked.iter("Object")]
        if asked is None or not keys or len(keys) > _MOST_DELETED or None in keys:
            raise S3Error("MalformedXML", f"DeleteObjects takes 1 to {_MOST_DELETED} keys")
        quiet = (asked.findtext("Quiet") or "").lower() == "true"
        content: list[tuple[str, list[tuple[str, str]]]] = []
        with self.shelf.writing(alone=False):
            for key in keys:
                one = Place(place.bucket, str(key))
                try:
                    self._remove(one)
                except ObjectUriError as error:
                    told = [("Key", one.key), ("Code", "InvalidArgument")]
                    content.append(("Error", [*told, ("Message", error.problem)]))
                    continue
                if not quiet:
                    content.append(("Deleted", [("Key", one.key)]))
        return Answer(200, XML, document("DeleteResult", content))

    def opened(self, place: Place) -> tuple[BinaryIO, ObjectInfo, str]:
        """Open the file that an object is.

        Raises:
            S3Error: NoSuchBucket, NoSuchKey.
        """
        self.shelf.require_bucket(place.bucket)
        try:
            info = self.shelf.objects.info(place.uri)
            file = info.path.open("rb")
        except (NoSuchObjectError, FileNotFoundError):
            raise S3Error("NoSuchKey", f"The specified key does not exist: {place.key}") from None
        return file, info, etag(info.path, os.fstat(file.fileno()))

    def _tag(self, place: Place) -> str | None:
        try:
            file, _, tag = self.opened(place)
        except S3Error:
            return None
        file.close()
        return tag

    def _remove(self, place: Place) -> None:
        self.shelf.objects.delete(place.uri)
        self.shelf.attributes.drop(place.uri)
        self.shelf.keep_bucket(place.bucket)


def read_range(header: str | None, size: int) -> tuple[int, int, bool]:
    """Read a Range header: where it starts, how long it is, and whether it is one.

    Several ranges at once, or another unit, are the whole object, as S3 has it.

    Raises:
        S3Error: InvalidRange.
    """
    match = _RANGE.fullmatch((header or "").strip())
    if match is None or match["first"] == match["last"] == "":
        return 0, size, False
    if match["first"] == "":
        length = min(int(match["last"]), size)
        start = size - length
    else:
        start = int(match["first"])
        last = min(int(match["last"]), size - 1) if match["last"] else size - 1
        length = last - start + 1
        if match["last"] and int(match["last"]) < start:
            return 0, size, False
    if length <= 0:
        raise S3Error("InvalidRange", "The requested range is not satisfiable")
    return start, length, True
