"""Cron and rate as EventBridge Scheduler takes them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from pipelines.spec.cron import ScheduleSyntaxError, parse_cron, parse_rate

START = date(2027, 1, 1)  # a Friday


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("0 3 * * ? *", date(2027, 1, 1)),
        ("0 3 ? * MON *", date(2027, 1, 4)),
        ("0 3 ? * 2 *", date(2027, 1, 4)),  # 1 is Sunday
        ("0 3 ? * FRI-MON *", date(2027, 1, 1)),
        ("0 3 ? * SAT *", date(2027, 1, 2)),
        ("0 3 ? * L *", date(2027, 1, 2)),
        ("0 3 ? * 6L *", date(2027, 1, 29)),
        ("0 3 ? * 2#2 *", date(2027, 1, 11)),
        ("0 3 ? 2/3 mon#5 *", date(2027, 5, 31)),
        ("0 3 29 2 ? *", date(2028, 2, 29)),
        ("0 3 L 2 ? *", date(2027, 2, 28)),
        ("0 3 LW 2 ? *", date(2027, 2, 26)),
        ("0 3 2W 1 ? *", date(2027, 1, 1)),  # the 2nd is a Saturday
        ("0 3 1W 5 ? *", date(2027, 5, 3)),  # never into the month before
        ("0 3 31W JAN ? *", date(2027, 1, 29)),  # nor into the next
        ("0 3 10-12/2 3 ? 2029-2030", date(2029, 3, 10)),
        ("cron(0 3 1 1 ? 2199)", date(2199, 1, 1)),
    ],
)
def test_the_next_day_is_the_first_that_matches(text: str, first: date) -> None:
    """Counted by hand on a calendar of 2027."""
    assert parse_cron(text).next_day(START) == first


@pytest.mark.parametrize(
    "text", ["0 0 31 2 ? *", "0 0 30-31 FEB ? *", "0 0 29 2 ? 2027", "0 0 31W 4 ? *"]
)
def test_a_day_that_no_month_has_never_comes(text: str) -> None:
    """The scheduler takes such an expression and never starts anything."""
    assert parse_cron(text).next_day(date(1970, 1, 1)) is None


def test_a_range_over_the_end_goes_on_at_the_beginning() -> None:
    """FRI-MON is four days; a step counts on over the end."""
    cron = parse_cron("0 22-3/2 ? * FRI-MON *")
    assert sorted(cron.values[1]) == [0, 2, 22]
    days = [START + timedelta(days=n) for n in range(7)]
    fires = [day.strftime("%a") for day in days if cron.next_day(day) == day]
    assert fires == ["Fri", "Sat", "Sun", "Mon"]


@pytest.mark.parametrize(
    "text",
    ["", "0 3 * *", "60 3 * * ? *", "0 3 0 * ? *", "0 3 * 13 ? *", "0 3 * * ? 1969", "0 3 * * ? L",
     "*-3 3 * * ? *", "0/0 3 * * ? *", "0 3 1,, * ? *", "0 3 ?,1 * ? *", "? 3 * * ? *",
     "0 3 32W * ? *", "0 3 ? * MON#0 *", "rate(1 day)",
     "0 3 ? * MON/2 *", "0 3 ? * */2 *", "0 3 ? * 2#1,2#3 *", "0 3 ? * MON,6#3 *",
     f"0 {'3,' * 130}4 * * ? *", f"0/{'9' * 5000} 3 * * ? *"],
)  # fmt: skip
def test_what_the_scheduler_refuses_is_refused(text: str) -> None:
    """Each field has its numbers; `?` stands for days only, and alone."""
    with pytest.raises(ScheduleSyntaxError):
        parse_cron(text)


def test_five_fields_of_elsewhere_are_shown_as_six() -> None:
    """There Monday is 1, here 2: the advice names the day."""
    with pytest.raises(ScheduleSyntaxError) as error:
        parse_cron("30 6 * * 1-5")
    assert error.value.help is not None
    assert "`30 6 ? * MON-FRI *`" in error.value.help


def test_the_advice_for_five_fields_is_accepted() -> None:
    """Whatever five fields hold that are right elsewhere."""
    for text in (
        "0 3 * * *",
        "*/5 * * * *",
        "0 0 1 * *",
        "0 12 * * 0",
        "0 12 * * 7",
        "5 4 * * 1,3",
    ):
        with pytest.raises(ScheduleSyntaxError) as error:
            parse_cron(text)
        assert error.value.help is not None
        assert parse_cron(error.value.help.split("`")[1]).next_day(START) is not None


@pytest.mark.parametrize(
    ("text", "rate"),
    [("1 day", "1 day"), ("rate(12 hours)", "12 hours"), (" 5  minutes ", "5 minutes")],
)
def test_a_rate_is_a_number_with_its_unit(text: str, rate: str) -> None:
    """`rate(…)` may stand around it, as in the scheduler's own syntax."""
    assert parse_rate(text) == rate


@pytest.mark.parametrize(
    "text",
    ["1 days", "2 day", "0 days", "-1 days", "1.5 hours", "7", "1 week", f"{'9' * 5000} days"],
)
def test_a_rate_that_is_refused(text: str) -> None:
    """The unit agrees with the number, which is whole and at least 1."""
    with pytest.raises(ScheduleSyntaxError):
        parse_rate(text)
