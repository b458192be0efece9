"""What starts a pipeline by itself, and who hears of it: `schedule:` and `notify:`.

Neither changes the definition; `ci` makes the resources.
"""

import re
from datetime import date
from typing import TYPE_CHECKING, Annotated, ClassVar, Self, TypeAlias

from pydantic import Field, field_validator, model_validator

from pipelines.diagnostics.nearest import nearest
from pipelines.spec.base import SpecModel
from pipelines.spec.values import (
    FixedScalar,
    FixedText,
    Scalar,
    fixed_text,
    mistake,
    no_entries,
)

if TYPE_CHECKING:
    from pipelines.spec.cron import Cron

_SCHEDULE = "SP132"
_NOTIFY = "SP133"
_NO_ZONES = frozenset({"Factory", "localtime", "posixrules"})
_FIRST_DAY = date(1970, 1, 1)
_EMAIL = re.compile(r"[^\s@,;<>\"()]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z0-9-]{2,63}")
_TOPIC = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?")

SCHEDULE_NAME = re.compile(r"[0-9A-Za-z_.-]{1,64}")
"""CreateSchedule's pattern of Name."""


def _email(value: object) -> str:
    address = fixed_text(value)
    if not _EMAIL.fullmatch(address):
        message = f"`{address}` is not an e-mail address"
        raise mistake(_NOTIFY, message, "such as team@example.com")
    return address


Email: TypeAlias = Annotated[
    str, Scalar(_email, (("type", "string"), ("format", "email")), referable=False)
]


def check_topic(arn: str | None) -> str | None:
    """Return the ARN of an SNS topic; anything else is a `mistake`."""
    if arn is None or _TOPIC.fullmatch(arn):
        return arn
    advice = "such as arn:aws:sns:eu-central-1:111122223333:churn"
    raise mistake(_NOTIFY, f"`{arn}` is not the ARN of an SNS topic", advice)


class Schedule(SpecModel):
    """Times at which EventBridge Scheduler starts the pipeline; one of cron and rate."""

    one_of: ClassVar[tuple[str, ...]] = ("cron", "rate")

    cron: FixedText | None = Field(
        None,
        description="Minutes, hours, day of month, month, day of week and year, such as "
        "`0 3 * * ? *`; one of the two days is `?`.",
    )
    rate: FixedText | None = Field(None, description="An interval, such as `7 days`.")
    timezone: FixedText = Field("UTC", description="IANA time zone, such as Europe/Berlin.")
    parameters: dict[str, FixedScalar] = Field(
        default_factory=dict, description="Parameters of these starts, over the defaults."
    )

    @field_validator("cron")
    @classmethod
    def _fires(cls, text: str | None) -> str | None:
        return None if text is None else _cron(text).text

    @field_validator("rate")
    @classmethod
    def _is_a_rate(cls, text: str | None) -> str | None:
        from pipelines.spec.cron import ScheduleSyntaxError, parse_rate  # noqa: PLC0415 - seldom

        try:
            return None if text is None else parse_rate(text)
        except ScheduleSyntaxError as error:
            raise mistake(
                _SCHEDULE, error.problem, error.help, start=error.start, end=error.end
            ) from error

    @field_validator("timezone")
    @classmethod
    def _is_a_time_zone(cls, name: str) -> str:
        from zoneinfo import available_timezones  # noqa: PLC0415 - reads hundreds of files

        known = available_timezones() - _NO_ZONES
        if name in known or not known:  # a machine without the database cannot tell
            return name
        area = name.partition("/")[0]
        near = [zone for zone in sorted(known) if zone.partition("/")[0] == area]
        close = nearest(name, near or ("UTC", "GMT"))
        advice = f"did you mean `{close}`?" if close else "such as Europe/Berlin (IANA)"
        raise mistake(_SCHEDULE, f"there is no time zone `{name}`", advice)

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        self.check_one_of("such as `rate: 7 days`")
        return self

    @property
    def expression(self) -> str:
        """The expression as EventBridge Scheduler takes it."""
        return f"rate({self.rate})" if self.cron is None else f"cron({self.cron})"

    def fires_after(self, day: date) -> bool:
        """Return whether it fires on a day or later."""
        return self.cron is None or _cron(self.cron).next_day(day) is not None


class Notify(SpecModel):
    """Who hears of failed executions, waiting approvals and failed deployments."""

    email: list[Email] = Field(
        default_factory=no_entries,
        description="Addresses; each gets one message with a link that confirms it.",
    )
    topic: FixedText | None = Field(
        None, description="ARN of an SNS topic of one's own, in the pipeline's region."
    )

    @field_validator("topic")
    @classmethod
    def _is_a_topic(cls, arn: str | None) -> str | None:
        if arn is not None and arn.endswith(".fifo"):
            message, advice = "EventBridge cannot publish to a FIFO topic", "name a standard topic"
            raise mistake(_NOTIFY, message, advice)
        return check_topic(arn)

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not self.email and self.topic is None:
            raise mistake(
                _NOTIFY, "`notify` names nobody", "add `email:` or `topic:`, or remove it"
            )
        return self


def _cron(text: str) -> "Cron":
    from pipelines.spec.cron import ScheduleSyntaxError, parse_cron  # noqa: PLC0415 - seldom

    try:
        cron = parse_cron(text)
    except ScheduleSyntaxError as error:
        raise mistake(
            _SCHEDULE, error.problem, error.help, start=error.start, end=error.end
        ) from error
    if cron.next_day(_FIRST_DAY) is None:
        message = f"`{text}` never fires: no month and year of it has such a day"
        raise mistake(_SCHEDULE, message, "`L` is the last day of every month")
    return cron
