"""What `ci init` is told of a run on samples → the run that builds do beside the unit tests.

All that is wrong with it is found here, not by the first build.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from pipelines.cli.options import parameters
from pipelines.cli.repository import Repository
from pipelines.diagnostics.nearest import nearest
from pipelines.errors import UsageError
from pipelines.execution.parameters import typed_parameters
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
        UsageError: an entry or a parameter is in no spec, a value is none that the run would take,
            or a build would not find the data, or no rows in it.
    """
    if given and not samples:
        raise UsageError("`-p` is for the run on samples", "add --sample, or remove -p")
    if not samples:
        return deliveries
    from pipelines.cli.sampling import shares_of  # noqa: PLC0415 - most builds run no samples

    entries, values = shares_of(samples), parameters(given)
    _require_known(entries, _entries(deliveries), "entry of `data:`")
    _require_known(values, _parameters(deliveries), "parameter")
    texts = dict(zip(entries, samples, strict=True))
    made = tuple(_with_trial(one, texts, values, repository) for one in deliveries)
    for one in made:
        _require_rows(one, samples)
    return made


def _with_trial(
    delivery: Delivery,
    samples: Mapping[str, str],
    values: Mapping[str, str],
    repository: Repository,
) -> Delivery:
    spec = delivery.first.spec
    words: list[str] = []
    for entry, text in samples.items():
        if entry in spec.data:
            _require_in_a_clone(entry, spec.data[entry].path, delivery, repository)
            words += ["--sample", text]
    if not words:
        return delivery
    own = {name: value for name, value in values.items() if name in spec.parameters}
    typed_parameters(json.loads(delivery.first.compiled.definition), own)
    for name, value in own.items():
        words += ["-p", f"{name}={value}"]
    return replace(delivery, trial=tuple(words))


def _require_rows(delivery: Delivery, samples: tuple[str, ...]) -> None:
    from pipelines.cli.sampling import require_rows, shares_of  # noqa: PLC0415 - as above

    first = delivery.first
    for entry, share in shares_of(samples).items():
        if entry in first.spec.data:
            require_rows(share, first.compiled, first.spec.data)


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
