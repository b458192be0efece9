"""Turns an image's short name into its URI, offline, from tables digested out of the SDK.

A short name is `<family>-<version>[-<python>][-cpu|-gpu]`:

- `pytorch-2.13-cpu`, `tensorflow-2.21-gpu`, `sklearn-1.9`, `xgboost-3.2`, `spark-3.5-py39`;
- Hugging Face images hold two versions: `huggingface-pytorch-2.6-transformers-4.49-gpu`.

Without an accelerator the instance type decides. If a version has several Pythons the newest is
taken, unless the name says another. sklearn and xgboost need no build number (`1.9` is `1.9-0`).
There is no `latest`: a pipeline names what it runs on.
"""

from __future__ import annotations

import re
from typing import Final, Literal, TypeAlias

from pipelines.diagnostics.nearest import nearest
from pipelines.images.image import Image, ImageProblem
from pipelines.images.instances import accelerator_of
from pipelines.images.table import (
    Row,
    Scope,
    describe,
    families,
    short_names,
    table,
    versions_for,
)
from pipelines.json_types import JsonObject

_Named: TypeAlias = Literal["cpu", "gpu"]

_ACCELERATOR: Final = re.compile(r"^(?P<name>.+?)-(?P<accelerator>cpu|gpu)$")
_VERSION: Final = re.compile(r"\d+(?:\.\d+)*")

_URI: Final = r"(?a)[\w.-]+(:\d+)?(/[\w.-]+)+(:[\w.-]{1,128})?(@sha256:[0-9a-f]+)?"
"""Registry, repository, tag and digest, as Docker reads them."""

_DOMAINS: Final = {
    "cn-": "amazonaws.com.cn",
    "us-iso-": "c2s.ic.gov",
    "us-isob-": "sc2s.sgov.gov",
    "us-isof-": "csp.hci.ic.gov",
    "eu-isoe-": "cloud.adc-e.uk",
    "eusc-": "amazonaws.eu",
}
"""Regions outside the domain amazonaws.com, by the beginning of their names."""


def resolve(
    name: str, region: str, instance_type: str | None, scope: Scope
) -> Image | ImageProblem:
    """Return the image of a short name, or why there is none.

    Args:
        name: a short name, or a URI, which is passed through.
        region: as `us-east-1`.
        instance_type: as `ml.m5.xlarge`; None where it is not known when compiling.
        scope: what the image is for. Processing takes the training image of a framework.
    """
    if "/" in name or ".dkr.ecr." in name:
        return describe(name) if re.fullmatch(_URI, name) else _no_uri(name)
    family = next((known for known in families() if name.startswith(f"{known}-")), None)
    if family is None:
        return _unknown_family(name, scope)
    whole = table(family)
    versions = versions_for(whole, scope)
    if versions is None:
        return _wrong_scope(family, whole, scope)
    version, accelerator = _split(name.removeprefix(f"{family}-"))
    full = versions["aliases"].get(version, version)
    raw = versions["versions"].get(full)
    if raw is None:
        return _unknown_version(family, version, scope)
    row = Row(family, full, raw)
    name = f"{family}-{version}"
    tag = _choose_tag(row, name, accelerator, instance_type)
    return tag if isinstance(tag, ImageProblem) else _image(row, name, tag, region)


def _split(rest: str) -> tuple[str, _Named | None]:
    match = _ACCELERATOR.match(rest)
    if match is None:
        return rest, None
    return match["name"], "gpu" if match["accelerator"] == "gpu" else "cpu"


def _no_uri(name: str) -> ImageProblem:
    example = "111122223333.dkr.ecr.eu-central-1.amazonaws.com/mine:1"
    return ImageProblem("SP401", f"`{name}` is not the URI of an image", f"such as {example}")


def _wrong_scope(family: str, whole: JsonObject, scope: Scope) -> ImageProblem:
    scopes = " and ".join(sorted(whole["scopes"]))
    return ImageProblem(
        "SP402", f"the `{family}` images are for {scopes}, not for {scope}", "choose another family"
    )


def _unknown_family(name: str, scope: Scope) -> ImageProblem:
    word, _, rest = name.partition("-")
    family = nearest(_split(word)[0], families())
    if family is None:
        hint = "the families are " + ", ".join(families()) + "; or give a whole URI"
    elif f"{family}-{_split(rest)[0]}" in short_names(family, scope):
        hint = f"did you mean `{family}-{rest}`?"
    else:
        hint = f"did you mean `{family}-{_newest(family, scope)}`?"
    return ImageProblem("SP401", f"there is no image `{name}`", hint)


def _unknown_version(family: str, version: str, scope: Scope) -> ImageProblem:
    newest = f"the newest {scope} image is `{family}-{_newest(family, scope)}`"
    others = [
        other
        for other, versions in table(family)["scopes"].items()
        if version in versions["versions"] or version in versions["aliases"]
    ]
    if others:
        hint = f"it is an image for {others[0]}; {newest}"
    else:
        near = nearest(f"{family}-{version}", short_names(family, scope))
        hint = f"did you mean `{near}`? {newest}" if near else newest
    return ImageProblem("SP402", f"there is no {scope} image `{family}-{version}`", hint)


def _newest(family: str, scope: Scope) -> str:
    """Return the newest version for a scope, or of the family where it has none for it."""
    whole = table(family)
    versions = versions_for(whole, scope) or next(iter(whole["scopes"].values()))
    known: list[str] = [*versions["versions"], *versions["aliases"]]
    return max(known, key=_version_key)


def _version_key(version: str) -> tuple[list[int], int]:
    """Order versions by their last numbers; of equal ones the shorter name is the greater."""
    version = version.rpartition("transformers-")[2]
    numbers = [int(part) for part in ".".join(_VERSION.findall(version)).split(".") if part]
    return numbers[:2], -len(version)


def _choose_tag(
    row: Row, name: str, accelerator: _Named | None, instance_type: str | None
) -> str | ImageProblem:
    """Return the key of the tag to take: what the name says, else what the instance has."""
    available = accelerator_of(instance_type) if instance_type is not None else None
    if instance_type is not None and available is None:
        return ImageProblem(
            "SP405",
            f"the table has no `{row.family}` image for `{instance_type}`",
            "give the URI of an image built for that instance, or choose another instance",
        )
    if "any" in row.tags:
        return "any"
    if accelerator is not None and accelerator not in row.tags:
        return ImageProblem(
            "SP402", f"there is no {accelerator} image of `{name}`", f"it has {', '.join(row.tags)}"
        )
    choice: str | None = accelerator or (available if available in row.tags else None)
    if choice is None and len(row.tags) == 1:
        (choice,) = row.tags
    if choice is None:
        return ImageProblem(
            "SP406",
            f"`{name}` has a CPU and a GPU image, and the instance type is not known here",
            f"write `{name}-cpu` or `{name}-gpu`",
        )
    return choice


def _image(row: Row, name: str, tag: str, region: str) -> Image | ImageProblem:
    uri = uri_of(row, tag, region)
    if uri is None:
        return ImageProblem(
            "SP403",
            f"`{name}` is not offered in `{region}`",
            "give the URI of a copy in an ECR repository of that region",
        )
    return row.image(uri, tag)


def uri_of(row: Row, tag: str, region: str) -> str | None:
    """Return the URI of an image, by the key of its tag; None where the region has none."""
    account = row.accounts.get(region)
    if account is None:
        return None
    host = f"{account}.dkr.ecr.{region}.{domain(region)}"
    return f"{host}/{row.raw['repository']}:{row.tags[tag]}"


def domain(region: str) -> str:
    """Return the domain of a region's registries."""
    for beginning, name in _DOMAINS.items():
        if region.startswith(beginning):
            return name
    return "amazonaws.com"
