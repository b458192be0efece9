"""The tables: one file per family, written by `tools/generate_images.py`.

A table holds versions by scope. A row has the image's repository, its registries (account by
region), a tag for each accelerator, and its Python; the contract of the model server stands once
for each repository, and so does the CUDA of versions whose tags do not name it. All images of the
tables are for x86_64.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, Literal, TypeAlias

from pipelines.frozen import frozen
from pipelines.images.image import Image
from pipelines.json_types import JsonObject

Scope: TypeAlias = Literal["training", "inference", "processing"]

_URI: Final = (
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.[a-z0-9.-]+"
    r"/(?P<repository>[^:@]+):(?P<tag>[^@]+)"
)
_CUDA: Final = r"(?:^|[- ])cu(\d\d)(\d)\b"
_REPOSITORY_WORDS: Final = {"sklearn": "scikit-learn"}
"""What a family's repositories are called, where that is not the family's name."""


@functools.cache
def families() -> tuple[str, ...]:
    """Return the families that have a table, sorted."""
    folder = Path(__file__).parent / "tables"
    return tuple(sorted(path.stem for path in folder.glob("*.json")))


@functools.cache
def table(family: str) -> JsonObject:
    """Return a family's table; its file is read once in a process."""
    file = Path(__file__).parent / "tables" / f"{family}.json"
    found: JsonObject = json.loads(file.read_bytes())
    return found


def versions_for(whole: JsonObject, scope: Scope) -> JsonObject | None:
    """Return the versions for a scope; a framework's processing image is its training image."""
    found: JsonObject | None = whole["scopes"].get(scope)
    if found is None and scope == "processing":
        found = whole["scopes"].get("training")
    return found


def short_names(family: str, scope: Scope) -> tuple[str, ...]:
    """Return every short name of a family, without accelerator, oldest version first."""
    found = versions_for(table(family), scope)
    if found is None:
        return ()
    return tuple(f"{family}-{version}" for version in (*found["versions"], *found["aliases"]))


@frozen
class Row:
    """One version of a family, for one scope.

    Args:
        family: the family.
        version: the version as the table writes it.
        raw: the row.
    """

    family: str
    version: str
    raw: JsonObject

    @property
    def tags(self) -> Mapping[str, str]:
        """The tag for each accelerator; `any` for one that is built for all."""
        tags: Mapping[str, str] = self.raw["tags"]
        return tags

    @property
    def accounts(self) -> Mapping[str, str]:
        """The account of the registry in each region that has the image."""
        accounts: Mapping[str, str] = table(self.family)["registries"][self.raw["registries"]]
        return accounts

    def image(self, uri: str, accelerator: str) -> Image:
        """Return the image of one of the tags, by its key."""
        repository = self.raw["repository"]
        return Image(
            uri=uri,
            python=self.raw["python"],
            framework=self.family,
            version=self.version,
            accelerator="gpu" if accelerator == "gpu" else "cpu" if accelerator == "cpu" else None,
            architecture="x86_64",
            serving=table(self.family)["serving"].get(repository),
            cuda=self._cuda(uri, accelerator) if accelerator == "gpu" else None,
        )

    def _cuda(self, uri: str, accelerator: str) -> str | None:
        named = re.search(_CUDA, f"{self.tags[accelerator]} {uri.rpartition(':')[2]}")
        if named is not None:
            return f"{named[1]}.{named[2]}"
        minor = ".".join(self.version.partition("-")[0].split(".")[:2])
        found: str | None = table(self.family)["cuda"].get(self.raw["repository"], {}).get(minor)
        return found


def describe(uri: str) -> Image:
    """Return what is known of an image given by its URI: much of AWS's own, nothing of others."""
    found = row_of(uri)
    return Image(uri) if found is None else found[0].image(uri, found[1])


def row_of(uri: str) -> tuple[Row, str] | None:
    """Return the row of one of AWS's images and the key of its tag; None for any other image."""
    match = re.fullmatch(_URI, uri)
    if match is None:
        return None
    for row in _rows(match["repository"]):
        for accelerator, tag in row.tags.items():
            # a full tag goes on behind the short one: `2.8.0-gpu-py312` + `-cu129-ubuntu22.04`
            same_tag = f"{match['tag']}-".startswith(f"{tag}-")
            if same_tag and row.accounts.get(match["region"]) == match["account"]:
                return row, accelerator
    return None


def _rows(repository: str) -> Iterator[Row]:
    """Yield the rows of a repository, those with the longest versions first."""
    for family in families():
        if _REPOSITORY_WORDS.get(family, family) not in repository:
            continue
        for found in table(family)["scopes"].values():
            for version in sorted(found["versions"], key=len, reverse=True):
                if found["versions"][version]["repository"] == repository:
                    yield Row(family, version, found["versions"][version])
