"""One version, two accounts → what has to be copied, then the version in the target's group.

Everything that is served is fetched and checked before anything is changed. Copies have names made
of their content and the version is created last, by one call: ended anywhere, the next promotion
finishes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from pipelines.account.account import Account
from pipelines.account.promotion import images
from pipelines.account.promotion.content import (
    CONTENT,
    MODEL,
    SOURCE,
    Place,
    content_digest,
    files_of,
    images_of,
    model_digest,
    regions_of,
    replaced,
    request_of,
    with_origin,
)
from pipelines.account.promotion.files import FetchedFile, fetch, store
from pipelines.account.promotion.images import PlacedImage
from pipelines.errors import UsageError
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject
from pipelines.registry.packages import PENDING, approval, each_version, named, version

_TOKEN_LENGTH = 32


@frozen
class Destination:
    """Where a version goes.

    Args:
        account: the account.
        group: its model package group, which exists.
        prefix: `s3://bucket/prefix` for the copies, without a slash at its end.
    """

    account: Account
    group: str
    prefix: str


@frozen
class Promotion:
    """What a promotion takes, fetched and checked.

    Args:
        package: the source, as DescribeModelPackage returns it.
        request: the request that registers it, with URIs of the source.
        files: what it names in S3, on this machine.
        images: the image of each container, for the target.
        origin: the digests that the promoted version is known by.
        existing: the version in the target's group that it was promoted as before.
    """

    package: JsonObject
    request: JsonObject
    files: tuple[FetchedFile, ...]
    images: Mapping[Place, PlacedImage]
    origin: Mapping[str, str]
    existing: JsonObject | None

    @property
    def effect(self) -> str:
        """What is copied, as the end of a sentence without a full stop."""
        size = sum(one.size for one in self.files) / 1e6
        missing = {one.missing for one in self.images.values() if one.missing}
        copied = [
            *([f"{_count(self.files, 'file')} ({size:.1f} MB)"] if self.files else ()),
            *([_count(missing, "image")] if missing else ()),
        ]
        return f", copying {' and '.join(copied)}" if copied else ""


def require_approved(package: JsonObject) -> None:
    """Refuse a version that has not passed its own gate.

    Raises:
        UsageError: it is not approved, or not complete.
    """
    status = package["ModelPackageStatus"]
    if status != "Completed":
        raise UsageError(f"{named(package)} is {status}, not Completed")
    if approval(package) != "Approved":
        raise UsageError(
            f"{named(package)} is {approval(package)}: only an approved version can be promoted",
            "approve it in its own account first",
        )


def prepare(
    source: Account, destination: Destination, package: JsonObject, folder: Path
) -> Promotion:
    """Fetch and check what a promotion takes; nothing is changed.

    Args:
        source: the account that the version is in.
        destination: where it goes.
        package: the version, as DescribeModelPackage returns it.
        folder: an empty folder for its files.

    Raises:
        UsageError: it cannot be promoted.
        CallRefusedError: something cannot be read.
    """
    require_approved(package)
    request, target = request_of(package), destination.account
    placed = {place: images.place(source, target, uri) for place, uri in images_of(request).items()}
    files = tuple(
        fetch(source, stored, folder / str(number))
        for number, stored in enumerate(files_of(request))
    )
    digests = {one.stored.place: one.digest for one in files}
    origin = {CONTENT: content_digest(request, digests), MODEL: model_digest(digests)}
    _require_same_as_evaluated(package, origin)
    existing = _existing(destination, package, origin)
    made = with_origin(request, package, origin)
    return Promotion(package, made, files, placed, origin, existing)


def carry_out(
    source: Account, destination: Destination, promotion: Promotion, done: Callable[[str], None]
) -> JsonObject:
    """Copy what is missing and register the version, pending; return it.

    Args:
        source: the account that the version is in.
        destination: where it goes.
        promotion: what `prepare` found.
        done: called with the URI of each copy.

    Raises:
        CallRefusedError: something was refused; what was copied stays.
        UsageError: the version has been changed since, or is no longer approved.
    """
    for image in dict.fromkeys(promotion.images.values()):
        if image.missing is not None:
            images.copy(source, destination.account, image.missing)
            done(image.uri)
    texts = {place: image.uri for place, image in promotion.images.items()}
    for place in regions_of(promotion.request, source.region):
        texts[place] = destination.account.region
    for file in promotion.files:
        texts[file.stored.place] = store(destination.account, file, destination.prefix)
        done(texts[file.stored.place])
    digests = {one.stored.place: one.digest for one in promotion.files}
    request = replaced(promotion.request, texts, digests)
    _require_unchanged(source, promotion.package)
    made = destination.account.call(
        "sagemaker",
        "create_model_package",
        **request,
        ModelPackageGroupName=destination.group,
        ModelApprovalStatus=PENDING,
        ClientToken=_token(promotion),
    )
    return version(destination.account, made["ModelPackageArn"])


def _count(things: Collection[object], noun: str) -> str:
    return f"{len(things)} {noun}" if len(things) == 1 else f"{len(things)} {noun}s"


def _token(promotion: Promotion) -> str:
    """Return what makes two promotions of the same version at the same time one version."""
    text = f"{promotion.package['ModelPackageArn']} {promotion.origin[CONTENT]}"
    return hashlib.sha256(text.encode()).hexdigest()[:_TOKEN_LENGTH]


def _require_unchanged(source: Account, package: JsonObject) -> None:
    """Look at the version once more: copying takes a while, and so does an answer to a question."""
    now = version(source, package["ModelPackageArn"])
    require_approved(now)
    if request_of(now) != request_of(package):
        raise UsageError(
            f"{named(package)} was changed while it was promoted",
            "run the command again: what is copied stays",
        )


def _require_same_as_evaluated(package: JsonObject, origin: Mapping[str, str]) -> None:
    """Compare the model with the digest that an earlier promotion recorded of it."""
    recorded = (package.get("CustomerMetadataProperties") or {}).get(MODEL)
    if recorded not in {None, origin[MODEL]}:
        raise UsageError(
            f"the model of {named(package)} is not the one that was promoted to it:"
            f" {recorded} was recorded, {origin[MODEL]} is there",
            "promote the version that it came from once more",
        )


def _existing(
    destination: Destination, package: JsonObject, origin: Mapping[str, str]
) -> JsonObject | None:
    """Find the version that a source was promoted as.

    Raises:
        UsageError: it was promoted with another model than it has now.
    """
    arn = package["ModelPackageArn"]
    for one in each_version(destination.account, destination.group):
        known = one.get("CustomerMetadataProperties") or {}
        if known.get(SOURCE) != arn:
            continue
        if known.get(CONTENT) == origin[CONTENT]:
            return one
        if known.get(MODEL) != origin[MODEL]:
            raise UsageError(
                f"the model of {named(package)} has changed since it was promoted as {named(one)}",
                "run the pipeline again and promote its new version",
            )
    return None
