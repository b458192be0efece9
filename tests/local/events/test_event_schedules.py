"""The schedules of templates: when they fire, on a clock of the test's, and what comes of it."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pipelines.backends.local.events.delivery import Delivery
from pipelines.backends.local.events.loading import load_rules
from pipelines.backends.local.events.schedules import Schedule, ScheduleRunner
from pipelines.backends.local.events.times import read_times
from pipelines.backends.local.sagemaker import LocalSageMaker
from pipelines.backends.local.settings import LocalSettings
from tests.local.events.test_event_bus import DEFINITION, started

BERLIN, TOKYO = "Europe/Berlin", "Asia/Tokyo"
GOLDEN = Path(__file__).parents[2] / "golden" / "infra"
TEMPLATE = """\
Resources:
  Nightly:
    Type: AWS::Scheduler::Schedule
    Properties:
      Name: nightly
      ScheduleExpression: cron(30 2 * * ? *)
      ScheduleExpressionTimezone: Europe/Berlin
      FlexibleTimeWindow: {Mode: 'OFF'}
      Target:
        Arn: arn:aws:sagemaker:eu-central-1:111122223333:pipeline/deploy
        RoleArn: arn:aws:iam::111122223333:role/r
        SageMakerPipelineParameters:
          PipelineParameterList: [{Name: package, Value: $.time}]
  Hourly:
    Type: AWS::Events::Rule
    Properties:
      Name: hourly
      ScheduleExpression: rate(1 hour)
      EventPattern: {source: [aws.sagemaker]}
      Targets:
        - Id: absent
          Arn: arn:aws:sagemaker:eu-central-1:111122223333:pipeline/absent
        - Id: deploy
          Arn: arn:aws:sagemaker:eu-central-1:111122223333:pipeline/deploy
          SageMakerPipelineParameters:
            PipelineParameterList: [{Name: package, Value: $.time}]
        - Id: queue
          Arn: arn:aws:sqs:eu-central-1:111122223333:q
  People:
    Type: AWS::Scheduler::Schedule
    Properties:
      Name: people
      ScheduleExpression: at(2027-03-28T04:00:00)
      Target:
        Arn: arn:aws:sns:eu-central-1:111122223333:team
        Input: '<aws.scheduler.scheduled-time> <b>'
  Off:
    Type: AWS::Scheduler::Schedule
    Properties: {State: DISABLED, ScheduleExpression: rate(1 minute)}
"""


class GivenTimes:
    """A clock that goes where the test says.

    Args:
        moments: the time now, then after each wait; a wait after the last one ends the runner.
    """

    def __init__(self, *moments: datetime) -> None:
        self._moments = [moment.timestamp() for moment in moments]
        self.waited: list[float] = []

    def now(self) -> float:
        """Return seconds since 1970."""
        return self._moments[0]

    def wait(self, stop: threading.Event, seconds: float) -> bool:
        """Go to the next moment; return whether there is none."""
        self.waited.append(seconds)
        if len(self._moments) == 1:
            return True
        self._moments.pop(0)
        return stop.is_set()


def at(text: str) -> datetime:
    """Read a moment of UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "zone", "after", "first", "second"),
    [
        ("rate(7 days)", "UTC", "2026-11-26T10", "2026-12-03T00:00", "2026-12-10T00:00"),
        ("rate(5 minutes)", "UTC", "2026-11-26T10", "2026-11-26T10:05", "2026-11-26T10:10"),
        ("cron(0/30 9 ? * 6 *)", "UTC", "2026-11-26T10", "2026-11-27T09:00", "2026-11-27T09:30"),
        ("cron(0 3 L * ? *)", TOKYO, "2026-11-26T10", "2026-11-29T18:00", "2026-12-30T18:00"),
        # The clock goes from 2 to 3 on 2027-03-28, and from 3 back to 2 on 2027-10-31.
        ("cron(30 2 * * ? *)", BERLIN, "2027-03-27T00", "2027-03-27T01:30", "2027-03-29T00:30"),
        ("cron(30 2 * * ? *)", BERLIN, "2027-10-30T12", "2027-10-31T00:30", "2027-11-01T01:30"),
        ("rate(1 day)", BERLIN, "2027-03-27T12", "2027-03-28T00:00", "2027-03-29T00:00"),
    ],
)
def test_an_expression_fires_at_the_times_of_its_zone(
    expression: str, zone: str, after: str, first: str, second: str
) -> None:
    """What a change of the clock skips is skipped, what it repeats fires once; a day is 24 h."""
    times = read_times(expression, ZoneInfo(zone))
    assert times.next(at(after)) == at(first)
    assert times.next(at(first)) == at(second)


def test_times_end_and_begin_where_the_schedule_says() -> None:
    """Both ends may fire; a rate counts from its start."""
    start, end = at("2027-01-01T00:07"), at("2027-01-01T02:07")
    times = read_times("rate(1 hour)", UTC, start, end)
    assert times.next(at("2026-01-01T00:00")) == start
    assert times.next(start) == start + timedelta(hours=1)
    assert times.next(end - timedelta(minutes=1)) == end
    assert times.next(end) is None
    assert read_times("at(2027-01-01T00:07:00)").next(start) is None
    assert read_times("cron(0 0 1 1 ? 2020)").next(start) is None
    assert read_times(f"rate({10**8} days)").next(start) is None


@pytest.fixture
def service(tmp_path: Path) -> Iterator[LocalSageMaker]:
    """A local SageMaker with a pipeline that nobody runs."""
    with LocalSageMaker(LocalSettings(tmp_path / ".pipelines", Path(sys.executable))) as service:
        service.create_pipeline(
            PipelineName="deploy",
            RoleArn="arn:aws:iam::000000000000:role/r",
            PipelineDefinition=json.dumps(DEFINITION),
        )
        yield service


def schedules(tmp_path: Path) -> tuple[Schedule, ...]:
    """Read those of the template."""
    file = tmp_path / "t.yaml"
    file.write_text(TEMPLATE)
    loaded = load_rules([file], "000000000000", "us-east-1")
    assert loaded.checked[file].diagnostics == ()
    assert [one.name for one in loaded.rules] == ["hourly"], "a rule may have a pattern, too"
    return loaded.schedules


def run(service: LocalSageMaker, tmp_path: Path, *moments: str) -> tuple[list[str], GivenTimes]:
    """Run the schedules through these moments; return what the log says, and the clock."""
    said: list[str] = []
    clock = GivenTimes(*map(at, moments))
    ScheduleRunner(schedules(tmp_path), Delivery(service), said.append, clock).run()
    return said, clock


def test_what_is_due_starts_its_targets_and_says_which_are_dead(
    service: LocalSageMaker, tmp_path: Path
) -> None:
    """In the template's order; a value of a schedule is a value, one of a rule may be a path."""
    said, _ = run(service, tmp_path, "2026-11-26T01:29:59", "2026-11-26T01:30", "2026-11-26T02:00")
    nightly, absent, hourly, queue = said
    assert nightly.startswith("nightly: started deploy: ")
    assert absent.startswith("hourly: absent was not started: ")
    assert hourly.startswith("hourly: started deploy: ")
    assert queue.endswith("there is no sqs here")
    assert started(service) == ["$.time", "2026-11-26T02:00:00Z"]


def test_a_wait_ends_when_something_is_due_and_before_long(
    service: LocalSageMaker, tmp_path: Path
) -> None:
    """A wait counts no time for which the machine sleeps, so that none of them is long."""
    _, clock = run(service, tmp_path, "2026-11-26T01:10", "2026-11-26T01:29:55", "2026-11-26T01:30")
    assert clock.waited == [20.0, 5.0, 20.0]


def test_what_passes_while_the_machine_sleeps_fires_once(
    service: LocalSageMaker, tmp_path: Path
) -> None:
    """Each schedule, however many of its times passed; the log says when it was due."""
    said, _ = run(service, tmp_path, "2026-11-26T10:10", "2026-11-29T10:10", "2026-11-29T10:20")
    assert [line.partition(": ")[0] for line in said] == [
        "nightly (was due at 2026-11-27T01:30:00Z)",
        *["hourly (was due at 2026-11-26T11:00:00Z)"] * 3,
    ]


def test_the_same_moment_starts_nothing_twice(service: LocalSageMaker, tmp_path: Path) -> None:
    """As after a clock that was set back, or by a server that is started again."""
    for _ in range(2):
        said, _ = run(service, tmp_path, "2026-11-26T10:59", "2026-11-26T11:00", "2026-11-26T11:01")
        assert len(said) == 3
    assert started(service) == ["2026-11-26T11:00:00Z"]


def test_people_are_told_when_it_is_their_time(service: LocalSageMaker, tmp_path: Path) -> None:
    """The keywords of EventBridge Scheduler are replaced, what only looks like one is not."""
    said, _ = run(
        service, tmp_path, "2027-03-28T03:59:30", "2027-03-28T03:59:59.9", "2027-03-28T04:00:01"
    )
    assert said[-1] == "people: team is told (no mail is sent): 2027-03-28T04:00:00Z <b>"


def test_the_schedules_of_all_environments_that_ci_init_writes_are_read() -> None:
    """Each starts the pipeline of its environment; the same template twice is one schedule."""
    folder = GOLDEN / "accounts" / "expected"
    loaded = load_rules([folder, folder], "000000000000", "us-east-1")
    assert [(one.name, one.targets[0].parameters) for one in loaded.schedules] == [
        ("churn-staging-weekly", {"epochs": "8"}),
        ("churn-weekly", {"epochs": "8"}),
    ]
