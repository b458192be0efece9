"""Durations: what ISO 8601 says, what people write, and what they mean by it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.grammar.durations import meant, parse_iso, parse_loose, parse_short

DAY = 86400
AMOUNTS = st.lists(st.none() | st.integers(0, 500), min_size=7, max_size=7).filter(any)


def _written(amounts: list[int | None]) -> str:
    parts = [
        "" if amount is None else f"{amount}{unit}"
        for amount, unit in zip(amounts, "YMWDHMS", strict=True)
    ]
    date, time = "".join(parts[:4]), "".join(parts[4:])
    return f"P{date}T{time}" if time else f"P{date}"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("P30D", 30 * DAY),
        ("PT1H30M", 5400),
        ("P1W", 7 * DAY),
        ("P1Y2M", 425 * DAY),
        ("pt5s", 5),
        ("30d", 30 * DAY),
        ("T12H", DAY // 2),
        ("30m", 1800),
        ("P30m", 900 * DAY),
    ],
)
def test_a_duration_of_a_definition_has_its_seconds(text: str, seconds: int) -> None:
    """A year is 365 days, a month 30; AWS's own examples leave out the `P`."""
    found = parse_loose(text)
    assert found is not None
    assert found.seconds == seconds


@pytest.mark.parametrize("text", ["P", "PT", "T", "1x", "-1D", "", "P30DT", "30 days", "³d"])
def test_other_texts_are_no_durations(text: str) -> None:
    """Neither in a spec nor in a definition."""
    assert parse_loose(text) is parse_iso(text) is parse_short(text) is None


@pytest.mark.parametrize(
    ("text", "iso"),
    [("30d", "P30D"), ("12 h", "PT12H"), ("90m", "PT90M"), ("90min", "PT90M"), ("2w", "P2W")],
)
def test_the_spec_writes_one_number_and_one_unit(text: str, iso: str) -> None:
    """The definition has ISO 8601."""
    found = parse_short(text)
    assert found is not None
    assert found.iso == iso


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("P7d", "P7D"),
        ("30d", "P30D"),
        ("T12H", "PT12H"),
        ("P12H", "PT12H"),
        ("12h30m", "PT12H30M"),
        ("P1DT2H3M", "P1DT2H3M"),
        ("30 days", "P30D"),
        ("1 Month", "P1M"),
        ("P2M", "P2M"),
        ("PT2M", "PT2M"),
        ("90 minutes", "PT90M"),
        ("PT7D", "P7D"),
        ("soon", None),
        ("30", None),
        ("d30", None),
        ("1d1d", None),
        ("-1d", None),
        ("", None),
    ],
)
def test_the_right_form_of_another_text_is_known(text: str, iso: str | None) -> None:
    """As far as anybody can know what was meant."""
    assert meant(text) == iso


@given(AMOUNTS)
def test_iso_8601_is_read_back_as_it_was_written(amounts: list[int | None]) -> None:
    """Every way to read agrees with the strict one on what is right."""
    text = _written(amounts)
    found = parse_iso(text)
    assert found is not None
    assert found.iso == meant(text) == text
    assert parse_loose(text) == parse_loose(text.lower()) == found


@given(st.text("PT0123 dhmwYMDH", max_size=9))
def test_what_is_read_at_all_is_read_as_iso_8601(text: str) -> None:
    """The form that is written in its place means the same."""
    for found in (parse_short(text), parse_loose(text)):
        if found is not None:
            assert parse_iso(found.iso) == found
