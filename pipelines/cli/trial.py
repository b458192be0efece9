"""What `ci init` is told of a run on samples → the run that builds do beside the unit tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from pipelines.cli.options import parameters
from pipelines.cli.repository import Repository
from pipelines.cli.sampling import entries_of
from pipelines.diagnostics.nearest import nearest
from pipelines.errors import UsageError
from pipelines.infra.model import Delivery


def with_trials(
    deliveries: tuple[Delivery, ...],
    samples: tuple[str, ...],
    given: tuple[str, ...],
    repository: Repository,
) -> tuple[Delivery, ...]:
    """Give each spec the sampled run that its builds do: of those entries that it has.

    Args:
        deliveries: the specs.
        samples: as `run --sample` takes them; none for no such run.
        given: parameters of the run, as `-p` takes them.
        repository: whose clone a build has.

    Raises:
        UsageError: an entry or a parameter is in no spec, or a build would not find the data.
    """
    if given and not samples:
        raise UsageError("`-p` is for the run on samples", "add --sample, or remove -p")
    entries = entries_of(samples)
    _require_known(entries, _entries(deliveries), "entry of `data:`")
    _require_known(parameters(given), _parameters(deliveries), "parameter")
    return tuple(
        _with_trial(one, dict(zip(entries, samples, strict=True)), given, repository)
        for one in deliveries
    )


def _with_trial(
    delivery: Delivery,
    samples: Mapping[str, str],
    given: tuple[str, ...],
    repository: Repository,
) -> Delivery:
    spec = delivery.first.spec
    words: list[str] = []
    for entry, text in samples.items():
        if entry in spec.data:
            _require_in_a_clone(entry, spec.data[entry].path, delivery, repository)
            words += ["--sample", text]
    for text in given if words else ():
        words += ["-p", text] if text.partition("=")[0] in spec.parameters else []
    return replace(delivery, trial=tuple(words))


def _require_in_a_clone(
    entry: str, path: str | None, delivery: Delivery, repository: Repository
) -> None:
    """Refuse data that a build's clone does not have."""
    if path is None:
        raise UsageError(
            f"`{entry}` of {delivery.file} is not in the repository: a build cannot sample it",
            "commit a part of the data, and give the entry its `path`",
        )
    inside = (Path(delivery.folder) / path).as_posix()
    if repository.ignored([inside]):
        raise UsageError(
            f"git ignores {inside}: a build's clone does not have it",
            "commit a part of the data, or remove --sample",
        )


def _require_known(names: Iterable[str], known: set[str], what: str) -> None:
    for name in names:
        if name not in known:
            close = nearest(name, sorted(known))
            listed = (
                f"name one that a spec has: {', '.join(sorted(known))}"
                if known
                else "no spec has any"
            )
            advice = f"did you mean `{close}`?" if close else listed
            raise UsageError(f"no spec has the {what} `{name}`", advice)


def _entries(deliveries: Iterable[Delivery]) -> set[str]:
    return {name for one in deliveries for name in one.first.spec.data}


def _parameters(deliveries: Iterable[Delivery]) -> set[str]:
    return {name for one in deliveries for name in one.first.spec.parameters}
