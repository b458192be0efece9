"""Images: each can be pulled."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipelines.backends.aws.errors import AwsError
from pipelines.backends.aws.gateway import Gateway
from pipelines.backends.aws.health.check import Check, Needs, missing, ok, unknown

_SUBJECT = "images"
_ECR = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/"
    r"(?P<repository>[^:@]+)(?::(?P<tag>[^@]+))?(?:@(?P<digest>sha256:[0-9a-f]+))?"
)


def check(gateway: Gateway, needs: Needs) -> Iterator[Check]:
    """Check each image in its registry."""
    for uri in needs.images:
        yield _one(gateway, uri)


def _one(gateway: Gateway, uri: str) -> Check:
    found = _ECR.fullmatch(uri)
    if found is None:
        return Check(_SUBJECT, "unknown", f"{uri} is not in ECR: it cannot be looked up")
    if found["region"] != gateway.region:
        return missing(
            _SUBJECT,
            f"{uri} lies in another region than {gateway.region}",
            "SageMaker pulls images of its own region: copy it there",
        )
    wanted = (
        {"imageDigest": found["digest"]}
        if found["digest"]
        else {"imageTag": found["tag"] or "latest"}
    )
    request = {"registryId": found["account"], "repositoryName": found["repository"]}
    try:
        answer = gateway.call("ecr", "batch_get_image", **request, imageIds=[wanted])
    except AwsError as error:
        if error.code == "RepositoryNotFoundException":
            return _absent(uri)
        return unknown(_SUBJECT, error)
    if answer.get("failures"):
        return _absent(uri)
    return ok(_SUBJECT, uri)


def _absent(uri: str) -> Check:
    return missing(
        _SUBJECT, f"there is no image {uri}", "change `image:` of the step, or push that image"
    )
