"""S3 buckets: folders of the object store."""

from __future__ import annotations

from pipelines.backends.local.api.messages import HttpRequest, HttpResponse
from pipelines.backends.local.api.s3.documents import XML, S3Error, XmlChild, document, iso
from pipelines.backends.local.api.s3.storage import S3Storage, checked_bucket
from pipelines.backends.local.object_uris import S3Location
from pipelines.frozen import frozen

_FIRST_REGION = "us-east-1"


@frozen
class BucketOperations:
    """The operations on buckets."""

    storage: S3Storage

    def list_buckets(self, _location: S3Location, _request: HttpRequest) -> HttpResponse:
        """List the buckets."""
        root = self.storage.objects.root
        folders = sorted(root.iterdir()) if root.is_dir() else []
        buckets: list[XmlChild] = [
            ("Bucket", [("Name", folder.name), ("CreationDate", iso(folder.stat().st_mtime))])
            for folder in folders
            if folder.is_dir() and not folder.name.startswith(".")
        ]
        owner: XmlChild = ("Owner", [("DisplayName", "local"), ("ID", "local")])
        content = [owner, ("Buckets", buckets)]
        return HttpResponse(200, XML, document("ListAllMyBucketsResult", content))

    def head(self, location: S3Location, _request: HttpRequest) -> HttpResponse:
        """Return whether a bucket exists."""
        self.storage.require_bucket(location.bucket)
        return HttpResponse(200, {"x-amz-bucket-region": self.storage.region})

    def create(self, location: S3Location, _request: HttpRequest) -> HttpResponse:
        """Create a bucket; in us-east-1 creating it again is not an error, as in S3."""
        folder = self.storage.objects.root / checked_bucket(location.bucket)
        if folder.is_dir() and self.storage.region != _FIRST_REGION:
            raise S3Error(
                "BucketAlreadyOwnedByYou", f"you already own the bucket {location.bucket}"
            )
        self.storage.keep_bucket(location.bucket)
        return HttpResponse(200, {"Location": f"/{location.bucket}"})

    def delete(self, location: S3Location, _request: HttpRequest) -> HttpResponse:
        """Delete an empty bucket."""
        self.storage.require_bucket(location.bucket)
        try:
            (self.storage.objects.root / location.bucket).rmdir()
        except OSError:
            raise S3Error("BucketNotEmpty", "The bucket you tried to delete is not empty") from None
        return HttpResponse(204)

    def location(self, location: S3Location, _request: HttpRequest) -> HttpResponse:
        """Return the region of a bucket; us-east-1 is empty here."""
        self.storage.require_bucket(location.bucket)
        region = "" if self.storage.region == _FIRST_REGION else self.storage.region
        return HttpResponse(200, XML, document("LocationConstraint", region))

    def versioning(self, location: S3Location, _request: HttpRequest) -> HttpResponse:
        """Return that a bucket has no versioning."""
        self.storage.require_bucket(location.bucket)
        return HttpResponse(200, XML, document("VersioningConfiguration", ""))
