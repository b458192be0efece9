"""Buckets: folders of the object store."""

from __future__ import annotations

from pipelines.backends.local.api.messages import Answer, Request
from pipelines.backends.local.api.s3.documents import XML, Child, document, iso
from pipelines.backends.local.api.s3.errors import S3Error
from pipelines.backends.local.api.s3.place import Place, Shelf, checked_bucket
from pipelines.frozen import frozen

_FIRST_REGION = "us-east-1"


@frozen
class Buckets:
    """The operations on buckets."""

    shelf: Shelf

    def list(self, _place: Place, _request: Request) -> Answer:
        """List the buckets."""
        root = self.shelf.objects.root
        folders = sorted(root.iterdir()) if root.is_dir() else []
        buckets: list[Child] = [
            ("Bucket", [("Name", folder.name), ("CreationDate", iso(folder.stat().st_mtime))])
            for folder in folders
            if folder.is_dir() and not folder.name.startswith(".")
        ]
        owner: Child = ("Owner", [("DisplayName", "local"), ("ID", "local")])
        content = [owner, ("Buckets", buckets)]
        return Answer(200, XML, document("ListAllMyBucketsResult", content))

    def head(self, place: Place, _request: Request) -> Answer:
        """Say whether a bucket is there."""
        self.shelf.require_bucket(place.bucket)
        return Answer(200, {"x-amz-bucket-region": self.shelf.region})

    def create(self, place: Place, _request: Request) -> Answer:
        """Create a bucket; in the first region creating it again is no error, as in S3."""
        folder = self.shelf.objects.root / checked_bucket(place.bucket)
        if folder.is_dir() and self.shelf.region != _FIRST_REGION:
            raise S3Error("BucketAlreadyOwnedByYou", f"you own the bucket {place.bucket} already")
        self.shelf.keep_bucket(place.bucket)
        return Answer(200, {"Location": f"/{place.bucket}"})

    def delete(self, place: Place, _request: Request) -> Answer:
        """Delete an empty bucket."""
        self.shelf.require_bucket(place.bucket)
        try:
            (self.shelf.objects.root / place.bucket).rmdir()
        except OSError:
            raise S3Error("BucketNotEmpty", "The bucket you tried to delete is not empty") from None
        return Answer(204)

    def location(self, place: Place, _request: Request) -> Answer:
        """Say which region a bucket is in; the first region has no name here."""
        self.shelf.require_bucket(place.bucket)
        region = "" if self.shelf.region == _FIRST_REGION else self.shelf.region
        return Answer(200, XML, document("LocationConstraint", region))

    def versioning(self, place: Place, _request: Request) -> Answer:
        """Say that a bucket keeps no versions."""
        self.shelf.require_bucket(place.bucket)
        return Answer(200, XML, document("VersioningConfiguration", ""))
