"""An image of one ECR registry → the same image, byte for byte, in another.

By the calls that a `docker push` makes: every layer that is not there, then the manifest. Layers
are named by their digest, so an interrupted copy goes on where it ended.
"""

from __future__ import annotations

import hashlib
import json
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from typing import IO
from urllib.error import HTTPError

from pipelines.account.account import Account
from pipelines.errors import UsageError
from pipelines.execution.caller import CallRefusedError
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject

_DOCKER = "application/vnd.docker.distribution.manifest"
_MANIFESTS = [
    f"{_DOCKER}.v2+json",
    f"{_DOCKER}.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
]
_SECONDS = 60
_NO_REPOSITORY = "RepositoryNotFoundException"


@frozen
class ImageName:
    """An image in a registry: the account of the registry, its repository, a tag or a digest."""

    account: str
    repository: str
    reference: str

    @property
    def request(self) -> JsonObject:
        """The members that name its repository in a request."""
        return {"registryId": self.account, "repositoryName": self.repository}

    @property
    def id(self) -> dict[str, str]:
        """The member that names it there."""
        key = "imageDigest" if self.reference.startswith("sha256:") else "imageTag"
        return {key: self.reference}


def has_repository(account: Account, name: ImageName) -> bool:
    """Return whether the repository of an image exists."""
    request = {"registryId": name.account, "repositoryNames": [name.repository]}
    try:
        account.call("ecr", "describe_repositories", **request)
    except CallRefusedError as error:
        if error.code == _NO_REPOSITORY:
            return False
        raise
    return True


def digest_of(account: Account, name: ImageName) -> str | None:
    """Return the digest of an image; None where there is none of that name."""
    try:
        found = _manifest(account, name)
    except CallRefusedError as error:
        if error.code == _NO_REPOSITORY:
            return None
        raise
    return None if found is None else str(found["imageId"]["imageDigest"])


def copy_image(source: Account, target: Account, name: ImageName) -> None:
    """Copy an image, named by its digest, into the repository of the same name.

    Raises:
        UsageError: a layer is not what its digest says.
        CallRefusedError: a registry refused something.
    """
    found = _manifest(source, name)
    if found is None:
        raise UsageError(f"the image {name.repository}@{name.reference} is gone from ECR")
    text = str(found["imageManifest"])
    manifest = json.loads(text)
    for inner in manifest.get("manifests", ()):  # of several platforms
        copy_image(source, target, ImageName(name.account, name.repository, inner["digest"]))
    parts = [*manifest.get("layers", ()), *filter(None, [manifest.get("config")])]
    for layer in dict.fromkeys(str(part["digest"]) for part in parts):
        if not _has_layer(target, name.repository, layer):
            _copy_layer(source, target, name, layer)
    if digest_of(target, ImageName(target.account_id(), name.repository, name.reference)) is None:
        target.call(
            "ecr",
            "put_image",
            repositoryName=name.repository,
            imageManifest=text,
            imageManifestMediaType=found.get("imageManifestMediaType") or manifest["mediaType"],
            imageDigest=name.reference,
        )


def _manifest(account: Account, name: ImageName) -> JsonObject | None:
    request = {**name.request, "imageIds": [name.id], "acceptedMediaTypes": _MANIFESTS}
    images = account.call("ecr", "batch_get_image", **request).get("images")
    return images[0] if images else None


def _has_layer(account: Account, repository: str, digest: str) -> bool:
    request = {"repositoryName": repository, "layerDigests": [digest]}
    answer = account.call("ecr", "batch_check_layer_availability", **request)
    return any(one.get("layerAvailability") == "AVAILABLE" for one in answer.get("layers", ()))


def _copy_layer(source: Account, target: Account, name: ImageName, digest: str) -> None:
    """Pass a layer through, piece by piece; the registry checks the digest, and so do we."""
    request = {**name.request, "layerDigest": digest}
    url = str(source.call("ecr", "get_download_url_for_layer", **request)["downloadUrl"])
    try:
        with closing(urllib.request.urlopen(url, timeout=_SECONDS)) as body:  # noqa: S310 - ECR's own answer
            _upload_layer(target, name.repository, digest, body)
    except OSError as error:
        if isinstance(error, HTTPError):
            error.close()  # it holds the connection
        raise CallRefusedError(
            f"the layer {digest} of {name.repository} cannot be downloaded: {error}",
            "run the command again: what is copied stays",
        ) from error


def _upload_layer(target: Account, repository: str, digest: str, body: IO[bytes]) -> None:
    begun = target.call("ecr", "initiate_layer_upload", repositoryName=repository)
    upload = {"repositoryName": repository, "uploadId": begun["uploadId"]}
    checked, sent = hashlib.sha256(), 0
    for piece in _pieces(body, int(begun["partSize"])):
        checked.update(piece)
        bounds = {"partFirstByte": sent, "partLastByte": sent + len(piece) - 1}
        target.call("ecr", "upload_layer_part", **upload, **bounds, layerPartBlob=piece)
        sent += len(piece)
    if f"sha256:{checked.hexdigest()}" != digest:
        raise UsageError(f"the layer {digest} of {repository} is not what its digest says")
    target.call("ecr", "complete_layer_upload", **upload, layerDigests=[digest])


def _pieces(body: IO[bytes], size: int) -> Iterator[bytes]:
    while piece := body.read(size):
        yield piece
