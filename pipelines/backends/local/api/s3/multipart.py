"""Multipart uploads: parts wait in a folder of their own until they are put together."""

from __future__ import annotations

import json
import re
import secrets
import shutil
from pathlib import Path
from xml.etree.ElementTree import Element

from pipelines.backends.local.api.messages import Answer, Request
from pipelines.backends.local.api.s3.attributes import given
from pipelines.backends.local.api.s3.documents import XML, Child, document, iso, read
from pipelines.backends.local.api.s3.errors import S3Error
from pipelines.backends.local.api.s3.etags import names
from pipelines.backends.local.api.s3.objects import Objects, read_range
from pipelines.backends.local.api.s3.payload import Payload, payload
from pipelines.backends.local.api.s3.place import Place
from pipelines.frozen import frozen

_ID = re.compile(r"[0-9a-f]{32}")
_MOST_PARTS = 10_000
_SMALLEST = 5 << 20
_PIECE = 1 << 20


@frozen
class Part:
    """A part that was uploaded: its number, its ETag, and the file that it is."""

    number: int
    tag: str
    file: Path


@frozen
class Multipart:
    """The operations on multipart uploads."""

    objects: Objects

    def create(self, place: Place, request: Request) -> Answer:
        """Begin an upload."""
        self.objects.shelf.require_bucket(place.bucket)
        identifier = secrets.token_hex(16)
        folder = self._uploads / identifier
        folder.mkdir(parents=True)
        record = {"uri": place.uri, "attributes": given(request.headers)}
        (folder / "upload.json").write_text(json.dumps(record), encoding="utf-8")
        content = [("Bucket", place.bucket), ("Key", place.key), ("UploadId", identifier)]
        return Answer(200, XML, document("InitiateMultipartUploadResult", content))

    def upload(self, place: Place, request: Request) -> Answer:
        """Take a part; a number that was there is replaced."""
        folder, number = self._folder(place, request), _number(request)
        with payload(request) as body:
            tag = self._keep(folder, number, body)
        checksums = {n: v for n, v in body.confirmed.items() if n.startswith("x-amz-")}
        return Answer(200, {"ETag": f'"{tag}"', **checksums})

    def copy(self, place: Place, request: Request) -> Answer:
        """Take a part out of an object that is there."""
        folder, number = self._folder(place, request), _number(request)
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
        with payload(Request("PUT", "", {}, {}, b"", cut)) as body:
            tag = self._keep(folder, number, body)
        content = [("LastModified", iso(info.modified)), ("ETag", f'"{tag}"')]
        return Answer(200, XML, document("CopyPartResult", content))

    def complete(self, place: Place, request: Request) -> Answer:
        """Make the object out of the parts that a document lists."""
        folder = self._folder(place, request)
        with payload(request) as body:
            parts = _listed(read(body.data), _parts(folder))
        whole = folder / "whole"
        with whole.open("wb") as target:
            for part in parts:
                with part.file.open("rb") as source:
                    shutil.copyfileobj(source, target, _PIECE)
        record = json.loads((folder / "upload.json").read_bytes())
        body = Payload(b"", whole, "", {})
        tag = self.objects.write(place, request.headers, body, record["attributes"])
        shutil.rmtree(folder, ignore_errors=True)
        content = [("Bucket", place.bucket), ("Key", place.key), ("ETag", tag)]
        return Answer(200, XML, document("CompleteMultipartUploadResult", content))

    def abort(self, place: Place, request: Request) -> Answer:
        """Give an upload up."""
        shutil.rmtree(self._folder(place, request), ignore_errors=True)
        return Answer(204)

    def parts(self, place: Place, request: Request) -> Answer:
        """List the parts of an upload, all on one page."""
        found = _parts(self._folder(place, request))
        listed: list[Child] = [
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
            ("Bucket", place.bucket),
            ("Key", place.key),
            ("UploadId", request.query["uploadId"]),
            ("IsTruncated", "false"),
            *listed,
        ]
        return Answer(200, XML, document("ListPartsResult", content))

    @property
    def _uploads(self) -> Path:
        return self.objects.shelf.objects.root / ".uploads"

    def _folder(self, place: Place, request: Request) -> Path:
        """Find the folder of an upload that is for this key."""
        identifier = request.query.get("uploadId", "")
        folder = self._uploads / identifier
        if _ID.fullmatch(identifier) and folder.is_dir():
            record = json.loads((folder / "upload.json").read_bytes())
            if record["uri"] == place.uri:
                return folder
        raise S3Error("NoSuchUpload", "The specified upload does not exist")

    def _keep(self, folder: Path, number: int, body: Payload) -> str:
        file = folder / f"{number:05}-{body.md5}"
        if body.path is None:
            file.write_bytes(body.data)
        else:
            shutil.move(body.path, file)
        for other in folder.glob(f"{number:05}-*"):
            if other != file:
                other.unlink(missing_ok=True)
        return body.md5


def _number(request: Request) -> int:
    text = request.query.get("partNumber", "")
    if not text.isdigit() or not 1 <= int(text) <= _MOST_PARTS:
        raise S3Error("InvalidArgument", f"Part number must be an integer from 1 to {_MOST_PARTS}")
    return int(text)


def _parts(folder: Path) -> dict[int, Part]:
    found = {}
    for file in sorted(folder.glob("[0-9]*-*")):
        number, _, tag = file.name.partition("-")
        found[int(number)] = Part(int(number), tag, file)
    return found


def _listed(asked: Element | None, there: dict[int, Part]) -> list[Part]:
    """Find the parts that a document lists.

    Raises:
        S3Error: MalformedXML, InvalidPart, InvalidPartOrder, EntityTooSmall.
    """
    items = [] if asked is None else list(asked.iter("Part"))
    if not items:
        raise S3Error("MalformedXML", "CompleteMultipartUpload lists the parts")
    parts = [_part(item, there) for item in items]
    numbers = [part.number for part in parts]
    if numbers != sorted(set(numbers)):
        raise S3Error("InvalidPartOrder", "The parts have to be listed in ascending order")
    for part in parts[:-1]:
        if part.file.stat().st_size < _SMALLEST:
            raise S3Error("EntityTooSmall", f"part {part.number} has less than 5 MB")
    return parts


def _part(item: Element, there: dict[int, Part]) -> Part:
    number = item.findtext("PartNumber") or ""
    part = there.get(int(number)) if number.isdigit() else None
    if part is None or not names(item.findtext("ETag") or "", part.tag):
        raise S3Error("InvalidPart", f"part {number} was not uploaded, or has another ETag")
    return part
