"""Turns an image's short name into its URI, offline, from tables digested out of the SDK.

A short name is `<family>-<version>[-<python>][-cpu|-gpu]`:

- `pytorch-2.13-cpu`, `tensorflow-2.21-gpu`, `sklearn-1.9`, `xgboost-3.2`, `spark-3.5-py39`;
- Hugging Face images hold two versions: `huggingface-pytorch-2.6-transformers-4.49-gpu`.

Without a processor the instance type decides. Where a version has several Pythons the newest
stands, unless the name says another. sklearn and xgboost need no build number (`1.9` is
`1.9-0`). There is no `latest`: a pipeline names what it runs on.

Tables: `tables/<family>.json`, written by `tools/generate_images.py`.
"""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path
from typing import Final, Literal, TypeAlias

from pipelines.diagnostics import Severity
from pipelines.diagnostics.nearest import nearest
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject

Scope: TypeAlias = Literal["training", "inference", "processing"]
Processor: TypeAlias = Literal["cpu", "gpu"]

_PROCESSOR: Final = re.compile(r"^(?P<name>.+?)-(?P<processor>cpu|gpu)$")
_VERSION: Final = re.compile(r"\d+(?:\.\d+)*")
# m6g, c7gn, t4g, g5g: a digit, then a `g` that stands for Graviton
_GRAVITON: Final = re.compile(r"[a-z]+\d+g[a-z]*")

_DOMAINS: Final = {
    "cn-": "amazonaws.com.cn",
    "us-iso-": "c2s.ic.gov",
    "us-isob-": "sc2s.sgov.gov",
    "us-isof-": "csp.hci.ic.gov",
    "eu-isoe-": "cloud.adc-e.uk",
    "eusc-": "amazonaws.eu",
}
"""Regions outside the domain amazonaws.com, by the beginning of their names."""


@frozen
class Image:
    """One container image.

    Args:
        uri: where it lies, in the region asked for.
        python: its Python as `3.12`; None where no source says.
        framework: the family of its name; None for an image given by URI.
        version: the version as the table writes it; None for an image given by URI.
        processor: what it is built for; None for both, or where nobody knows.
    """

    uri: str
    python: str | None = None
    framework: str | None = None
    version: str | None = None
    processor: Processor | None = None


@frozen
class ImageProblem:
    """Why a name gives no image, or not a good one; becomes a finding where the name stands."""

    code: str
    message: str
    help: str | None = None
    severity: Severity = Severity.ERROR


def is_uri(name: str) -> bool:
    """Say whether an image is given by its URI instead of a short name."""
    return "/" in name or ".dkr.ecr." in name


def families() -> tuple[str, ...]:
    """Return the families that have a table, sorted."""
    folder = Path(__file__).parent / "tables"
    return tuple(sorted(path.stem for path in folder.glob("*.json")))


def names(family: str, scope: Scope) -> tuple[str, ...]:
    """Return every short name of a family, without processor, oldest version first."""
    found = _versions(_table(family), scope)
    if found is None:
        return ()
    return tuple(f"{family}-{version}" for version in (*found["versions"], *found["aliases"]))


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
    if is_uri(name):
        return Image(uri=name)
    family = next((known for known in families() if name.startswith(f"{known}-")), None)
    if family is None:
        return _unknown_family(name, scope)
    table = _table(family)
    versions = _versions(table, scope)
    if versions is None:
        return _wrong_scope(family, table, scope)
    version, processor = _split(name.removeprefix(f"{family}-"))
    full = versions["aliases"].get(version, version)
    row = versions["versions"].get(full)
    if row is None:
        return _unknown_version(family, version, scope, table)
    return _image(_Wanted(family, full, region, instance_type), row, table, processor)


def check_instance(image: Image, instance_type: str | None) -> ImageProblem | None:
    """Return what is odd about running an image on an instance, a warning, or None."""
    if image.processor is None or instance_type is None:
        return None
    available = processor_of(instance_type)
    if available is None or available == image.processor:
        return None
    if image.processor == "cpu":
        return ImageProblem(
            "SP404",
            f"`{instance_type}` has a GPU, which a CPU image cannot use",
            f"take the `-gpu` image of `{image.framework}`, or an instance without a GPU",
            Severity.WARNING,
        )
    return ImageProblem(
        "SP404",
        f"the image is built for a GPU, but `{instance_type}` has none",
        f"take the `-cpu` image of `{image.framework}`, or an instance with a GPU",
        Severity.WARNING,
    )


def processor_of(instance_type: str) -> Processor | None:
    """Return what an instance type computes with; None for Graviton, Trainium and Inferentia."""
    family = _instance_family(instance_type)
    if not family or family.startswith(("trn", "inf")) or _GRAVITON.fullmatch(family):
        return None
    return "gpu" if family[0] in "gp" else "cpu"


def _instance_family(instance_type: str) -> str:
    return instance_type.removeprefix("ml.").partition(".")[0]


@frozen
class _Wanted:
    family: str
    version: str
    region: str
    instance_type: str | None


@functools.cache
def _table(family: str) -> JsonObject:
    file = Path(__file__).parent / "tables" / f"{family}.json"
    table: JsonObject = json.loads(file.read_bytes())
    return table


def _versions(table: JsonObject, scope: Scope) -> JsonObject | None:
    """Return the versions for a scope; a framework's processing image is its training image."""
    found: JsonObject | None = table["scopes"].get(scope)
    if found is None and scope == "processing":
        found = table["scopes"].get("training")
    return found


def _split(rest: str) -> tuple[str, Processor | None]:
    match = _PROCESSOR.match(rest)
    if match is None:
        return rest, None
    return match["name"], "gpu" if match["processor"] == "gpu" else "cpu"


def _wrong_scope(family: str, table: JsonObject, scope: Scope) -> ImageProblem:
    scopes = " and ".join(sorted(table["scopes"]))
    return ImageProblem(
        "SP402", f"the `{family}` images are for {scopes}, not for {scope}", "take another family"
    )


def _unknown_family(name: str, scope: Scope) -> ImageProblem:
    word, _, rest = name.partition("-")
    family = nearest(_split(word)[0], families())
    if family is None:
        hint = "the families are " + ", ".join(families()) + "; or give a whole URI"
    elif f"{family}-{_split(rest)[0]}" in names(family, scope):
        hint = f"did you mean `{family}-{rest}`?"
    else:
        hint = f"did you mean `{family}-{_newest(family, scope)}`?"
    return ImageProblem("SP401", f"there is no image `{name}`", hint)


def _unknown_version(family: str, version: str, scope: Scope, table: JsonObject) -> ImageProblem:
    newest = f"the newest {scope} image is `{family}-{_newest(family, scope)}`"
    others = [
        other
        for other, versions in table["scopes"].items()
        if version in versions["versions"] or version in versions["aliases"]
    ]
    if others:
        hint = f"it is an image for {others[0]}; {newest}"
    else:
        near = nearest(f"{family}-{version}", names(family, scope))
        hint = f"did you mean `{near}`? {newest}" if near else newest
    return ImageProblem("SP402", f"there is no {scope} image `{family}-{version}`", hint)


def _newest(family: str, scope: Scope) -> str:
    """Return the newest version for a scope, or of the family where it has none for it."""
    table = _table(family)
    versions = _versions(table, scope) or next(iter(table["scopes"].values()))
    known: list[str] = [*versions["versions"], *versions["aliases"]]
    return max(known, key=_version_key)


def _version_key(version: str) -> tuple[list[int], int]:
    """Order versions by their last numbers; of equal ones the shorter name is the greater."""
    version = version.rpartition("transformers-")[2]
    numbers = [int(part) for part in ".".join(_VERSION.findall(version)).split(".") if part]
    return numbers[:2], -len(version)


def _image(
    wanted: _Wanted, row: JsonObject, table: JsonObject, processor: Processor | None
) -> Image | ImageProblem:
    tags: dict[str, str] = row["tags"]
    name = f"{wanted.family}-{wanted.version}"
    chosen = _choose_processor(wanted, tags, processor)
    if isinstance(chosen, ImageProblem):
        return chosen
    account = table["registries"][row["registries"]].get(wanted.region)
    if account is None:
        return ImageProblem(
            "SP403",
            f"`{name}` is not offered in `{wanted.region}`",
            "give the URI of a copy in an ECR repository of that region",
        )
    host = f"{account}.dkr.ecr.{wanted.region}.{_domain(wanted.region)}"
    return Image(
        uri=f"{host}/{row['repository']}:{tags[chosen]}",
        python=row["python"],
        framework=wanted.family,
        version=wanted.version,
        processor="gpu" if chosen == "gpu" else "cpu" if chosen == "cpu" else None,
    )


def _choose_processor(
    wanted: _Wanted, tags: dict[str, str], processor: Processor | None
) -> str | ImageProblem:
    """Return the key of the tag to take: what the name says, else what the instance has."""
    name = f"{wanted.family}-{wanted.version}"
    instance = wanted.instance_type
    available = processor_of(instance) if instance is not None else None
    if instance is not None and available is None:
        return ImageProblem(
            "SP405",
            f"the table has no `{wanted.family}` image for `{instance}`",
            "give the URI of an image built for that instance, or take another instance",
        )
    if "any" in tags:
        return "any"
    if processor is not None and processor not in tags:
        return ImageProblem(
            "SP402", f"there is no {processor} image of `{name}`", f"it has {', '.join(tags)}"
        )
    choice: str | None = processor or (available if available in tags else None)
    if choice is None and len(tags) == 1:
        (choice,) = tags
    if choice is None:
        return ImageProblem(
            "SP406",
            f"`{name}` has a CPU and a GPU image, and the instance type is not known here",
            f"write `{name}-cpu` or `{name}-gpu`",
        )
    return choice


def _domain(region: str) -> str:
    for beginning, domain in _DOMAINS.items():
        if region.startswith(beginning):
            return domain
    return "amazonaws.com"
