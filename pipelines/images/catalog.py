"""The tables → what there is: each version of each family once, by its shortest name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipelines.frozen import frozen
from pipelines.images.image import Image
from pipelines.images.packages import distributions_of
from pipelines.images.resolving import uri_of
from pipelines.images.table import Row, Scope, families, table, versions_for

_SCOPES: tuple[Scope, ...] = ("training", "inference", "processing")


@frozen
class Listed:
    """One version of a family.

    Args:
        name: its shortest name, without an accelerator.
        names: every name that stands for it.
        rows: its row for each purpose that it has an image for.
    """

    name: str
    names: tuple[str, ...]
    rows: Mapping[Scope, Row]

    @property
    def first(self) -> Row:
        """The row that the version is described by."""
        return next(iter(self.rows.values()))

    @property
    def accelerators(self) -> tuple[str, ...]:
        """What there is a tag for, over all purposes."""
        tags = (tag for row in self.rows.values() for tag in row.tags)
        return tuple(dict.fromkeys("cpu, gpu" if tag == "any" else tag for tag in tags))

    @property
    def serving(self) -> str | None:
        """How its model server calls the user's code."""
        images = (row.image("", "any") for row in self.rows.values())
        return next((image.serving for image in images if image.serving), None)

    def images(self, region: str) -> Iterator[tuple[Scope, str, Image]]:
        """Yield purpose, accelerator and image of each image in a region."""
        for scope, row in self.rows.items():
            for accelerator in row.tags:
                uri = uri_of(row, accelerator, region)
                if uri is not None:
                    yield scope, accelerator, row.image(uri, accelerator)

    def distributions(self, region: str) -> tuple[str, ...] | None:
        """Return the Python distributions that its images bring; None where that is not known."""
        for _, _, image in self.images(region):
            if (found := distributions_of(image)) is not None:
                return found
        return None

    def is_in(self, region: str) -> bool:
        """Return whether a region has it."""
        return any(region in row.accounts for row in self.rows.values())


def catalog() -> list[Listed]:
    """List every version, by family, in the tables' order."""
    return [listed for family in families() for listed in _of_family(family)]


def _of_family(family: str) -> Iterator[Listed]:
    whole = table(family)
    rows: dict[str, dict[Scope, Row]] = {}
    names: dict[str, dict[str, None]] = {}
    for scope in _SCOPES:
        found = versions_for(whole, scope)
        if found is None:
            continue
        for version, raw in found["versions"].items():
            rows.setdefault(version, {})[scope] = Row(family, version, raw)
            names.setdefault(version, {})[f"{family}-{version}"] = None
        for alias, version in found["aliases"].items():
            names[version][f"{family}-{alias}"] = None
    for version, by_scope in rows.items():
        known = tuple(names[version])
        yield Listed(min(known, key=len), known, by_scope)
