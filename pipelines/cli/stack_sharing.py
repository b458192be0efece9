"""The shared stack of an account: what this repository needs of it, beside what others need.

An account and region has one, whoever makes it first. A repository that comes later adds what it
needs, and no repository removes what another one needs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from pipelines.account.stacks.deployed import Deployed
from pipelines.account.stacks.stack_template import StackTemplate
from pipelines.diagnostics.nearest import nearest
from pipelines.diagnostics.sentences import quoted
from pipelines.errors import UsageError
from pipelines.infra.model import Stack
from pipelines.infra.shared import CONNECTION_ID, shared
from pipelines.infra.tenants import Tenant, beside, tenants_in


def with_others(
    template: StackTemplate, stack: Stack, deployed: Deployed, forgotten: Iterable[str]
) -> tuple[StackTemplate, tuple[str, ...]]:
    """Return what a stack has to be for all repositories that use it, and what to say of it.

    Args:
        template: what it has to be for this repository alone.
        stack: the stack of this repository.
        deployed: what is deployed of it.
        forgotten: the names of repositories that are no more.

    Raises:
        UsageError: a pipeline of this repository is that of another one.
    """
    own = stack.tenant
    if own is None:
        return template, ()
    where = f"{stack.name} in account {stack.place.account}, region {stack.place.region},"
    tenants = tenants_in(deployed.metadata)
    others = beside(own, tenants, forgotten, where)
    kept = _connections(deployed) - {own.connection}
    said = (*_lost(own, tenants), *_kept(others))
    if not others and not kept:
        return template, said
    merged = shared(stack.place, (own, *others), kept)
    return replace(template, text=merged.text(), document=merged.document()), said


def _kept(others: tuple[Tenant, ...]) -> Iterator[str]:
    if others:
        yield f"what it has for {quoted([one.repository for one in others], 'and')} stays"


def _lost(own: Tenant, deployed: Iterable[Tenant]) -> Iterator[str]:
    """Yield which pipelines of the repository the stack has and no longer gets."""
    prefixes = {one.prefix for one in own.residents}
    for before in deployed:
        lost = [one.prefix for one in before.residents if one.prefix not in prefixes]
        if before.repository == own.repository and lost:
            yield (
                f"what it has for the pipeline {quoted(lost, 'and')} goes: if it is still there,"
                " name all specs of the repository in one `ci init`"
            )


def require_known(forgotten: Iterable[str], deployed: Iterable[Deployed]) -> None:
    """Refuse the name of a repository that no shared stack is used by.

    Raises:
        UsageError: it is one.
    """
    known = sorted({one.repository for stack in deployed for one in tenants_in(stack.metadata)})
    for name in forgotten:
        if name not in known:
            close = nearest(name, known)
            listed = f"they are {quoted(known, 'and')}" if known else "there are none yet"
            raise UsageError(
                f"`{name}` is none of the repositories that share a stack here",
                f"did you mean `{close}`?" if close else listed,
            )


def _connections(deployed: Deployed) -> set[str]:
    """Return the hosts that the stack has connections to: pipelines may import them."""
    ids = (one for one in deployed.resources if one.startswith(CONNECTION_ID))
    return {one.removeprefix(CONNECTION_ID) for one in ids} - {""}
