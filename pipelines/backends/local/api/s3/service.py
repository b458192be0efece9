"""Which S3 operation a request is for; carries it out, and turns refusals into responses."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import TypeAlias

from pipelines.backends.local.api.messages import HttpRefusal, HttpRequest, HttpResponse
from pipelines.backends.local.api.s3.buckets import BucketOperations
from pipelines.backends.local.api.s3.documents import S3Error, error_response
from pipelines.backends.local.api.s3.listing import ListingOperations
from pipelines.backends.local.api.s3.multipart import MultipartOperations
from pipelines.backends.local.api.s3.objects import ObjectOperations
from pipelines.backends.local.api.s3.storage import ObjectAttributes, S3Storage, location_of
from pipelines.backends.local.object_uris import KeyTooLongError, ObjectUriError, S3Location
from pipelines.backends.local.objects import ObjectStore

LONGEST = 6 << 30
"""Bytes: a part has at most 5 GB, and the framing of chunks is added to it."""

S3Operation: TypeAlias = Callable[[S3Location, HttpRequest], HttpResponse]

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
"""What the local S3 does not support: refused, and never mistaken for the object itself."""


class S3Service:
    """S3, path-style.

    Args:
        store: the objects.
        region: the region of every bucket.
    """

    def __init__(self, store: ObjectStore, region: str) -> None:
        storage = S3Storage(store, ObjectAttributes(store.root / ".attributes"), region)
        buckets, objects = BucketOperations(storage), ObjectOperations(storage)
        listing, multipart = ListingOperations(storage), MultipartOperations(objects)
        self._service: dict[str, S3Operation] = {"GET ListBuckets": buckets.list_buckets}
        self._bucket: dict[str, S3Operation] = {
            "GET location GetBucketLocation": buckets.location,
            "GET versioning GetBucketVersioning": buckets.versioning,
            "GET list-type ListObjectsV2": listing.list_objects_v2,
            "POST delete DeleteObjects": objects.delete_many,
            "GET ListObjects": listing.list_objects,
            "HEAD HeadBucket": buckets.head,
            "PUT CreateBucket": buckets.create,
            "DELETE DeleteBucket": buckets.delete,
        }
        self._object: dict[str, S3Operation] = {
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

    def respond(self, request: HttpRequest) -> HttpResponse:
        """Carry out a request."""
        location = location_of(request.path)
        name, operation = self._find(location, request)
        shown = f"s3.{name}"
        try:
            response = operation(location, request)
        except S3Error as error:
            return error_response(error, request.path, shown)
        except ObjectUriError as error:
            code = "KeyTooLongError" if isinstance(error, KeyTooLongError) else "InvalidArgument"
            refusal = S3Error(code, f"{error.problem}; {error.remedy}")
            return error_response(refusal, request.path, shown)
        except FileNotFoundError:
            refusal = S3Error("NoSuchKey", "The specified key was deleted meanwhile.")
            return error_response(refusal, request.path, shown)
        except OSError as error:
            if error.errno != errno.ENAMETOOLONG:
                raise
            refusal = S3Error("KeyTooLongError", "a part of the key has more than 255 bytes")
            return error_response(refusal, request.path, shown)
        return HttpResponse(response.status, response.headers, response.body, shown)

    def _find(self, location: S3Location, request: HttpRequest) -> tuple[str, S3Operation]:
        tables = (self._service, self._bucket, self._object)
        table = tables[bool(location.bucket) + bool(location.key)]
        for pattern, operation in table.items():
            method, *marks, name = pattern.split(" ")
            if method == request.method and _has(request, marks):
                if not marks and not _SUBRESOURCES.isdisjoint(request.query):
                    break
                return name, operation
        return "-", _not_implemented


def _has(request: HttpRequest, marks: list[str]) -> bool:
    """Return whether a request has what a pattern requires: `<query parameter>:<header>`."""
    parameter, _, header = (marks or [""])[0].partition(":")
    return (not parameter or parameter in request.query) and (
        not header or header in request.headers
    )


def _not_implemented(_location: S3Location, request: HttpRequest) -> HttpResponse:
    subresources = " ".join(sorted(_SUBRESOURCES.intersection(request.query)))
    refusal = f"{request.method} {request.path}" + (
        f" with `{subresources}`" if subresources else ""
    )
    raise S3Error("NotImplemented", f"the local S3 does not support {refusal}")


def refuse(request: HttpRequest, refusal: HttpRefusal) -> HttpResponse:
    """Write a refusal as the service does."""
    code = "InternalError" if refusal.code == "InternalFailure" else refusal.code
    return error_response(S3Error(code, refusal.message, refusal.status), request.path, "s3.-")
