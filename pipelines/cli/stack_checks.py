"""What is in the way of stacks, found before anything changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from pipelines.account.account import Account
from pipelines.account.stacks.deployed import Deployed, read_stack
from pipelines.account.stacks.existing import Taken, taken_names
from pipelines.account.stacks.identity import provider_parameters
from pipelines.account.stacks.stack_template import StackTemplate
from pipelines.cli.stack_sharing import require_known, with_others
from pipelines.diagnostics.nearest import nearest
from pipelines.errors import UsageError
from pipelines.frozen import frozen
from pipelines.infra.federation import CREATES
from pipelines.infra.files import StackFile


@frozen
class Item:
    """A stack on its way.

    Args:
        file: its template.
        account: where it goes.
        template: what it has to be.
    """

    file: StackFile
    account: Account
    template: StackTemplate

    @property
    def name(self) -> str:
        """The stack's name."""
        return self.template.name

    @property
    def key(self) -> tuple[str, str]:
        """What it is told from the other stacks of an account by: a name is one of a region."""
        return self.file.stack.place.region, self.name

    @property
    def is_shared(self) -> bool:
        """Whether other stacks stand on it."""
        return self.file.stack.label is None

    @property
    def where(self) -> str:
        """Where it is, for people."""
        place = self.file.stack.place
        return f"account {place.account}, region {place.region}"


@frozen
class Examined:
    """A stack that nothing is in the way of.

    Args:
        deployed: what is deployed of it.
        template: what it has to be: for other repositories, too, where they share it.
        parameters: values of its parameters: as given, and as the account demands.
        imported: what exists and is taken into it.
        said: what a person has to know besides.
    """

    deployed: Deployed
    template: StackTemplate
    parameters: Mapping[str, str]
    imported: tuple[Taken, ...]
    said: tuple[str, ...]


@frozen
class Choices:
    """What the command line says of the stacks.

    Args:
        parameters: values of the templates' parameters, by name.
        imports: whether what exists is taken into them, where CloudFormation can do that.
        forgotten: repositories that are no more, whose parts of a shared stack go.
    """

    parameters: Mapping[str, str]
    imports: bool
    forgotten: tuple[str, ...] = ()


def examine(
    items: Iterable[Item], choices: Choices, busy: Callable[[Item, Deployed], Deployed]
) -> dict[tuple[str, str], Examined]:
    """Look at all stacks, and at everything that they would take.

    Args:
        items: the stacks.
        choices: of the command line.
        busy: what becomes of one that is being changed.

    Raises:
        UsageError: something is in the way.
        CallRefusedError: something cannot be looked at.
    """
    items = tuple(items)
    _require_parameters(items, choices.parameters)
    found: dict[tuple[str, str], Examined] = {}
    in_the_way: list[Taken] = []
    for item in items:
        deployed = busy(item, read_stack(item.account, item.name))
        deployed.require_changeable()
        _require_ours(item, deployed)
        examined, taken = _examined(item, deployed, choices)
        found[item.key] = examined
        in_the_way += [one for one in taken if one not in examined.imported]
    require_known(choices.forgotten, (one.deployed for one in found.values()))
    if in_the_way:
        raise UsageError(
            "names that the stacks would take are taken: "
            + "; ".join(f"{one.type} {one.name} {one.problem}" for one in in_the_way),
            "; ".join(dict.fromkeys(one.remedy for one in in_the_way)),
        )
    return found


def _examined(
    item: Item, deployed: Deployed, choices: Choices
) -> tuple[Examined, tuple[Taken, ...]]:
    """Look at one stack; return, too, the names that it would take and that are taken."""
    stack = item.file.stack
    template, shares = with_others(item.template, stack, deployed, choices.forgotten)
    given = choices.parameters
    own, said = provider_parameters(item.account, template, deployed, given, CREATES)
    values = {**given, **own}
    taken = tuple(taken_names(item.account, template, deployed, values))
    imported = tuple(one for one in taken if choices.imports and one.identifier)
    lines = (*shares, *said, *_on_imports(imported))
    return Examined(deployed, template, values, imported, lines), taken


def _require_parameters(items: tuple[Item, ...], given: Mapping[str, str]) -> None:
    known = {name for item in items for name in item.template.document["Parameters"]}
    for name in given:
        if name not in known:
            close = nearest(name, sorted(known))
            raise UsageError(
                f"no template has a parameter `{name}`",
                f"did you mean `{close}`?" if close else f"there are {', '.join(sorted(known))}",
            )


def _require_ours(item: Item, deployed: Deployed) -> None:
    """Refuse a stack of this name that was made from something else."""
    document = item.template.document
    if deployed.resources and not deployed.resources.keys() & document["Resources"]:
        raise UsageError(
            f"there is a stack {item.name} in {item.where} that has nothing of {item.file.path}",
            "it was made for something else: delete or rename one of them",
        )


def _on_imports(imported: tuple[Taken, ...]) -> Iterator[str]:
    """Yield what an import does to what was there before."""
    for one in imported:
        if one.type == "AWS::S3::Bucket":
            yield (
                f"{one.name} keeps its objects; its encryption, versioning, lifecycle rules and"
                " bucket policy become those of the template"
            )
        if one.type == "AWS::IAM::Role":
            yield (
                f"{one.name} gets the trust and the permissions of the template; other policies"
                " that it has stay attached: remove what it should not have"
            )
