"""The stacks of one account, planned or applied one after the other.

Everything that can be known before is looked at before anything changes. Both commands create the
same change sets; `plan` deletes them, `apply` executes those that were shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby

import yaml

from pipelines.account.account import Account
from pipelines.account.stacks.change_set import (
    ChangeSet,
    MissingExportError,
    StackTemplate,
    create_change_set,
    discard,
    execute,
)
from pipelines.account.stacks.connection import pending_step
from pipelines.account.stacks.deployed import Deployed, read_stack
from pipelines.account.stacks.existing import Taken, taken_names
from pipelines.account.stacks.following import StackEvent, StackFollower
from pipelines.cli.generating import Generated
from pipelines.cli.printing import echo
from pipelines.cli.stack_files import ChosenStacks, current_templates
from pipelines.cli.stack_text import change_set_text, new_stack_text
from pipelines.cli.target import open_account
from pipelines.diagnostics.nearest import nearest
from pipelines.diagnostics.sentences import quoted
from pipelines.errors import UsageError
from pipelines.execution.caller import CallRefusedError
from pipelines.frozen import frozen
from pipelines.infra.files import StackFile
from pipelines.infra.wheel import digest_of

_MINUTE = 60.0


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
    def is_shared(self) -> bool:
        """Whether other stacks stand on it."""
        return self.file.stack.label is None

    @property
    def where(self) -> str:
        """Where it is, for people."""
        place = self.file.stack.place
        return f"account {place.account}, region {place.region}"


def open_rollout(chosen: ChosenStacks) -> tuple[Rollout, tuple[StackFile, ...]]:
    """Open the account of the credentials, for the chosen stacks that are its.

    Returns:
        the rollout, and the templates of other accounts.

    Raises:
        UsageError: no chosen stack is in this account, or a template is not current.
        CallRefusedError: there are no credentials.
    """
    files, made = current_templates(chosen)
    account = open_account(files[0].stack.place.region).account_id()
    here = tuple(one for one in files if one.stack.place.account == account)
    elsewhere = tuple(one for one in files if one not in here)
    if not here or (elsewhere and chosen.environments):
        theirs = sorted({one.stack.place.account for one in elsewhere})
        raise UsageError(
            f"the credentials are those of account {account}; the stacks are in"
            f" {', '.join(theirs)}",
            "use credentials of that account (AWS_PROFILE), or choose environments with --env",
        )
    return Rollout(here, made, open_account, chosen), elsewhere


class Rollout:
    """The stacks of one account.

    Args:
        files: their templates, in order.
        made: what they were generated with.
        opening: opens the account in a region.
        chosen: values of parameters, and whether what exists is imported.
    """

    def __init__(
        self,
        files: tuple[StackFile, ...],
        made: Generated,
        opening: Callable[[str], Account],
        chosen: ChosenStacks,
    ) -> None:
        self._made = made
        self._given = chosen.parameters
        self._imports = chosen.imports
        accounts: dict[str, Account] = {}
        self.items = tuple(self._item(file, accounts, opening) for file in files)
        self._require_parameters()

    def plan(self) -> bool:
        """Show what there is to do; return whether there is anything."""
        found = self._examine(busy=_require_free)
        pending = False
        for item in self.items:
            change = self._shown(item, found)
            if isinstance(change, ChangeSet):
                discard(item.account, change)
            uploads = list(self._uploads(item, found[item.name]))
            for line in (line for line, _ in uploads):
                echo(line)
            pending = pending or change is not None or bool(uploads)
        return pending

    def apply(self, confirm: Callable[[str], None], minutes: float) -> None:
        """Do it: each stack is shown, asked for, changed and followed to its end.

        Args:
            confirm: asks about an effect; raises where the answer is no.
            minutes: how long one stack may take.
        """
        self._examine(busy=lambda item, deployed: self._wait_for(item, deployed, minutes))
        for item in self.items:
            deployed = read_stack(item.account, item.name)
            change = self._shown(item, {item.name: deployed})
            uploads = list(self._uploads(item, deployed))
            for line, _ in uploads:
                echo(line)
            if not isinstance(change, ChangeSet) and not uploads:
                continue
            try:
                confirm(f"apply {item.name} in {item.where}")
            except BaseException:
                if isinstance(change, ChangeSet):
                    discard(item.account, change)
                raise
            if isinstance(change, ChangeSet):
                self._execute(item, change, minutes)
            for _, bucket in uploads:
                item.account.upload(bucket, self._made.options.wheel_key, self._made.tool.content())

    def left_to_do(self, elsewhere: Iterable[StackFile]) -> Iterator[str]:
        """Yield what a person has to do once these stacks are there.

        Args:
            elsewhere: the templates of other accounts.
        """
        for item in self.items:
            arn = read_stack(item.account, item.name).outputs.get("Connection")
            step = pending_step(item.account, arn) if arn else None
            if step is not None:
                yield step
        for account, files in groupby(elsewhere, lambda one: one.stack.place.account):
            names = quoted([one.stack.name for one in files], "and")
            yield f"{names} in account {account}: run `ci apply` with its credentials"

    def _item(
        self,
        file: StackFile,
        accounts: dict[str, Account],
        opening: Callable[[str], Account],
    ) -> Item:
        stack = file.stack
        region = stack.place.region
        if region not in accounts:
            accounts[region] = opening(region)
        template = StackTemplate(
            stack.name, str(file.path), file.text, yaml.safe_load(file.text), stack.bucket
        )
        return Item(file, accounts[region], template)

    def _require_parameters(self) -> None:
        known = {name for item in self.items for name in item.template.document["Parameters"]}
        for name in self._given:
            if name not in known:
                close = nearest(name, sorted(known))
                raise UsageError(
                    f"no template has a parameter `{name}`",
                    f"did you mean `{close}`?"
                    if close
                    else f"there are {', '.join(sorted(known))}",
                )

    def _examine(self, busy: Callable[[Item, Deployed], Deployed]) -> dict[str, Deployed]:
        """Look at everything that may be in the way, before anything changes."""
        found: dict[str, Deployed] = {}
        taken: list[Taken] = []
        for item in self.items:
            deployed = busy(item, read_stack(item.account, item.name))
            deployed.require_changeable()
            _require_ours(item, deployed)
            taken += taken_names(item.account, item.template, deployed, self._given)
            found[item.name] = deployed
        taken = [one for one in taken if not (self._imports and one.is_importable)]
        if taken:
            raise UsageError(
                "names that the stacks would take are taken: "
                + "; ".join(f"{one.type} {one.name} {one.problem}" for one in taken),
                "; ".join(dict.fromkeys(one.remedy for one in taken)),
            )
        return found

    def _shown(self, item: Item, found: Mapping[str, Deployed]) -> ChangeSet | bool | None:
        """Show what becomes of a stack.

        Returns:
            its change set; True where it has none yet, None where nothing changes.
        """
        deployed = found[item.name]
        shared = self._shared_of(item)
        if shared is not None and shared.name in found and not found[shared.name].is_there:
            echo(new_stack_text(item.name, item.template.document, shared.name))
            return True
        try:
            change = create_change_set(
                item.account, item.template, deployed, self._given, imports=self._imports
            )
        except MissingExportError as error:
            if shared is None or shared.name not in found:
                raise
            echo(f"{item.name} can be planned after {shared.name}: {error.problem}")
            return True
        if change is None:
            echo(f"{item.name}: nothing changes")
        else:
            echo(change_set_text(item.name, change))
        return change

    def _shared_of(self, item: Item) -> Item | None:
        place = item.file.stack.place
        others = (one for one in self.items if one.is_shared and one.file.stack.place == place)
        return None if item.is_shared else next(others, None)

    def _uploads(self, item: Item, deployed: Deployed) -> Iterator[tuple[str, str]]:
        """Yield, with its bucket, what is said of each upload of the wheel that has to be made."""
        place = item.file.stack.place
        here = (one.first for one in self._made.deliveries if one.first.place == place)
        key = self._made.options.wheel_key
        for bucket in dict.fromkeys(one.aws.bucket for one in here) if item.is_shared else ():
            present = _download(item.account, bucket, key) if deployed.is_there else None
            if present is None:
                yield f"  + s3://{bucket}/{key}: the tool that the builds run", bucket
            elif digest_of(present) != self._made.tool.digest:
                yield f"  ~ s3://{bucket}/{key}: what is there is not the tool", bucket

    def _execute(self, item: Item, change: ChangeSet, minutes: float) -> None:
        follower = StackFollower(item.account, change.stack, _tell, minutes * _MINUTE)
        execute(item.account, change)
        try:
            follower.until_done()
        except KeyboardInterrupt:
            echo(f"CloudFormation goes on with {item.name}; `ci apply` takes it up again", err=True)
            raise
        echo(f"{item.name} is {'created' if change.first else 'updated'}")

    def _wait_for(self, item: Item, deployed: Deployed, minutes: float) -> Deployed:
        if not deployed.is_busy:
            return deployed
        echo(f"{item.name} is being changed ({deployed.status}): waiting for it", err=True)
        StackFollower(item.account, deployed.arn, _tell, minutes * _MINUTE).until_free()
        return read_stack(item.account, item.name)


def _download(account: Account, bucket: str, key: str) -> bytes | None:
    try:
        return account.download(bucket, key)
    except CallRefusedError as error:
        if error.is_missing:
            return None
        raise


def _require_free(_item: Item, deployed: Deployed) -> Deployed:
    deployed.require_free()
    return deployed


def _require_ours(item: Item, deployed: Deployed) -> None:
    """Refuse a stack of this name that was made from something else."""
    if deployed.resources and not deployed.resources.keys() & item.template.document["Resources"]:
        raise UsageError(
            f"there is a stack {item.name} in {item.where} that has nothing of {item.file.path}",
            "it was made for something else: delete or rename one of them",
        )


def _tell(event: StackEvent) -> None:
    reason = f": {event.reason}" if event.reason and event.status.endswith("_FAILED") else ""
    echo(f"  {event.status:<20} {event.logical} ({event.type}){reason}", err=True)
