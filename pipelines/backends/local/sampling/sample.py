"""A compiled pipeline → the same on a sample of its local data, which lies in `.pipelines`.

Sampled data has an address of its own: where a definition names the data, it then names that.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from pipelines.backends.local.sampling.share import Share
from pipelines.backends.local.sampling.tables import Counted, is_table, require_column, sample_file
from pipelines.bundle.assets import DataAsset, digest_contents, read_contents
from pipelines.compile.model import Compiled
from pipelines.diagnostics.nearest import nearest
from pipelines.errors import UsageError
from pipelines.spec.model import DataSource

_NAMED = 3


def sampled(
    compiled: Compiled,
    sources: Mapping[str, DataSource],
    shares: Iterable[Share],
    home: Path,
    note: Callable[[str], None],
) -> Compiled:
    """Sample the entries of a pipeline's local data; the user's files are only read.

    Args:
        compiled: the pipeline.
        sources: its `data:`.
        shares: what is sampled.
        home: the `.pipelines` folder.
        note: called with each sentence on what was sampled.

    Raises:
        UsageError: an entry cannot be sampled.
    """
    known = {asset.name: asset for asset in compiled.data}
    made = {s.entry: _sample(_entry(s, known, sources), s, home, note) for s in shares}
    data = tuple(made.get(asset.name, asset) for asset in compiled.data)
    texts = dict(compiled.definitions)
    for entry, asset in made.items():
        texts = {n: text.replace(known[entry].uri, asset.uri) for n, text in texts.items()}
    return replace(compiled, definitions=texts, data=data)


def require_rows(share: Share, compiled: Compiled, sources: Mapping[str, DataSource]) -> None:
    """Refuse an entry that cannot be sampled, as far as the names and heads of its files tell.

    Raises:
        UsageError: no step reads it, or it has no rows, or not the column.
    """
    asset = _entry(share, {one.name: one for one in compiled.data}, sources)
    tables = [path for _, path in asset.files if is_table(path)]
    if not tables:
        raise _without_rows(share)
    for path in tables:
        require_column(path, share)


def _without_rows(share: Share) -> UsageError:
    return UsageError(
        f"`{share.entry}` has no CSV or Parquet files, so that it cannot be sampled",
        f"remove --sample {share}",
    )


def _entry(
    share: Share, known: Mapping[str, DataAsset], sources: Mapping[str, DataSource]
) -> DataAsset:
    name = share.entry
    if name in known:
        return known[name]
    source = sources.get(name)
    if source is None:
        close = nearest(name, sources)
        raise UsageError(
            f"`data:` has no entry `{name}`",
            f"did you mean `{close}`?" if close else f"its entries are {', '.join(sources)}",
        )
    if source.path is None:
        raise UsageError(
            f"`{name}` is not on this machine, so that it cannot be sampled",
            "let the entry name a folder of the project, in an environment of its own (--env)",
        )
    raise UsageError(f"no step reads `{name}`", "remove its --sample")


def _sample(asset: DataAsset, share: Share, home: Path, note: Callable[[str], None]) -> DataAsset:
    folder = home / "samples"
    folder.mkdir(parents=True, exist_ok=True)
    key = hashlib.sha256(f"{asset.digest} {share}".encode()).hexdigest()[:16]
    place = folder / f"{asset.name}-{key}"
    if place.is_dir():
        os.utime(place)  # `prune --local` goes by the last use
    else:
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            written = Path(scratch) / "sample"
            note(f"sample {share}: {_write(asset, share, written)}")
            _move(written, place)
    files = tuple((name, place / name) for name, _ in asset.files)
    contents = read_contents(files)
    digest = digest_contents(contents)
    prefix = asset.uri.rstrip("/").rpartition("/")[0]
    return DataAsset(f"{prefix}/{digest[:32]}/", digest, files, contents)


def _move(written: Path, place: Path) -> None:
    """Put a sample in its place, unless another run has just put the same there."""
    try:
        written.rename(place)
    except OSError:
        if not place.is_dir():
            raise


def _write(asset: DataAsset, share: Share, folder: Path) -> str:
    """Write the sample of an entry; return how much of it that is."""
    counted: dict[str, Counted] = {}
    as_they_are: list[str] = []
    for name, path in asset.files:
        target = folder / name
        found = sample_file(path, target, share)
        if found is None:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
            as_they_are.append(name)
        else:
            counted[name] = found
    if not counted:
        raise _without_rows(share)
    rows, kept = (sum(getattr(one, n) for one in counted.values()) for n in ("rows", "written"))
    if rows and not kept:
        raise UsageError(
            f"`--sample {share}` holds none of the {rows} rows", "take a larger share of it"
        )
    text = f"{kept} of {rows} rows"
    if as_they_are:
        more = ", …" if len(as_they_are) > _NAMED else ""
        text += f"; as they are: {', '.join(as_they_are[:_NAMED])}{more}"
    return text
