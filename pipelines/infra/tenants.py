"""What each repository of an account needs of the one stack that they share, as plain facts.

The template of the shared stack is made of these facts and of nothing else, and carries them in its
metadata. So `ci apply` of one repository can make the template that keeps what the others need,
without their specs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NoReturn

from pipelines.diagnostics.sentences import quoted
from pipelines.errors import UsageError
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject

METADATA: Final = "Repositories"
"""The key of the template's metadata that the facts stand under, by repository."""

UNNAMED: Final = "unknown"
"""A repository whose name nobody gave; names of repositories have a slash."""


@frozen
class Resident:
    """A pipeline of one environment, in the account and region of the stack.

    Args:
        prefix: what its stack and the tool's own names begin with; there is one of it.
        pipeline: its name.
        bucket: that its spec names.
        kms_key: the key that its spec names.
        email: the addresses that are told of it.
        has_ci: whether its CI is in this account and region.
    """

    prefix: str
    pipeline: str
    bucket: str
    kms_key: str | None = None
    email: tuple[str, ...] = ()
    has_ci: bool = False


@frozen
class Tenant:
    """A repository that uses the stack.

    Args:
        repository: `owner/name`, or `UNNAMED`.
        residents: its pipelines here.
        source: how CodePipeline gets its commits, `connection` or `s3`; None where it does not.
        connection: the host that a connection is made to, as CodeConnections calls it.
        issuer: whose tokens its jobs show, where the account's identity provider is made here.
        cached_days: for how long a step may use earlier results.
    """

    repository: str
    residents: tuple[Resident, ...]
    source: str | None = None
    connection: str | None = None
    issuer: str | None = None
    cached_days: int = 0

    def facts(self) -> JsonObject:
        """Write it for the metadata of a template; what is empty is left out."""
        found: JsonObject = {
            "Source": self.source,
            "Connection": self.connection,
            "Issuer": self.issuer,
            "CachedDays": self.cached_days,
            "Pipelines": {one.prefix: _facts_of(one) for one in self.residents},
        }
        return {name: value for name, value in found.items() if value}


def tenants_in(metadata: Mapping[str, Json]) -> tuple[Tenant, ...]:
    """Read the repositories of a deployed stack from the metadata of its template.

    Raises:
        UsageError: another version of this tool wrote them.
    """
    found = metadata.get(METADATA, {})
    if not isinstance(found, dict):
        _unreadable()
    return tuple(_tenant(repository, facts) for repository, facts in found.items())


def beside(
    own: Tenant, deployed: Iterable[Tenant], forgotten: Iterable[str], stack: str
) -> tuple[Tenant, ...]:
    """Return the other repositories of a stack, whose parts of it stay.

    Args:
        own: the repository whose stack is made.
        deployed: those that the stack was made for.
        forgotten: the names of those that are no more.
        stack: which stack, for messages.

    Raises:
        UsageError: a pipeline is that of another repository.
    """
    prefixes = {one.prefix for one in own.residents}
    left = {own.repository, *forgotten}
    kept = []
    for other in deployed:
        both = sorted(prefixes & {one.prefix for one in other.residents})
        if other.repository == UNNAMED and both:
            continue
        if own.repository == UNNAMED and (both or other.repository == UNNAMED):
            raise UsageError(
                f"{stack} is shared with another repository, and this one has no name",
                "name it: `ci init --repository OWNER/NAME`",
            )
        if other.repository in left:
            continue
        if both:
            raise UsageError(
                f"{stack} has {quoted(both, 'and')} for the repository {other.repository}:"
                f" {own.repository} would replace what is there",
                "give the pipeline another name; if that repository was renamed or is gone, add"
                f" --forget {other.repository}",
            )
        kept.append(other)
    return tuple(kept)


def _facts_of(one: Resident) -> JsonObject:
    found: JsonObject = {
        "Pipeline": one.pipeline,
        "Bucket": one.bucket,
        "KmsKey": one.kms_key,
        "Email": list(one.email),
        "Ci": one.has_ci,
    }
    return {name: value for name, value in found.items() if value}


_TENANT: Final = frozenset({"Source", "Connection", "Issuer", "CachedDays", "Pipelines"})
_RESIDENT: Final = frozenset({"Pipeline", "Bucket", "KmsKey", "Email", "Ci"})


def _tenant(repository: str, facts: Json) -> Tenant:
    if not isinstance(facts, dict) or not {"Pipelines"} <= facts.keys() <= _TENANT:
        _unreadable()
    residents = tuple(_read_resident(name, one) for name, one in facts["Pipelines"].items())
    return Tenant(
        repository,
        residents,
        facts.get("Source"),
        facts.get("Connection"),
        facts.get("Issuer"),
        facts.get("CachedDays", 0),
    )


def _read_resident(prefix: str, facts: Json) -> Resident:
    if not isinstance(facts, dict) or not {"Pipeline", "Bucket"} <= facts.keys() <= _RESIDENT:
        _unreadable()
    return Resident(
        prefix,
        facts["Pipeline"],
        facts["Bucket"],
        facts.get("KmsKey"),
        tuple(facts.get("Email", ())),
        facts.get("Ci", False),
    )


def _unreadable() -> NoReturn:
    raise UsageError(
        "what the shared stack says of its repositories cannot be read",
        "another version of this tool made it: use that one, or a newer one",
    )
