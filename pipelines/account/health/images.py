"""Images: each can be pulled."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipelines.account.account import Account
from pipelines.account.health.check import Check, missing, ok, unknown
from pipelines.definition.needs import DefinitionNeeds
from pipelines.execution.caller import CallRefusedError

_SUBJECT = "images"
_ECR = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/"
    r"(?P<repository>[^:@]+)(?::(?P<tag>[^@]+))?(?:@(?P<digest>sha256:[0-9a-f]+))?"
)


def check(account: Account, needs: DefinitionNeeds) -> Iterator[Check]:
    """Check each image in its registry."""
    for uri in needs.images:
        yield _one(account, uri)


def _one(account: Account, uri: str) -> Check:
    found = _ECR.fullmatch(uri)
    if found is None:
        return Check(_SUBJECT, "unknown", f"{uri} is not in ECR and cannot be checked")
    if found["region"] != account.region:
        return missing(
            _SUBJECT,
            f"{uri} is in another region than {account.region}",
            "SageMaker pulls images from its own region: copy the image there",
        )
    wanted = (
        {"imageDigest": found["digest"]}
        if found["digest"]
        else {"imageTag": found["tag"] or "latest"}
    )
    request = {"registryId": found["account"], "repositoryName": found["repository"]}
    try:
        answer = account.call("ecr", "batch_get_image", **request, imageIds=[wanted])
    except CallRefusedError as error:
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
