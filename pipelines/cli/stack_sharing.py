"""The shared stack of an account: what this repository needs of it, beside what others need.

An account and region has one, whoever makes it first. A repository that comes later adds what it
needs, and no repository removes what another one needs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from pipelines.account.stacks.deployed import Deployed
from pipelines.account.stacks.stack_template import StackTemplate
from pipelines.diagnostics.nearest import nearest
from pipelines.diagnostics.sentences import quoted
from pipelines.errors import UsageError
from pipelines.infra.model import Stack
from pipelines.infra.shared import CONNECTION_ID, shared
from pipelines.infra.tenants import beside, tenants_in


def with_others(
    template: StackTemplate, stack: Stack, deployed: Deployed, forgotten: Iterable[str]
) -> tuple[StackTemplate, str | None]:
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
        return template, None
    where = f"{stack.name} in account {stack.place.account}, region {stack.place.region},"
    others = beside(own, tenants_in(deployed.metadata), forgotten, where)
    kept = _connections(deployed) - {own.connection}
    if not others and not kept:
        return template, None
    merged = shared(stack.place, (own, *others), kept)
    names = [one.repository for one in others]
    whole = replace(template, text=merged.text(), document=merged.document())
    return whole, f"what it has for {quoted(names, 'and')} stays" if names else None


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
