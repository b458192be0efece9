"""What a terminal gets to see of somebody's data."""

from __future__ import annotations

import io
import logging
from pathlib import Path

import pytest

from pipelines.cli import main as main_module
from pipelines.cli.printing import echo, echo_data, escape_log_records, escaped, log_line, style
from pipelines.cli.progress.live import live
from pipelines.cli.progress.plain import Lines
from pipelines.cli.tables import columns
from pipelines.execution.events import Event, ExecutionStarted, StepEnded
from pipelines.execution.status import StepStatus

ATTACK = "a\x1b]0;title\x07\x1b[2Jb\x9b31mc\u202ed\r\x1b[31me\x7f"
SHOWN = r"a\x1b]0;title\x07\x1b[2Jb\x9b31mc\u202ed\r\x1b[31me\x7f"


def test_control_characters_are_shown_as_escapes() -> None:
    """Those of both sets, and those that turn the direction of writing."""
    assert escaped(ATTACK) == SHOWN
    assert escaped("a\tb\nä\u00a0\u3000\U0001f600") == "a\tb\nä\u00a0\u3000\U0001f600"
    assert escaped("\udcff") == "\\udcff"


def test_our_own_styles_pass_and_cannot_be_imitated() -> None:
    """Data that holds the sequence of a style is data."""
    assert escaped(style("x", fg="red", bold=True)) == "\x1b[31m\x1b[1mx\x1b[0m"
    assert escaped(style(ATTACK, fg="red")) == f"\x1b[31m{SHOWN}\x1b[0m"
    assert escaped("\x1b[31mx\x1b[0m") == r"\x1b[31mx\x1b[0m"


def test_a_log_is_printed_without_colours() -> None:
    """Of a line that a progress bar rewrote, the last state."""
    assert log_line("\x1b[1;32mok\x1b[0m") == "ok"
    assert log_line(" 10%\r 20%\r100%") == "100%"
    assert log_line("done\r") == "done"
    assert log_line("\x1b[2Jx") == r"\x1b[2Jx"


def test_data_for_programs_is_exact(capsys: pytest.CaptureFixture[str]) -> None:
    """A pipe is no terminal."""
    echo_data('{"a": "\x7f"}\n')
    echo(ATTACK)
    assert capsys.readouterr().out == f'{{"a": "\x7f"}}\n{SHOWN}\n'


def test_a_cell_cannot_end_its_row() -> None:
    """Or a description could look like a row of its own."""
    assert columns(("name",), [("a\nb",), (ATTACK,)]).splitlines() == ["name", "a\\nb", SHOWN]


EVENTS: list[Event] = [
    ExecutionStarted("id", "arn", "pipeline", (f"step{ATTACK}",)),
    StepEnded(f"step{ATTACK}", StepStatus.FAILED, 1.0, reason=ATTACK, log_tail=(ATTACK,)),
]


def test_progress_prints_no_control_character_of_a_job() -> None:
    """Neither as lines nor in the live table."""
    lines, table = io.StringIO(), io.StringIO()
    for event in EVENTS:
        Lines(lines)(event)
    with live(table) as observer:
        for event in EVENTS:
            observer(event)
    for stream in (lines, table):
        text = stream.getvalue()
        assert r"\x1b]0;title\x07" in text
        assert not set("\x1b\x07\x9b\u202e\r\x7f") & set(text)


@pytest.mark.parametrize("words", [["nothing\x1b[2J"], ["validate", "-f", "no\x1b[2Jsuch.yaml"]])
def test_a_message_about_an_argument_is_escaped(
    words: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name may come from a repository of somebody else's."""
    monkeypatch.setattr("sys.argv", ["pipelines", *words])
    with pytest.raises(SystemExit):
        main_module.main()
    printed = "".join(capsys.readouterr())
    assert r"\x1b[2J" in printed
    assert "\x1b" not in printed


def test_a_record_of_a_log_is_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its traceback, in which values of a request may stand."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    monkeypatch.setattr(logging, "lastResort", handler)
    escape_log_records()
    failure = (ValueError, ValueError(ATTACK), None)
    record = logging.makeLogRecord({"msg": ATTACK, "exc_info": failure})
    handler.emit(record)
    assert stream.getvalue() == f"{SHOWN}\nValueError: {SHOWN}\n"


def test_every_command_prints_through_one_function() -> None:
    """Only the reports of diagnostics, which are escaped where they are written, do not."""
    folder = Path(main_module.__file__).parent
    direct = [
        file.name for file in folder.rglob("*.py") if "click.echo(" in file.read_text("utf-8")
    ]
    assert sorted(direct) == ["options.py", "printing.py"]
