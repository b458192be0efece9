"""S3 of an account in memory, and pages as boto3 returns them."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.unit.programs.refusals import refusal


@dataclass
class Paginator:
    """boto3's paginator over one page."""

    page: dict[str, Any]

    def paginate(self, **_request: Any) -> Iterator[dict[str, Any]]:
        """Give the page."""
        yield self.page


@dataclass
class S3:
    """The s3 client."""

    objects: dict[str, bytes]
    tags: dict[str, str]
    change: Callable[[str, Callable[[], None]], None]

    def list_objects_v2(self, **request: Any) -> dict[str, Any]:
        """List objects."""
        keys = sorted(key for key in self.objects if key.startswith(request["Prefix"]))
        return {"Contents": [{"Key": key} for key in keys]}

    def head_object(self, **request: Any) -> dict[str, Any]:
        """Look at an archive; one that is not there, or may not be seen, is refused alike."""
        tag = self.tags.get(request["Key"])
        if tag is None:
            raise refusal("HeadObject", "Forbidden", "403")
        return {"ETag": f'"{tag}"'}

    def get_object(self, **request: Any) -> dict[str, Any]:
        """Read an object."""
        if request["Key"] not in self.objects:
            raise refusal("GetObject", "The specified key does not exist.", "NoSuchKey")
        return {"Body": io.BytesIO(self.objects[request["Key"]])}

    def put_object(self, **request: Any) -> None:
        """Write an object."""
        outcome = request["Key"].rpartition("-")[2].removesuffix(".json")
        content = {request["Key"]: bytes(request["Body"])}
        self.change(f"wrote {outcome}", lambda: self.objects.update(content))
