"""`run --sample`: a sampled run is one of a copy, and neither registers nor deploys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from pipelines.backends.local import sampling
from pipelines.backends.local.sampling import Share
from pipelines.cli.options import ChosenSpec
from pipelines.cli.printing import echo
from pipelines.compile.model import Compiled
from pipelines.spec.model import DataSource

_COPY = "sample"


def copy_for_samples(chosen: ChosenSpec) -> ChosenSpec:
    """Return the copy of a spec that runs on samples: it shares neither cache nor names with it."""
    copy = _COPY if chosen.copy is None else f"{chosen.copy}-{_COPY}"
    return replace(chosen, copy=copy)


def shares_of(given: tuple[str, ...]) -> dict[str, Share]:
    """Return what `--sample` options name, by the entry of `data:`.

    Raises:
        UsageError: an option is not ENTRY=PERCENT%, or an entry is given twice.
    """
    return {share.entry: share for share in sampling.read_shares(given)}


def require_rows(share: Share, compiled: Compiled, sources: Mapping[str, DataSource]) -> None:
    """Refuse an entry of which no sample can be made, as far as names and heads of files tell.

    Raises:
        UsageError: it has no rows, or not the column.
    """
    sampling.require_rows(share, compiled, sources)


def sampled(
    compiled: Compiled, sources: Mapping[str, DataSource], given: tuple[str, ...], home: Path
) -> tuple[Compiled, frozenset[str]]:
    """Sample the data of a compiled pipeline; return it with the steps that may not run.

    Args:
        compiled: the pipeline.
        sources: its `data:`.
        given: the options, as ENTRY=PERCENT%.
        home: the `.pipelines` folder.

    Raises:
        UsageError: an entry cannot be sampled.
    """
    shares = sampling.read_shares(given)
    made = sampling.sampled(compiled, sources, shares, home, lambda text: echo(text, err=True))
    return made, sampling.shipping(made)
