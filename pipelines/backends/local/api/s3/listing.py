"""ListObjectsV2 and ListObjects: pages of keys, rolled up at a delimiter."""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Callable, Iterator
from urllib.parse import quote

from pipelines.backends.local.api.messages import HttpRequest, HttpResponse, whole_number
from pipelines.backends.local.api.s3.documents import XML, S3Error, XmlChild, document, iso
from pipelines.backends.local.api.s3.storage import S3Storage
from pipelines.backends.local.etags import etag
from pipelines.backends.local.object_uris import ObjectUriError, S3Location
from pipelines.backends.local.objects import ObjectInfo
from pipelines.frozen import frozen

_MOST = 1000
_TRIES = 5


@frozen
class PageStart:
    """Where a page begins: after a key, or after all keys below a common prefix."""

    key: str = ""
    is_prefix: bool = False

    def is_behind(self, key: str) -> bool:
        """Return whether a key belongs to this page or a later one."""
        return key > self.key and not (self.is_prefix and key.startswith(self.key))


@frozen
class ListingPage:
    """One page: objects and common prefixes in one order, and whether there are more."""

    objects: list[ObjectInfo]
    prefixes: list[str]
    last: PageStart
    truncated: bool


@frozen
class ListingRequest:
    """The parameters of a listing; `write` encodes keys if the request asks for it."""

    bucket: str
    prefix: str
    delimiter: str
    most: int
    encoding: str

    @classmethod
    def of(cls, location: S3Location, request: HttpRequest) -> ListingRequest:
        """Read the query.

        Raises:
            S3Error: InvalidArgument.
        """
        query = request.query
        most = whole_number(query.get("max-keys") or str(_MOST))
        encoding = query.get("encoding-type", "")
        if most is None or encoding not in {"", "url"}:
            raise S3Error("InvalidArgument", "max-keys must be a number and encoding-type `url`")
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        return cls(location.bucket, prefix, delimiter, min(most, _MOST), encoding)

    def write(self, text: str) -> str:
        """Write a key or a prefix."""
        return quote(os.fsencode(text), safe="/") if self.encoding else text


@frozen
class ListingOperations:
    """The two operations; they differ in how they request a page and what they call it."""

    storage: S3Storage

    def list_objects_v2(self, location: S3Location, request: HttpRequest) -> HttpResponse:
        """ListObjectsV2."""
        parameters, query = ListingRequest.of(location, request), request.query
        token = query.get("continuation-token")
        start = _read_token(token) if token else PageStart(query.get("start-after", ""))
        page = self._page(parameters, start)
        content = [
            *_head(parameters, page),
            ("KeyCount", str(len(page.objects) + len(page.prefixes))),
            *([("ContinuationToken", token)] if token else []),
            *(
                [("StartAfter", parameters.write(query["start-after"]))]
                if "start-after" in query
                else []
            ),
            *([("NextContinuationToken", _token(page.last))] if page.truncated else []),
            *_entries(parameters, page),
        ]
        return HttpResponse(200, XML, document("ListBucketResult", content))

    def list_objects(self, location: S3Location, request: HttpRequest) -> HttpResponse:
        """ListObjects."""
        parameters = ListingRequest.of(location, request)
        marker = request.query.get("marker", "")
        rolled_up = bool(parameters.delimiter) and marker.endswith(parameters.delimiter)
        page = self._page(parameters, PageStart(marker, rolled_up))
        following = page.truncated and parameters.delimiter
        content = [
            *_head(parameters, page),
            ("Marker", parameters.write(marker)),
            *([("NextMarker", parameters.write(page.last.key))] if following else []),
            *_entries(parameters, page),
        ]
        return HttpResponse(200, XML, document("ListBucketResult", content))

    def _page(self, parameters: ListingRequest, start: PageStart) -> ListingPage:
        self.storage.require_bucket(parameters.bucket)
        page = ListingPage([], [], start, truncated=False)
        if parameters.most == 0:
            return page
        last = start
        for key, info in self._keys(parameters):
            if not last.is_behind(key):
                continue
            if len(page.objects) + len(page.prefixes) == parameters.most:
                return ListingPage(page.objects, page.prefixes, last, truncated=True)
            end = (
                key.find(parameters.delimiter, len(parameters.prefix))
                if parameters.delimiter
                else -1
            )
            if end < 0:
                page.objects.append(info)
                last = PageStart(key)
            else:
                last = PageStart(key[: end + len(parameters.delimiter)], is_prefix=True)
                page.prefixes.append(last.key)
        return page

    def _keys(self, parameters: ListingRequest) -> Iterator[tuple[str, ObjectInfo]]:
        """List the keys with a prefix, which may end in the middle of a name."""
        folder = parameters.prefix[: parameters.prefix.rfind("/") + 1]
        base = f"s3://{parameters.bucket}/"
        for info in _retried(lambda: list(self.storage.objects.list(base + folder))):
            key = info.uri.removeprefix(base)
            if key.startswith(parameters.prefix):
                yield key, info


def _retried(listing: Callable[[], list[ObjectInfo]]) -> list[ObjectInfo]:
    """List while other processes delete: start again when a file disappears meanwhile."""
    for _ in range(_TRIES):
        try:
            return listing()
        except FileNotFoundError:
            continue
        except ObjectUriError:
            return []  # no valid key has such a prefix
    raise S3Error("SlowDown", "the objects change faster than they can be listed: retry")


def _head(parameters: ListingRequest, page: ListingPage) -> list[XmlChild]:
    return [
        ("Name", parameters.bucket),
        ("Prefix", parameters.write(parameters.prefix)),
        *([("Delimiter", parameters.write(parameters.delimiter))] if parameters.delimiter else []),
        ("MaxKeys", str(parameters.most)),
        *([("EncodingType", parameters.encoding)] if parameters.encoding else []),
        ("IsTruncated", "true" if page.truncated else "false"),
    ]


def _entries(parameters: ListingRequest, page: ListingPage) -> Iterator[XmlChild]:
    base = f"s3://{parameters.bucket}/"
    for info in page.objects:
        try:
            tag = etag(info.path, info.path.stat())
        except FileNotFoundError:
            continue
        content = [
            ("Key", parameters.write(info.uri.removeprefix(base))),
            ("LastModified", iso(info.modified)),
            ("ETag", tag),
            ("Size", str(info.size)),
            ("StorageClass", "STANDARD"),
        ]
        yield ("Contents", content)
    for prefix in page.prefixes:
        yield ("CommonPrefixes", [("Prefix", parameters.write(prefix))])


def _token(last: PageStart) -> str:
    return base64.urlsafe_b64encode(json.dumps([last.key, last.is_prefix]).encode()).decode()


def _read_token(token: str) -> PageStart:
    try:
        key, is_prefix = json.loads(base64.urlsafe_b64decode(token))
    except (binascii.Error, ValueError, TypeError, RecursionError):
        raise S3Error("InvalidArgument", "The continuation token provided is incorrect") from None
    return PageStart(str(key), bool(is_prefix))
