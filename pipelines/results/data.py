"""What an execution read and ran: the fingerprints of its data and of its code."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Final

from pipelines.definition.needs import assets_in, sources_of
from pipelines.frozen import frozen
from pipelines.json_types import Json
from pipelines.registry.lineage import data_of
from pipelines.results.run import ExecutionResult
from pipelines.results.source import ResultSource
from pipelines.results.validations import validated_tables

_FINGERPRINT: Final = re.compile(r"/(?:code|data)/[^/]+/([0-9a-f]{16,})(?:/|$)")
_SHOWN: Final = 12


@frozen
class ReadData:
    """Data that steps read from outside the pipeline.

    Args:
        name: what the input is called.
        uri: where it is.
        fingerprint: the beginning of the hash of its contents; None of what is only an address.
        rows: how many rows it has; None where that cannot be had cheaply.
    """

    name: str
    uri: str
    fingerprint: str | None
    rows: int | None

    @property
    def shown(self) -> str:
        """The fingerprint, else the address, with the rows."""
        rows = "" if self.rows is None else f" ({self.rows:,} rows)"
        return f"{self.fingerprint or self.uri}{rows}"


@frozen
class RanCode:
    """The code of a step.

    Args:
        step: the step's name.
        uri: its bundle.
        fingerprint: the beginning of the hash of the bundle's contents.
    """

    step: str
    uri: str
    fingerprint: str


def data_read(
    source: ResultSource, run: ExecutionResult, reports: Mapping[str, Json]
) -> tuple[ReadData, ...]:
    """List the data that an execution read from outside.

    Rows are those that a validation counted, else those of files on this machine.
    """
    counted = _validated(run, reports)
    found = data_of(run.definition, run.parameters)
    return tuple(
        ReadData(name, uri, fingerprint_of(uri), counted.get(uri) or _rows(source, uri))
        for name, uris in found.items()
        for uri in uris
    )


def code_run(run: ExecutionResult) -> dict[str, RanCode]:
    """List the bundles that an execution's steps run, by step."""
    assets = (asset for asset in assets_in(run.definition) if asset.kind == "code")
    return {a.name: RanCode(a.name, a.uri, fingerprint_of(a.uri) or a.uri) for a in assets}


def fingerprint_of(uri: str) -> str | None:
    """Return the beginning of the hash that a URI holds; None where it holds none."""
    found = _FINGERPRINT.search(uri)
    return None if found is None else found[1][:_SHOWN]


def bundled_files(source: ResultSource, code: RanCode) -> dict[str, str]:
    """Read which files a bundle holds: path → what tells one content from another.

    The files of the tool itself count as one, `pipelines`.
    """
    content = source.read(code.uri)
    if content is None:
        return {}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as bundle:
            listed = bundle.infolist()
    except zipfile.BadZipFile:
        return {}
    found: dict[str, str] = {}
    tool = 0
    for info in listed:
        if info.filename.startswith("code/"):
            found[info.filename.removeprefix("code/")] = f"{info.CRC:08x}"
        elif info.filename == "job.json":
            found["(configuration)"] = f"{info.CRC:08x}"
        else:
            tool ^= info.CRC
    return {**found, "(pipelines itself)": f"{tool:08x}"}


def _validated(run: ExecutionResult, reports: Mapping[str, Json]) -> dict[str, int]:
    """Return what validations counted: URI of an input → rows of the table."""
    counted: dict[str, int] = {}
    for step in run.steps:
        if step.step is None:
            continue
        places = dict(sources_of(step.step))
        for address, report in reports.items():
            if address.rpartition(".")[0] != step.name:
                continue
            for table in validated_tables(report):
                uri = places.get(table.name)
                if isinstance(uri, str) and isinstance(table.rows, int):
                    counted[uri] = table.rows
    return counted


def _rows(source: ResultSource, uri: str) -> int | None:
    """Count the rows of Parquet files on this machine, by their footers; None of anything else.

    Of CSV it is not known whether the first line is a header.
    """
    if source.path_of(uri) is None or find_spec("pyarrow") is None:
        return None
    paths = [file.path for file in source.files(uri) if file.suffix == ".parquet" and file.path]
    if not paths or len(paths) != len(source.files(uri)):
        return None
    from pyarrow import ArrowException  # noqa: PLC0415 - only where it is installed
    from pyarrow.parquet import read_metadata  # noqa: PLC0415 - as above

    try:
        return sum(int(read_metadata(path).num_rows) for path in paths)
    except (ArrowException, OSError):
        return None
