"""One of AWS's own images → the same image in another region, whose registry is another account."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from pipelines.diagnostics import Severity
from pipelines.images.image import ImageProblem
from pipelines.images.resolving import domain
from pipelines.images.table import Scope, families, row_of, table

ECR: Final = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.[a-z0-9.-]+/"
    r"(?P<repository>[^:@]+)(?::(?P<tag>[^@]+))?(?:@(?P<digest>sha256:[0-9a-f]+))?"
)
"""A URI of an image in ECR."""


_PRIVATE: Final = (
    "copy it into ECR; training alone may use a registry in your VPC (`TrainingImageConfig`)"
)


def in_region(uri: str, region: str) -> str | ImageProblem | None:
    """Return the URI of an AWS image in a region; None for an image that is not AWS's.

    One that the tables do not know is taken to be where the registry's other images are.
    """
    match = ECR.fullmatch(uri)
    if match is None:
        return None
    row = row_of(uri)
    known = (row[0].accounts,) if row else tuple(_registries(match["account"], match["region"]))
    if not known or match["region"] == region:
        return uri if known else None
    there = {accounts[region] for accounts in known if region in accounts}
    if len(there) != 1:
        problem = f"`{match['repository']}` is not offered in `{region}`"
        return ImageProblem("SP403", problem, "register the version with an image that is")
    path = uri.partition("/")[2]
    return f"{there.pop()}.dkr.ecr.{region}.{domain(region)}/{path}"


def check_region(uri: str, region: str, scope: Scope) -> Iterator[ImageProblem]:
    """Yield what is wrong with an image of another region, which jobs and models cannot pull.

    A model's is a warning: `promote` copies the images of the versions that it brings.
    Source: FACTS 12.22.
    """
    match = ECR.fullmatch(uri)
    is_uri = "/" in uri and "://" not in uri
    if match is None and is_uri and scope != "inference":
        message = "the image is in no private repository of ECR, and SageMaker pulls no other"
        yield ImageProblem("SP403", message, _PRIVATE, Severity.WARNING)
    if match is None or match["region"] == region:
        return
    here = in_region(uri, region)
    advice = f"write `{here}`" if isinstance(here, str) else f"copy it into a registry in {region}"
    message = f"the image is in `{match['region']}`, and SageMaker pulls none across regions"
    severity = Severity.WARNING if scope == "inference" else Severity.ERROR
    yield ImageProblem("SP403", message, advice, severity)


def _registries(account: str, region: str) -> Iterator[Mapping[str, str]]:
    """Yield the registries, account by region, that are this account in this region."""
    for family in families():
        yield from (one for one in table(family)["registries"] if one.get(region) == account)
