"""The metrics of the versions of a model, one after the other."""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.definition.named import objects_of
from pipelines.execution.caller import CallRefusedError
from pipelines.frozen import frozen
from pipelines.registry.packages import describe_group, named, quality, versions
from pipelines.results.run import ExecutionResult
from pipelines.results.source import ResultSource

_MOST = 20


@frozen
class VersionMetrics:
    """A version `GROUP/NUMBER`, and the fractions of its quality report."""

    version: str
    values: Mapping[str, float]


def version_history(source: ResultSource, run: ExecutionResult) -> tuple[VersionMetrics, ...]:
    """List the latest versions of the groups that a pipeline registers in, the oldest first.

    Those that are newer than the execution's own are left out.
    """
    found: list[VersionMetrics] = []
    for group in _groups(run):
        packages = _packages(source, group)
        own = [index for index, one in enumerate(packages) if named(one) in run.versions]
        kept = packages[own[0] :] if own else packages
        found += [VersionMetrics(named(one), quality(source.caller, one)) for one in kept[::-1]]
    return tuple(found)


def _groups(run: ExecutionResult) -> list[str]:
    names = (one.get("ModelPackageGroupName") for one in objects_of(run.definition))
    return list(dict.fromkeys(name for name in names if isinstance(name, str)))


def _packages(source: ResultSource, group: str) -> list[dict[str, object]]:
    try:
        there = describe_group(source.caller, group) is not None
        return versions(source.caller, group, _MOST) if there else []
    except CallRefusedError as error:
        if error.is_denied:
            return []
        raise
