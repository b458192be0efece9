"""Diagnostics as people see them, byte by byte."""

from __future__ import annotations

from pipelines.diagnostics import Diagnostic, Severity, Span, render_text
from pipelines.diagnostics.excerpts import excerpt, visible


def _found(  # noqa: PLR0913 - each argument is one part of a diagnostic
    line: int,
    column: int,
    end_column: int,
    *,
    message: str = "wrong",
    help: str | None = None,
    severity: Severity = Severity.ERROR,
) -> Diagnostic:
    span = Span("p.yaml", line, column, line, end_column)
    return Diagnostic("SP102", message, severity, span, (), help)


def test_a_diagnostic_has_the_form_of_the_design() -> None:
    """Place, code, problem, the line, carets as wide as the span, and the help."""
    text = "\n" * 30 + "    instance_cout: 2\n"
    found = Diagnostic(
        "SP102",
        "unknown key `instance_cout` in a `training` step",
        Severity.ERROR,
        Span("pipeline.yaml", 31, 5, 31, 18),
        ("steps", "train", "instance_cout"),
        "did you mean `instance_count`?",
    )
    assert render_text([found], {"pipeline.yaml": text}, colour=False) == (
        "pipeline.yaml:31:5: error[SP102]: unknown key `instance_cout` in a `training` step\n"
        "   |\n"
        "31 |     instance_cout: 2\n"
        "   |     ^^^^^^^^^^^^^\n"
        "   = help: did you mean `instance_count`?\n"
        "\n"
        "1 error\n"
    )


def test_several_are_sorted_by_place_and_counted() -> None:
    """Errors and warnings are counted apart."""
    found = [
        _found(2, 1, 2, severity=Severity.WARNING),
        _found(1, 4, 5),
        _found(1, 1, 2, help="first\nsecond"),
    ]
    assert render_text(found, {"p.yaml": "a: b\nc: d\n"}, colour=False) == (
        "p.yaml:1:1: error[SP102]: wrong\n"
        "  |\n"
        "1 | a: b\n"
        "  | ^\n"
        "  = help: first\n"
        "          second\n"
        "\n"
        "p.yaml:1:4: error[SP102]: wrong\n"
        "  |\n"
        "1 | a: b\n"
        "  |    ^\n"
        "\n"
        "p.yaml:2:1: warning[SP102]: wrong\n"
        "  |\n"
        "2 | c: d\n"
        "  | ^\n"
        "\n"
        "2 errors, 1 warning\n"
    )


def test_nothing_is_printed_of_nothing() -> None:
    """No diagnostics, no summary."""
    assert render_text([], {}, colour=True) == ""


def test_a_diagnostic_without_a_place_has_no_excerpt() -> None:
    """A file that cannot be read has no lines; nor has one whose text is not at hand."""
    lost = Diagnostic("SP111", "`p.yaml`: there is no such file", Severity.ERROR, None, (), "look")
    assert render_text([lost], {}, colour=False) == (
        "error[SP111]: `p.yaml`: there is no such file\n = help: look\n\n1 error\n"
    )
    assert render_text([_found(3, 1, 2)], {}, colour=False) == (
        "p.yaml:3:1: error[SP102]: wrong\n\n1 error\n"
    )


def test_of_several_lines_the_first_is_shown() -> None:
    """The carets run to its end."""
    found = Diagnostic("SP102", "m", Severity.ERROR, Span("p.yaml", 1, 4, 3, 2), ())
    shown = render_text([found], {"p.yaml": "a: |\n  x\n"}, colour=False)
    assert shown.split("\n")[2:4] == ["1 | a: |", "  |    ^"]


def test_colours_are_a_few_ansi_codes() -> None:
    """Without them the text is the same."""
    found = [_found(1, 1, 2, help="do")]
    plain = render_text(found, {"p.yaml": "a: b"}, colour=False)
    coloured = render_text(found, {"p.yaml": "a: b"}, colour=True)
    assert "\x1b[1;31merror[SP102]\x1b[0m" in coloured
    for code in ("\x1b[1;31m", "\x1b[1;34m", "\x1b[1m", "\x1b[0m"):
        coloured = coloured.replace(code, "")
    assert coloured == plain


def test_carets_stand_under_wide_characters_and_tabs() -> None:
    """A tab is four columns, a wide character two, a combining one none."""
    assert excerpt("a:\tb", 4, 5) == ("a:    b", "      ^")
    assert excerpt("日本: b", 5, 6) == ("日本: b", "      ^")
    assert excerpt("日本: b", 1, 3) == ("日本: b", "^^^^")
    assert excerpt("e\u0301: b", 5, 6) == ("e\u0301: b", "   ^")
    assert excerpt("abc", 4, 4) == ("abc", "   ^")
    assert excerpt("", 1, 9) == ("", "^")


def test_long_lines_are_cut_around_the_place() -> None:
    """A definition on one line still shows where the mistake is."""
    line = "x" * 5000 + "HERE" + "y" * 5000
    shown, carets = excerpt(line, 5001, 5005)
    assert len(shown) <= 140
    start = carets.index("^")
    assert shown[start : start + 4] == "HERE"
    assert (shown[0], shown[-1], len(carets)) == ("…", "…", start + 4)
    ends, _ = excerpt(line, 9999, 20000)
    assert ends.startswith("…")
    assert ends.endswith("y")
    assert len(excerpt(line, 5001, 9000)[1]) <= 140


def test_no_control_character_reaches_the_terminal() -> None:
    """A file cannot move the cursor or change colours."""
    assert visible("a\x1b[31mb\n") == "a\\x1b[31mb\n"
    shown = render_text([_found(1, 1, 2, message="\x07")], {"p.yaml": "a\x1b[2Jb"}, colour=False)
    assert "\x1b" not in shown
    assert "\x07" not in shown
