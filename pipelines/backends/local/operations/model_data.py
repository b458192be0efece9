"""What the service records of the model data when a package is registered: its ETag."""

from __future__ import annotations

from pipelines.backends.local.etags import etag
from pipelines.backends.local.object_uris import ObjectUriError
from pipelines.backends.local.objects import NoSuchObjectError, ObjectStore
from pipelines.json_types import Json, JsonObject

_SPECIFICATION, _CONTAINERS = "InferenceSpecification", "Containers"


def with_etags(content: JsonObject, objects: ObjectStore) -> JsonObject:
    """Return a package's content with the ETag of each model archive that is in the store."""
    specification = content.get(_SPECIFICATION)
    if not specification or not specification.get(_CONTAINERS):
        return content
    containers = [_recorded(one, objects) for one in specification[_CONTAINERS]]
    return {**content, _SPECIFICATION: {**specification, _CONTAINERS: containers}}


def _recorded(container: JsonObject, objects: ObjectStore) -> JsonObject:
    tag = _etag(container.get("ModelDataUrl"), objects)
    return container if tag is None else {**container, "ModelDataETag": tag}


def _etag(uri: Json, objects: ObjectStore) -> str | None:
    try:
        path = objects.info(str(uri)).path
    except (NoSuchObjectError, ObjectUriError):
        return None
    return etag(path, path.stat()).strip('"')
