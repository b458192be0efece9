"""Which S3 operation a request means, carried out, its refusals answered."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import TypeAlias

from pipelines.backends.local.api.messages import Answer, Request
from pipelines.backends.local.api.s3.attributes import Attributes
from pipelines.backends.local.api.s3.buckets import Buckets
from pipelines.backends.local.api.s3.errors import S3Error, refused
from pipelines.backends.local.api.s3.listing import Listing
from pipelines.backends.local.api.s3.multipart import Multipart
from pipelines.backends.local.api.s3.objects import Objects
from pipelines.backends.local.api.s3.place import Place, Shelf, place_of
from pipelines.backends.local.objects import ObjectStore, ObjectUriError

LONGEST = 6 << 30
"""Bytes: 5 GB are the most in one part, and the framing of chunks comes on top."""

Operation: TypeAlias = Callable[[Place, Request], Answer]

_SUBRESOURCES = frozenset(
    {
        *("accelerate", "acl", "analytics", "attributes", "cors", "encryption", "intelligent"),
        *("intelligent-tiering", "inventory", "legal-hold", "lifecycle", "logging", "metrics"),
        *("notification", "object-lock", "ownershipControls", "partNumber", "policy"),
        *("policyStatus", "publicAccessBlock", "replication", "requestPayment", "restore"),
        *("retention", "select", "tagging", "torrent", "uploads", "versionId", "versions"),
        *("website", "append", "renameObject", "metadataTable", "abac"),
    }
)
"""What the local S3 does not have: asking for it is refused, and never taken for the object."""


class S3:
    """The service.

    Args:
        store: the objects.
        region: the region of every bucket.
    """

    def __init__(self, store: ObjectStore, region: str) -> None:
        shelf = Shelf(store, Attributes(store.root / ".attributes"), region)
        buckets, objects, listing = Buckets(shelf), Objects(shelf), Listing(shelf)
        multipart = Multipart(objects)
        self._service: dict[str, Operation] = {"GET ListBuckets": buckets.list}
        self._bucket: dict[str, Operation] = {
            "GET location GetBucketLocation": buckets.location,
            "GET versioning GetBucketVersioning": buckets.versioning,
            "GET list-type ListObjectsV2": listing.second,
            "POST delete DeleteObjects": objects.delete_many,
            "GET ListObjects": listing.first,
            "HEAD HeadBucket": buckets.head,
            "PUT CreateBucket": buckets.create,
            "DELETE DeleteBucket": buckets.delete,
        }
        self._object: dict[str, Operation] = {
            "POST uploads CreateMultipartUpload": multipart.create,
            "POST uploadId CompleteMultipartUpload": multipart.complete,
            "DELETE uploadId AbortMultipartUpload": multipart.abort,
            "GET uploadId ListParts": multipart.parts,
            "PUT uploadId:x-amz-copy-source UploadPartCopy": multipart.copy,
            "PUT uploadId UploadPart": multipart.upload,
            "PUT :x-amz-copy-source CopyObject": objects.copy,
            "GET GetObject": objects.get,
            "HEAD HeadObject": objects.get,
            "PUT PutObject": objects.put,
            "DELETE DeleteObject": objects.delete,
        }

    def answer(self, request: Request) -> Answer:
        """Carry out a request."""
        place = place_of(request.path)
        name, operation = self._find(place, request)
        shown = f"s3.{name}"
        try:
            answer = operation(place, request)
        except S3Error as error:
            return refused(error, request.path, shown)
        except ObjectUriError as error:
            told = S3Error("InvalidArgument", f"{error.problem}; {error.remedy}")
            return refused(told, request.path, shown)
        except OSError as error:
            if error.errno != errno.ENAMETOOLONG:
                raise
            told = S3Error("KeyTooLongError", "a part of the key has more than 255 bytes")
            return refused(told, request.path, shown)
        return Answer(answer.status, answer.headers, answer.body, shown)

    def _find(self, place: Place, request: Request) -> tuple[str, Operation]:
        tables = (self._service, self._bucket, self._object)
        table = tables[bool(place.bucket) + bool(place.key)]
        for pattern, operation in table.items():
            method, *marks, name = pattern.split(" ")
            if method == request.method and _has(request, marks):
                if not marks and not _SUBRESOURCES.isdisjoint(request.query):
                    break
                return name, operation
        return "-", _not_implemented


def _has(request: Request, marks: list[str]) -> bool:
    """Say whether a request has what a pattern demands: `<query parameter>:<header>`."""
    parameter, _, header = (marks or [""])[0].partition(":")
    return (not parameter or parameter in request.query) and (
        not header or header in request.headers
    )


def _not_implemented(_place: Place, request: Request) -> Answer:
    asked = " ".join(sorted(_SUBRESOURCES.intersection(request.query)))
    told = f"{request.method} {request.path}" + (f" with `{asked}`" if asked else "")
    raise S3Error("NotImplemented", f"the local S3 does not have what {told} asks for")


def bug(request: Request) -> Answer:
    """Answer that something of ours is broken; the log has the traceback."""
    message = "this is a bug in pipelines: the log of the local SageMaker has the traceback"
    return refused(S3Error("InternalError", message), request.path, "s3.-")
