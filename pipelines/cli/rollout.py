"""The stacks of one account, planned or applied one after the other.

Everything that can be known before is looked at before anything changes. Both commands create the
same change sets; `plan` deletes them, `apply` executes those that were shown. What exists already
is imported by a change set of its own, with its name alone; the next one makes it what the template
says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import groupby

from pipelines.account.account import Account
from pipelines.account.stacks.change_set import (
    Change,
    ChangeSet,
    MissingExportError,
    create_change_set,
    discard,
    execute,
)
from pipelines.account.stacks.connection import pending_step
from pipelines.account.stacks.deployed import Deployed, read_stack
from pipelines.account.stacks.following import StackEvent, StackFollower
from pipelines.account.stacks.importing import import_change_set
from pipelines.account.stacks.stack_template import StackTemplate
from pipelines.cli.generating import Generated
from pipelines.cli.printing import echo
from pipelines.cli.stack_checks import Choices, Examined, Item, examine
from pipelines.cli.stack_files import ChosenStacks, current_templates
from pipelines.cli.stack_sharing import with_others
from pipelines.cli.stack_text import PlannedStack, Upload, planned_text
from pipelines.cli.target import open_account
from pipelines.diagnostics.sentences import quoted
from pipelines.document.plain import read_plain
from pipelines.errors import UsageError
from pipelines.execution.caller import CallRefusedError
from pipelines.infra.files import StackFile
from pipelines.infra.shared import CONNECTION_ID
from pipelines.infra.wheel import digest_of

_MINUTE = 60.0


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
        self._choices = Choices(chosen.parameters, chosen.imports, chosen.forgotten)
        accounts: dict[str, Account] = {}
        self.items = tuple(_item(file, accounts, opening) for file in files)

    def plan(self) -> Iterator[PlannedStack]:
        """Yield what there is to do at each stack, one after the other; nothing is left behind."""
        found = examine(self.items, self._choices, _require_free)
        for item in self.items:
            planned = self._planned(item, found[item.key], found)
            if planned.change_set is not None:
                discard(item.account, planned.change_set)
            yield planned

    def apply(self, confirm: Callable[[str], None], minutes: float) -> None:
        """Do it: each stack is shown, asked for, changed and followed to its end.

        Args:
            confirm: asks about an effect; raises where the answer is no.
            minutes: how long one stack may take.
        """
        found = examine(
            self.items, self._choices, lambda item, deployed: _wait_for(item, deployed, minutes)
        )
        for item in self.items:
            examined = self._now(item, found[item.key])
            if examined.imported:
                self._carry_out(item, examined, confirm, minutes)
                examined = self._now(item, replace(examined, imported=(), said=()))
            self._carry_out(item, examined, confirm, minutes)

    def left_to_do(self, elsewhere: Iterable[StackFile]) -> Iterator[str]:
        """Yield what a person has to do once these stacks are there.

        Args:
            elsewhere: the templates of other accounts.
        """
        for item in self.items:
            arn = self._connection_of(item)
            step = pending_step(item.account, arn) if arn else None
            if step is not None:
                yield step
        for account, files in groupby(elsewhere, lambda one: one.stack.place.account):
            names = quoted([one.stack.name for one in files], "and")
            yield f"{names} in account {account}: run `ci apply` with its credentials"

    def _connection_of(self, item: Item) -> str | None:
        """Return the ARN of the connection of a shared stack, or of that given in its place."""
        tenant = item.file.stack.tenant
        if tenant is None or tenant.source != "connection":
            return None
        if tenant.connection is None:
            return self._made.options.connection
        return read_stack(item.account, item.name).outputs.get(
            f"{CONNECTION_ID}{tenant.connection}"
        )

    def _now(self, item: Item, examined: Examined) -> Examined:
        """Look at a stack once more: an earlier one, an import or others may have changed it."""
        deployed, forgotten = read_stack(item.account, item.name), self._choices.forgotten
        template, _ = with_others(item.template, item.file.stack, deployed, forgotten)
        return replace(examined, deployed=deployed, template=template)

    def _carry_out(
        self, item: Item, examined: Examined, confirm: Callable[[str], None], minutes: float
    ) -> None:
        """Show, ask, change and follow one stack; upload the tool."""
        planned = self._planned(item, examined, {})
        change = planned.change_set
        try:
            echo(planned_text(planned))
            if not planned.is_pending:
                return
            confirm(f"apply {item.name} in {item.where}")
        except BaseException:
            if change is not None:
                discard(item.account, change)
            raise
        if change is not None:
            _execute(item, change, minutes)
        for upload in planned.uploads:
            item.account.upload(upload.bucket, upload.key, self._made.tool.content())

    def _planned(
        self, item: Item, examined: Examined, found: Mapping[tuple[str, str], Examined]
    ) -> PlannedStack:
        """Create the change set of a stack, where CloudFormation can compute it now.

        Args:
            item: the stack.
            examined: what is deployed of it.
            found: all of them where they are only planned, so that others may not be there yet.
        """
        deployed, template = examined.deployed, examined.template
        planned = PlannedStack(item.name, item.file.stack.place, template.file, said=examined.said)
        if examined.imported:
            change = import_change_set(item.account, template, deployed, examined.imported)
            return replace(planned, change_set=change)
        planned = replace(planned, uploads=tuple(self._uploads(item, deployed)))
        shared = self._shared_of(item)
        waits = shared is not None and shared.key in found
        if shared is not None and waits and not found[shared.key].deployed.is_there:
            return _later(planned, template, shared.name)
        try:
            change = create_change_set(item.account, template, deployed, examined.parameters)
        except MissingExportError as error:
            if shared is None or not waits:
                raise
            return _later(planned, template, f"{shared.name} ({error.problem})")
        return replace(planned, change_set=change)

    def _shared_of(self, item: Item) -> Item | None:
        place = item.file.stack.place
        others = (one for one in self.items if one.is_shared and one.file.stack.place == place)
        return None if item.is_shared else next(others, None)

    def _uploads(self, item: Item, deployed: Deployed) -> Iterator[Upload]:
        """Yield each upload of the wheel that has to be made."""
        place, key = item.file.stack.place, self._made.options.wheel_key
        here = (one.first for one in self._made.deliveries if one.first.place == place)
        for bucket in dict.fromkeys(one.aws.bucket for one in here) if item.is_shared else ():
            is_there = bucket in deployed.resources.values()
            present = _download(item.account, bucket, key) if is_there else None
            if present is None or digest_of(present) != self._made.tool.digest:
                yield Upload(bucket, key, present is not None)


def _item(file: StackFile, accounts: dict[str, Account], opening: Callable[[str], Account]) -> Item:
    stack = file.stack
    region = stack.place.region
    if region not in accounts:
        accounts[region] = opening(region)
    document = read_plain(file.text)
    template = StackTemplate(stack.name, str(file.path), file.text, document, stack.bucket)
    return Item(file, accounts[region], template)


def _later(planned: PlannedStack, template: StackTemplate, after: str) -> PlannedStack:
    resources = template.document["Resources"].items()
    added = tuple(Change("add", logical, one["Type"]) for logical, one in resources)
    return replace(planned, after=after, resources=added)


def _download(account: Account, bucket: str, key: str) -> bytes | None:
    try:
        return account.download(bucket, key)
    except CallRefusedError as error:
        if error.is_missing:
            return None
        raise


def _execute(item: Item, change: ChangeSet, minutes: float) -> None:
    follower = StackFollower(item.account, change.stack, _tell, minutes * _MINUTE)
    try:
        execute(item.account, change)
    except CallRefusedError as error:
        if error.is_denied:
            discard(item.account, change)
        raise
    try:
        follower.until_done()
    except KeyboardInterrupt:
        echo(f"CloudFormation goes on with {item.name}; `ci apply` takes it up again", err=True)
        raise
    echo(f"{item.name} is {'created' if change.first else 'updated'}")


def _wait_for(item: Item, deployed: Deployed, minutes: float) -> Deployed:
    if not deployed.is_busy:
        return deployed
    echo(f"{item.name} is being changed ({deployed.status}): waiting for it", err=True)
    StackFollower(item.account, deployed.arn, _tell, minutes * _MINUTE).until_free()
    return read_stack(item.account, item.name)


def _require_free(_item: Item, deployed: Deployed) -> Deployed:
    deployed.require_free()
    return deployed


def _tell(event: StackEvent) -> None:
    reason = f": {event.reason}" if event.reason and event.status.endswith("_FAILED") else ""
    echo(f"  {event.status:<20} {event.logical} ({event.type}){reason}", err=True)
