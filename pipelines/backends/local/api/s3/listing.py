"""ListObjectsV2 and ListObjects: pages of keys, rolled up at a delimiter."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterator
from urllib.parse import quote

from pipelines.backends.local.api.messages import Answer, Request
from pipelines.backends.local.api.s3.documents import XML, Child, document, iso
from pipelines.backends.local.api.s3.errors import S3Error
from pipelines.backends.local.api.s3.etags import etag
from pipelines.backends.local.api.s3.place import Place, Shelf
from pipelines.backends.local.objects import ObjectInfo, ObjectUriError
from pipelines.frozen import frozen

_MOST = 1000
_TRIES = 5


@frozen
class Start:
    """Where a page begins: after a key, or after everything below a common prefix."""

    key: str = ""
    is_prefix: bool = False

    def is_behind(self, key: str) -> bool:
        """Say whether a key belongs to this page or a later one."""
        return key > self.key and not (self.is_prefix and key.startswith(self.key))


@frozen
class Page:
    """One page: objects and common prefixes in one order, and whether there is more."""

    objects: list[ObjectInfo]
    prefixes: list[str]
    last: Start
    truncated: bool


@frozen
class Asked:
    """What a listing is asked for; `write` encodes keys where the request wants that."""

    bucket: str
    prefix: str
    delimiter: str
    most: int
    encoding: str

    @classmethod
    def of(cls, place: Place, request: Request) -> Asked:
        """Read the query.

        Raises:
            S3Error: InvalidArgument.
        """
        query = request.query
        most = query.get("max-keys") or str(_MOST)
        encoding = query.get("encoding-type", "")
        if not most.isdigit() or encoding not in {"", "url"}:
            raise S3Error("InvalidArgument", "max-keys is a number, encoding-type is `url`")
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        return cls(place.bucket, prefix, delimiter, min(int(most), _MOST), encoding)

    def write(self, text: str) -> str:
        """Write a key or a prefix."""
        return quote(text, safe="/") if self.encoding else text


@frozen
class Listing:
    """The two operations; they differ in how a page is asked for and what it is called."""

    shelf: Shelf

    def second(self, place: Place, request: Request) -> Answer:
        """Answer ListObjectsV2."""
        asked, query = Asked.of(place, request), request.query
        token = query.get("continuation-token")
        start = _read_token(token) if token else Start(query.get("start-after", ""))
        page = self._page(asked, start)
        content = [
            *_head(asked, page),
            ("KeyCount", str(len(page.objects) + len(page.prefixes))),
            *([("ContinuationToken", token)] if token else []),
            *(
                [("StartAfter", asked.write(query["start-after"]))]
                if "start-after" in query
                else []
            ),
            *([("NextContinuationToken", _token(page.last))] if page.truncated else []),
            *_entries(asked, page),
        ]
        return Answer(200, XML, document("ListBucketResult", content))

    def first(self, place: Place, request: Request) -> Answer:
        """Answer ListObjects."""
        asked = Asked.of(place, request)
        marker = request.query.get("marker", "")
        rolled_up = bool(asked.delimiter) and marker.endswith(asked.delimiter)
        page = self._page(asked, Start(marker, rolled_up))
        following = page.truncated and asked.delimiter
        content = [
            *_head(asked, page),
            ("Marker", asked.write(marker)),
            *([("NextMarker", asked.write(page.last.key))] if following else []),
            *_entries(asked, page),
        ]
        return Answer(200, XML, document("ListBucketResult", content))

    def _page(self, asked: Asked, start: Start) -> Page:
        self.shelf.require_bucket(asked.bucket)
        page = Page([], [], start, truncated=False)
        if asked.most == 0:
            return page
        last = start
        for key, info in self._keys(asked):
            if not last.is_behind(key):
                continue
            if len(page.objects) + len(page.prefixes) == asked.most:
                return Page(page.objects, page.prefixes, last, truncated=True)
            end = key.find(asked.delimiter, len(asked.prefix)) if asked.delimiter else -1
            if end < 0:
                page.objects.append(info)
                last = Start(key)
            else:
                last = Start(key[: end + len(asked.delimiter)], is_prefix=True)
                page.prefixes.append(last.key)
        return page

    def _keys(self, asked: Asked) -> Iterator[tuple[str, ObjectInfo]]:
        """List the keys with a prefix, which may end in the middle of a name."""
        folder = asked.prefix[: asked.prefix.rfind("/") + 1]
        base = f"s3://{asked.bucket}/"
        for info in _settled(lambda: list(self.shelf.objects.list(base + folder))):
            key = info.uri.removeprefix(base)
            if key.startswith(asked.prefix):
                yield key, info


def _settled(listing: Callable[[], list[ObjectInfo]]) -> list[ObjectInfo]:
    """List while others delete: what went away in the middle of it makes it begin again."""
    for _ in range(_TRIES):
        try:
            return listing()
        except FileNotFoundError:
            continue
        except ObjectUriError:
            return []  # no key can have such a prefix
    raise S3Error("SlowDown", "the objects change faster than they can be listed")


def _head(asked: Asked, page: Page) -> list[Child]:
    return [
        ("Name", asked.bucket),
        ("Prefix", asked.write(asked.prefix)),
        *([("Delimiter", asked.write(asked.delimiter))] if asked.delimiter else []),
        ("MaxKeys", str(asked.most)),
        *([("EncodingType", asked.encoding)] if asked.encoding else []),
        ("IsTruncated", "true" if page.truncated else "false"),
    ]


def _entries(asked: Asked, page: Page) -> Iterator[Child]:
    base = f"s3://{asked.bucket}/"
    for info in page.objects:
        try:
            tag = etag(info.path, info.path.stat())
        except FileNotFoundError:
            continue
        content = [
            ("Key", asked.write(info.uri.removeprefix(base))),
            ("LastModified", iso(info.modified)),
            ("ETag", tag),
            ("Size", str(info.size)),
            ("StorageClass", "STANDARD"),
        ]
        yield ("Contents", content)
    for prefix in page.prefixes:
        yield ("CommonPrefixes", [("Prefix", asked.write(prefix))])


def _token(last: Start) -> str:
    return base64.urlsafe_b64encode(json.dumps([last.key, last.is_prefix]).encode()).decode()


def _read_token(token: str) -> Start:
    try:
        key, is_prefix = json.loads(base64.urlsafe_b64decode(token))
    except (binascii.Error, ValueError):
        raise S3Error("InvalidArgument", "The continuation token provided is incorrect") from None
    return Start(str(key), bool(is_prefix))
