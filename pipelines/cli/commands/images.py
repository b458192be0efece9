"""`images`: the short names that `image:` takes, and what is known of each image."""

from __future__ import annotations

import json
import textwrap

import click

from pipelines.cli.options import format_option
from pipelines.cli.printing import echo, echo_data
from pipelines.cli.tables import columns
from pipelines.diagnostics.nearest import nearest
from pipelines.errors import UsageError
from pipelines.images.catalog import Listed, catalog
from pipelines.images.table import families
from pipelines.json_types import JsonObject

_REGION = "us-east-1"
_WIDTH = 78


@click.command("images")
@click.option("--region", help="Only what this region has, with its URIs there.")
@format_option("text", "json")
@click.argument("name", required=False)
def COMMAND(name: str | None, region: str | None, output_format: str) -> None:  # noqa: N802 - found by this name
    """List the images that a step can name, or those whose name contains NAME.

    With the whole name of one, also its URIs, its model server, and the packages that it brings.
    """
    found = _found(name, region)
    exact = [one for one in found if name is not None and _short(name) in one.names]
    shown = exact or found
    if output_format == "json":
        echo_data(json.dumps([_described(one, region or _REGION) for one in shown], indent=2))
    elif exact:
        echo("\n\n".join(_text(one, region or _REGION) for one in exact))
    else:
        header = ("image", "python", "accelerators", "for", "model server")
        echo(columns(header, [_row(one) for one in shown]))


def _short(name: str) -> str:
    """Return a short name without its accelerator."""
    return name.removesuffix("-cpu").removesuffix("-gpu")


def _found(name: str | None, region: str | None) -> list[Listed]:
    known = catalog()
    if region is not None:
        there = [one for one in known if one.is_in(region)]
        if not there:
            regions = {each for one in known for row in one.rows.values() for each in row.accounts}
            close = nearest(region, regions)
            advice = f"did you mean `{close}`?" if close else "such as us-east-1"
            raise UsageError(f"no image is offered in a region `{region}`", advice)
        known = there
    if name is None:
        return known
    found = [one for one in known if any(_short(name) in each for each in one.names)]
    if not found:
        where = "" if region is None else f" in {region}"
        raise UsageError(f"there is no image `{name}`{where}", _advice(name, known))
    return found


def _advice(name: str, known: list[Listed]) -> str:
    """Name the image, or the family, that was probably meant."""
    close = nearest(_short(name), [each for one in known for each in one.names])
    word, dash, rest = name.partition("-")
    close = close or nearest(word, families())
    if close is None:
        return f"the families are {', '.join(families())}"
    meant = f"{close}{dash}{rest}" if close in families() else close
    found = any(_short(meant) in one.names for one in known)
    return f"did you mean `{meant if found else close}`?"


def _row(one: Listed) -> tuple[str, ...]:
    python = str(one.first.raw["python"] or "")
    return one.name, python, ", ".join(one.accelerators), ", ".join(one.rows), one.serving or ""


def _described(one: Listed, region: str) -> JsonObject:
    packages = one.distributions(region)
    return {
        "name": one.name,
        "names": list(one.names),
        "family": one.first.family,
        "version": one.first.version,
        "python": one.first.raw["python"],
        "architecture": "x86_64",
        "serving": one.serving,
        "region": region,
        "images": [
            {"for": scope, "accelerator": accelerator, "uri": image.uri}
            for scope, accelerator, image in one.images(region)
        ],
        "packages": None if packages is None else list(packages),
    }


def _text(one: Listed, region: str) -> str:
    described = _described(one, region)
    facts = [
        ("family", described["family"]),
        ("version", described["version"]),
        ("also", ", ".join(name for name in one.names if name != one.name)),
        ("python", described["python"] or "not known"),
        ("architecture", described["architecture"]),
        ("model server", described["serving"] or "none"),
    ]
    lines = [one.name, *(f"  {name + ':':<14}{value}" for name, value in facts if value)]
    lines.append(f"  in {region}:" if described["images"] else f"  not offered in {region}")
    lines += [f"    {i['for']}, {i['accelerator']}: {i['uri']}" for i in described["images"]]
    packages = described["packages"]
    if packages is None:
        return "\n".join([*lines, "  packages: not known"])
    listed = textwrap.wrap(", ".join(packages), _WIDTH, break_on_hyphens=False)
    return "\n".join([*lines, f"  brings {len(packages)} packages:", *(f"    {i}" for i in listed)])
