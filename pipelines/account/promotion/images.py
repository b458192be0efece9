"""The image of a container, for another account: AWS's own in its region, one's own as a copy.

A copy is named by its digest, which is that of the source: what was approved is what is served.
"""

from __future__ import annotations

from pipelines.account.account import Account
from pipelines.account.promotion.registry import ImageName, copy_image, digest_of, has_repository
from pipelines.errors import UsageError
from pipelines.frozen import frozen
from pipelines.images.image import ImageProblem
from pipelines.images.regions import ECR, in_region
from pipelines.images.resolving import domain


@frozen
class PlacedImage:
    """Where an image is for the target.

    Args:
        uri: its URI there.
        missing: what has to be copied there first; None where it is there already.
    """

    uri: str
    missing: ImageName | None = None


def place(source: Account, target: Account, uri: str) -> PlacedImage:
    """Find out where the target finds an image; nothing is copied.

    An image of a third account in the same region stays: accounts may share a registry. Locally
    nobody pulls images, and one's own stay as they are.

    Raises:
        UsageError: it is not offered in the target's region, or does not exist.
        CallRefusedError: a registry cannot be read.
    """
    of_aws = in_region(uri, target.region)
    if isinstance(of_aws, ImageProblem):
        raise UsageError(of_aws.message, of_aws.help)
    match = ECR.fullmatch(uri)
    if of_aws is not None or match is None or source.is_local or target.is_local:
        return PlacedImage(of_aws or uri)
    owner, here = match["account"], match["region"] == target.region
    if here and owner != source.account_id():
        return PlacedImage(uri)
    reference = match["digest"] or match["tag"] or "latest"
    digest = digest_of(source, ImageName(owner, match["repository"], reference))
    if digest is None:
        raise UsageError(f"there is no image {uri}", "the version cannot be served without it")
    name = ImageName(owner, match["repository"], digest)
    account, region = target.account_id(), target.region
    copied = f"{account}.dkr.ecr.{region}.{domain(region)}/{name.repository}@{digest}"
    known = ImageName(account, name.repository, digest)
    if not has_repository(target, known):
        raise UsageError(
            f"account {account} has no repository {name.repository} for the image {uri}",
            f"create it: aws ecr create-repository --repository-name {name.repository}"
            f" --region {region}, and let `aws.role` pull from it",
        )
    return PlacedImage(copied, None if digest_of(target, known) else name)


def copy(source: Account, target: Account, missing: ImageName) -> None:
    """Copy an image that `place` found missing.

    Raises:
        UsageError: a layer is not what its digest says.
        CallRefusedError: a registry refused something; the next time goes on from there.
    """
    copy_image(source, target, missing)
