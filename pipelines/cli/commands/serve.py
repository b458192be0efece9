"""`serve`: the local SageMaker over HTTP, with its endpoints, until Ctrl-C."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NoReturn

import click

from pipelines.backends.local.api import presence, running
from pipelines.backends.local.local_caller import LocalCaller
from pipelines.backends.local.sagemaker import LocalSageMaker
from pipelines.backends.local.settings import ApiCredentials, LocalApi
from pipelines.cli.interrupts import interruptible
from pipelines.cli.options import GivenPath, file_option, report
from pipelines.cli.printing import echo, escape_log_records, escaped
from pipelines.cli.project import require_project
from pipelines.cli.tables import columns
from pipelines.cli.target import open_sagemaker
from pipelines.errors import SpecError

if TYPE_CHECKING:
    from pipelines.backends.local.api.app import ServedRequest
    from pipelines.backends.local.events.loading import LoadedRules
    from pipelines.backends.local.events.rules import Rule
    from pipelines.backends.local.events.schedules import Schedule

_PORT = 8585
_TOGETHER_SECONDS = 0.05


@click.command("serve")
@file_option
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=_PORT,
    show_default=True,
    help="The port on 127.0.0.1; 0 takes any free one.",
)
@click.option(
    "--isolation",
    type=click.Choice(["auto", "namespaces", "rewrite"]),
    default="auto",
    envvar="PIPELINES_ISOLATION",
    help="How a job gets its /opt/ml.",
)
@click.option(
    "--rules",
    multiple=True,
    type=GivenPath(),
    help="A template, or a folder of them, whose EventBridge rules and schedules are followed; "
    "repeatable.",
)
def COMMAND(  # noqa: N802 - found by this name
    file: Path,
    port: int,
    isolation: Literal["auto", "namespaces", "rewrite"],
    rules: tuple[Path, ...],
) -> None:
    """Serve the local SageMaker and its endpoints to any boto3 or AWS CLI, until Ctrl-C."""
    require_project(file)
    escape_log_records()
    stopped = threading.Event()
    with (
        open_sagemaker(file, isolation) as sagemaker,
        interruptible(lambda _number: stopped.set(), _end_at_once),
    ):
        home = sagemaker.settings.home
        loaded = _load(rules, sagemaker) if rules else None
        log = _RequestLog()
        presence.require_none(home)
        with (
            _written(log),
            running(sagemaker, port=port, execute=True, observer=log.add) as api,
            presence.announce(home, api),
            _following(loaded, sagemaker),
        ):
            sagemaker.jobs.recover()
            sagemaker.start_endpoints()
            _greet(sagemaker, api)
            if loaded is not None:
                _describe(loaded, sagemaker)
            stopped.wait()
            echo("stopping", err=True)


@contextmanager
def _written(log: _RequestLog) -> Iterator[None]:
    """Write what is left of a log at the end."""
    try:
        yield
    finally:
        log.write()


def _greet(sagemaker: LocalSageMaker, api: LocalApi) -> None:
    """Print where everything is, and the two lines that a person wants to copy."""
    url, key, region = api.url, api.credentials, sagemaker.settings.region
    endpoints = _endpoints(sagemaker)
    echo(f"serving the local SageMaker at {url} until Ctrl-C\n")
    if endpoints:
        rows = [(name, state, _invocations(url, name)) for name, state in endpoints]
        echo(columns(("endpoint", "state", "invocations"), rows) + "\n")
    else:
        echo("no endpoints yet: approve a version of a group that a deployment step names\n")
    credentials = f"AWS_ACCESS_KEY_ID={key.access_key} AWS_SECRET_ACCESS_KEY={key.secret_key}"
    regions = f"AWS_REGION={region} AWS_DEFAULT_REGION={region}"  # boto3 reads the second alone
    echo(f"  export AWS_ENDPOINT_URL={url} {credentials} {regions}")
    name = endpoints[0][0] if endpoints else "ENDPOINT"
    json = "'Content-Type: application/json'"
    address = shlex.quote(_invocations(url, name))
    signed = ""
    if key != ApiCredentials():
        scope = f"aws:amz:{region}:sagemaker"
        signed = f" --aws-sigv4 {scope} --user {key.access_key}:{key.secret_key}"
    echo(f"  curl{signed} -H {json} --data-binary @serving/sample_request.json {address}\n")
    sys.stdout.flush()


def _endpoints(sagemaker: LocalSageMaker) -> list[tuple[str, str]]:
    """List the endpoints by name, each with its state."""
    order = {"SortBy": "Name", "SortOrder": "Ascending"}
    found = LocalCaller(sagemaker).pages("sagemaker", "list_endpoints", "Endpoints", **order)
    return [(endpoint["EndpointName"], endpoint["EndpointStatus"]) for endpoint in found]


def _invocations(url: str, endpoint: str) -> str:
    return f"{url}/endpoints/{endpoint}/invocations"


def _load(paths: tuple[Path, ...], sagemaker: LocalSageMaker) -> LoadedRules:
    """Read the rules of templates, all of them or none.

    Raises:
        SpecError: one cannot be read; its diagnostics are printed.
        UsageError: a folder has no templates.
    """
    from pipelines.backends.local.events.loading import load_rules  # noqa: PLC0415 - only with --rules

    loaded = load_rules(paths, sagemaker.settings.account, sagemaker.settings.region)
    failed = [one for one in loaded.checked.values() if one.failed]
    for file, text in loaded.checked.items():
        with suppress(SpecError):
            report(text, file, err=True)
    if failed:
        raise SpecError("")
    return loaded


@contextmanager
def _following(loaded: LoadedRules | None, sagemaker: LocalSageMaker) -> Iterator[None]:
    """Hand events to the targets of rules, and start what is due, while the context lasts."""
    if loaded is None:
        sagemaker.changes.forget()
        yield
        return
    from pipelines.backends.local.events.bus import EventBus  # noqa: PLC0415 - only with --rules
    from pipelines.backends.local.events.delivery import Delivery  # noqa: PLC0415 - as above
    from pipelines.backends.local.events.schedules import ScheduleRunner  # noqa: PLC0415 - as above

    bus = EventBus(sagemaker, loaded.rules, _log_line)
    runner = ScheduleRunner(loaded.schedules, Delivery(sagemaker), _log_line)
    bus.start()
    runner.start()
    try:
        yield
    finally:
        runner.close()
        bus.close()


def _describe(loaded: LoadedRules, sagemaker: LocalSageMaker) -> None:
    """Print which rules and schedules are followed, and what they cannot reach."""
    rules = [(one.name, _aims(one)) for one in loaded.rules]
    schedules = [(one.name, _when(one), _aims(one)) for one in loaded.schedules]
    if rules:
        echo(columns(("rule", "target"), rules))
    if schedules:
        echo(columns(("schedule", "next", "target"), schedules))
    if not rules and not schedules:
        echo("the templates have neither rules nor schedules")
    for line in _unreached(loaded, sagemaker):
        echo(line)
    sys.stdout.flush()


def _aims(one: Rule | Schedule) -> str:
    """Name the targets of a rule or a schedule."""
    return ", ".join(f"starts {t.pipeline}" if t.pipeline else t.name for t in one.targets)


def _when(schedule: Schedule) -> str:
    """Return when a schedule fires next."""
    moment = schedule.times.next(datetime.now(UTC))
    return "never again" if moment is None else moment.strftime("%Y-%m-%d %H:%M UTC")


def _unreached(loaded: LoadedRules, sagemaker: LocalSageMaker) -> Iterator[str]:
    """Say which targets get nothing here, or not yet."""
    targets = [one for rule in loaded.rules for one in rule.targets]
    targets += [one for schedule in loaded.schedules for one in schedule.targets]
    if any(target.service == "sns" for target in targets):
        yield "what a topic is told is a line here; no mail is sent"
    listed = LocalCaller(sagemaker).pages("sagemaker", "list_pipelines", "PipelineSummaries")
    here = {None, *(one["PipelineName"] for one in listed)}
    absent = dict.fromkeys(str(one.pipeline) for one in targets if one.pipeline not in here)
    if absent:
        yield f"not here yet, and not started before `upsert --local`: {', '.join(absent)}"
    others = [one for one in targets if one.pipeline is None and one.service != "sns"]
    if others:
        yield f"not served here: {', '.join(dict.fromkeys(one.arn for one in others))}"


class _RequestLog:
    """One line per request, written some at a time: each write costs as much as routing does."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._second = 0
        self._now = ""

    def add(self, served: ServedRequest) -> None:
        """Take a request; called on the server's event loop."""
        if not self._lines:
            asyncio.get_running_loop().call_later(_TOGETHER_SECONDS, self.write)
        second = int(time.time())
        if second != self._second:
            self._second, self._now = second, time.strftime("%H:%M:%S")
        text = f"{served.status}  {served.milliseconds:7.1f} ms  {served.operation}"
        self._lines.append(escaped(f"{self._now}  {text}") + "\n")

    def write(self) -> None:
        """Write the lines that are there; nobody may be left to read them."""
        lines, self._lines = self._lines, []
        _write("".join(lines))


def _log_line(text: str) -> None:
    """Write a line with the time."""
    _write(escaped(f"{time.strftime('%H:%M:%S')}  {text}") + "\n")


def _write(text: str) -> None:
    with suppress(OSError, ValueError):
        sys.stdout.write(text)
        sys.stdout.flush()


def _end_at_once() -> NoReturn:
    """Leave without waiting: the kernel tells the jobs, and the state allows it at any point."""
    os._exit(128 + signal.SIGINT)
