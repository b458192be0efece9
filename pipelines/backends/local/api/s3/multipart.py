"""Multipart uploads: parts are kept in a folder of their own until they are assembled."""

from __future__ import annotations

import json
import re
import secrets
import shutil
from pathlib import Path
from xml.etree.ElementTree import Element

from pipelines.backends.local.api.messages import HttpRequest, HttpResponse, whole_number
from pipelines.backends.local.api.s3.documents import (
    XML,
    S3Error,
    XmlChild,
    document,
    iso,
    read_document,
)
from pipelines.backends.local.api.s3.etags import contains_etag
from pipelines.backends.local.api.s3.objects import ObjectOperations, read_range
from pipelines.backends.local.api.s3.payload import S3Payload, payload
from pipelines.backends.local.api.s3.storage import attributes_in
from pipelines.backends.local.object_uris import S3Location
from pipelines.frozen import frozen

_ID = re.compile(r"[0-9a-f]{32}")
_MOST_PARTS = 10_000
_SMALLEST = 5 << 20
_PIECE = 1 << 20


@frozen
class UploadPart:
    """An uploaded part: its number, its ETag, and its file."""

    number: int
    tag: str
    file: Path


@frozen
class MultipartOperations:
    """The operations on multipart uploads."""

    objects: ObjectOperations

    def create(self, location: S3Location, request: HttpRequest) -> HttpResponse:
        """Start an upload."""
        self.objects.storage.require_bucket(location.bucket)
        identifier = secrets.token_hex(16)
        folder = self._uploads / identifier
        folder.mkdir(parents=True)
        record = {"uri": location.uri, "attributes": attributes_in(request.headers)}
        (folder / "upload.json").write_text(json.dumps(record), encoding="utf-8")
        content = [("Bucket", location.bucket), ("Key", location.key), ("UploadId", identifier)]
        return HttpResponse(200, XML, document("InitiateMultipartUploadResult", content))

    def upload(self, location: S3Location, request: HttpRequest) -> HttpResponse:
        """Store a part; one with the same number is replaced."""
        folder, number = self._folder(location, request), _number(request)
        with payload(request) as body:
            tag = self._keep(folder, number, body)
        checksums = {n: v for n, v in body.confirmed.items() if n.startswith("x-amz-")}
        return HttpResponse(200, {"ETag": f'"{tag}"', **checksums})

    def copy(self, location: S3Location, request: HttpRequest) -> HttpResponse:
        """Copy a part from an existing object."""
        folder, number = self._folder(location, request), _number(request)
        file, info, _ = self.objects.source(request)
        with file:
            header = request.headers.get("x-amz-copy-source-range")
            start, length, _ = read_range(header, info.size)
            file.seek(start)
            cut = folder / f"copy-{secrets.token_hex(8)}"
            with cut.open("wb") as target:
                while length:
                    piece = file.read(min(length, _PIECE))
                    length -= len(piece) or length
                    target.write(piece)
        with payload(HttpRequest("PUT", "", {}, {}, b"", cut)) as body:
            tag = self._keep(folder, number, body)
        content = [("LastModified", iso(info.modified)), ("ETag", f'"{tag}"')]
        return HttpResponse(200, XML, document("CopyPartResult", content))

    def complete(self, location: S3Location, request: HttpRequest) -> HttpResponse:
        """Assemble the object from the parts that a document lists."""
        folder = self._folder(location, request)
        with payload(request) as body:
            parts = _listed_parts(read_document(body.data), _parts(folder))
        whole = folder / "whole"
        with whole.open("wb") as target:
            for part in parts:
                with part.file.open("rb") as source:
                    shutil.copyfileobj(source, target, _PIECE)
        record = json.loads((folder / "upload.json").read_bytes())
        body = S3Payload(b"", whole, "", {})
        tag = self.objects.write(location, request.headers, body, record["attributes"])
        shutil.rmtree(folder, ignore_errors=True)
        content = [("Bucket", location.bucket), ("Key", location.key), ("ETag", tag)]
        return HttpResponse(200, XML, document("CompleteMultipartUploadResult", content))

    def abort(self, location: S3Location, request: HttpRequest) -> HttpResponse:
        """Abort an upload."""
        shutil.rmtree(self._folder(location, request), ignore_errors=True)
        return HttpResponse(204)

    def parts(self, location: S3Location, request: HttpRequest) -> HttpResponse:
        """List the parts of an upload, all on one page."""
        found = _parts(self._folder(location, request))
        listed: list[XmlChild] = [
            (
                "Part",
                [
                    ("PartNumber", str(part.number)),
                    ("ETag", f'"{part.tag}"'),
                    ("Size", str(part.file.stat().st_size)),
                    ("LastModified", iso(part.file.stat().st_mtime)),
                ],
            )
            for part in found.values()
        ]
        content = [
            ("Bucket", location.bucket),
            ("Key", location.key),
            ("UploadId", request.query["uploadId"]),
            ("IsTruncated", "false"),
            *listed,
        ]
        return HttpResponse(200, XML, document("ListPartsResult", content))

    @property
    def _uploads(self) -> Path:
        return self.objects.storage.objects.root / ".uploads"

    def _folder(self, location: S3Location, request: HttpRequest) -> Path:
        """Find the folder of an upload that is for this key."""
        identifier = request.query.get("uploadId", "")
        folder = self._uploads / identifier
        if _ID.fullmatch(identifier) and folder.is_dir():
            record = json.loads((folder / "upload.json").read_bytes())
            if record["uri"] == location.uri:
                return folder
        raise S3Error("NoSuchUpload", "The specified upload does not exist")

    def _keep(self, folder: Path, number: int, body: S3Payload) -> str:
        file = folder / f"{number:05}-{body.md5}"
        if body.path is None:
            file.write_bytes(body.data)
        else:
            shutil.move(body.path, file)
        for other in folder.glob(f"{number:05}-*"):
            if other != file:
                other.unlink(missing_ok=True)
        return body.md5


def _number(request: HttpRequest) -> int:
    number = whole_number(request.query.get("partNumber", ""))
    if number is None or not 1 <= number <= _MOST_PARTS:
        raise S3Error("InvalidArgument", f"Part number must be an integer from 1 to {_MOST_PARTS}")
    return number


def _parts(folder: Path) -> dict[int, UploadPart]:
    found = {}
    for file in sorted(folder.glob("[0-9]*-*")):
        number, _, tag = file.name.partition("-")
        found[int(number)] = UploadPart(int(number), tag, file)
    return found


def _listed_parts(listed: Element | None, uploaded: dict[int, UploadPart]) -> list[UploadPart]:
    """Find the parts that a document lists.

    Raises:
        S3Error: MalformedXML, InvalidPart, InvalidPartOrder, EntityTooSmall.
    """
    items = [] if listed is None else list(listed.iter("Part"))
    if not items:
        raise S3Error("MalformedXML", "CompleteMultipartUpload must list the parts")
    parts = [_part(item, uploaded) for item in items]
    numbers = [part.number for part in parts]
    if numbers != sorted(set(numbers)):
        raise S3Error("InvalidPartOrder", "The parts must be listed in ascending order")
    for part in parts[:-1]:
        if part.file.stat().st_size < _SMALLEST:
            raise S3Error("EntityTooSmall", f"part {part.number} has less than 5 MB")
    return parts


def _part(item: Element, uploaded: dict[int, UploadPart]) -> UploadPart:
    number = item.findtext("PartNumber") or ""
    part = uploaded.get(whole_number(number) or 0)
    if part is None or not contains_etag(item.findtext("ETag") or "", part.tag):
        raise S3Error("InvalidPart", f"part {number} was not uploaded, or has another ETag")
    return part
