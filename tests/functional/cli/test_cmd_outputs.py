"""`outputs`: everything that an execution left has an address."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.functional.cli.conftest import Command


@pytest.fixture
def ran(project: Path, pipelines: Command) -> Path:
    """Run the project twice, the second time with other rows."""
    for count in ("3", "4"):
        assert pipelines("run", "-p", f"count={count}").code == 0
    return project


def table(text: str) -> dict[str, list[str]]:
    """Read the rows of outputs: address → the other cells."""
    rows = (line.split() for line in text.splitlines())
    return {row[0]: row[1:] for row in rows if row and "." in row[0]}


def test_each_output_is_named_with_its_size_and_a_path_that_can_be_opened(
    ran: Path, pipelines: Command
) -> None:
    """From the current folder; the URI stands in JSON and with the output itself."""
    answer = pipelines("outputs", "--local")
    assert answer.code == 0, answer.err
    rows = table(answer.out)
    assert rows["make.rows"][:4] == ["data", "1", "20", "bytes"]
    assert Path(rows["make.rows"][4]).read_text("utf-8").split() == ["word"] * 4
    assert json.loads((ran / rows["make.figures"][4]).read_text("utf-8")) == {"count": 4}
    assert rows["make.figures"][0] == "report"
    assert rows["make.figures.count"] == ["4"], "the metric"
    said = json.loads(pipelines("outputs", "--local", "--format", "json").out)
    by_address = {one["address"]: one for one in said["outputs"]}
    assert by_address["make.rows"]["uri"].startswith("s3://team-bucket/small/runs/")
    assert said["metrics"] == {"make.figures.count": 4}


@pytest.mark.usefixtures("ran")
def test_an_earlier_execution_is_named_by_how_many_came_after_it(pipelines: Command) -> None:
    """`latest~1`; of one that there is not, the latest are named."""
    earlier = json.loads(pipelines("outputs", "--local", "latest~1", "--format", "json").out)
    assert earlier["metrics"] == {"make.figures.count": 3}
    refused = pipelines("outputs", "--local", "latest~2")
    assert refused.code == 2
    assert "there is no execution `latest~2`" in refused.err


@pytest.mark.usefixtures("ran")
def test_one_word_is_an_output_of_the_latest_execution_or_an_execution(
    pipelines: Command,
) -> None:
    """A misspelt step or output is answered with the one that was probably meant."""
    one = pipelines("outputs", "--local", "make.rows")
    assert "make.rows: s3://team-bucket/small/runs/" in one.out
    assert "rows.txt" in one.out
    execution = pipelines("outputs", "--local").out.split()[0]
    assert pipelines("outputs", "--local", execution).out.startswith(execution)
    for wrong, meant in (("make.row", "make.rows"), ("mke", "make"), ("maek.x", "make")):
        answer = pipelines("outputs", "--local", wrong)
        assert answer.code == 2, wrong
        assert f"did you mean `{meant}`?" in answer.err, wrong


def test_outputs_of_a_cached_step_are_those_of_the_execution_that_wrote_them(
    project: Path, pipelines: Command
) -> None:
    """Which is named."""
    spec = project / "pipeline.yaml"
    cached = spec.read_text("utf-8").replace("defaults:\n", "defaults:\n  cache: 30d\n")
    spec.write_text(cached, "utf-8")
    for _ in range(2):
        assert pipelines("run").code == 0
    first = pipelines("outputs", "--local", "latest~1").out.split()[0]
    answer = pipelines("outputs", "--local")
    assert table(answer.out)["make.rows"][5:] == ["from", first]
    assert Path(table(answer.out)["make.rows"][4]).is_file()
    pipelines("prune", "--local", "--yes")
    assert "make.rows" in pipelines("outputs", "--local").out


def test_copying_never_writes_over_anything(ran: Path, pipelines: Command) -> None:
    """Into a new folder, one folder for each output."""
    answer = pipelines("outputs", "--local", "make", "--copy", "kept")
    assert answer.code == 0, answer.err
    assert answer.out == "copied 2 files to kept\n"
    assert (ran / "kept/make/rows/rows.txt").read_text("utf-8").split() == ["word"] * 4
    refused = pipelines("outputs", "--local", "make", "--copy", "kept")
    assert refused.code == 2
    assert "kept is not empty" in refused.err


def test_opening_says_the_path_where_there_is_no_desktop(
    ran: Path, pipelines: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An output has to be named."""
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    answer = pipelines("outputs", "--local", "make", "--open")
    assert answer.code == 0, answer.err
    assert (ran / answer.out.strip()).name == "figures.json"
    assert "name one of: make.rows, make.figures" in pipelines("outputs", "--local", "--open").err


@pytest.mark.usefixtures("ran")
def test_the_status_of_an_execution_names_the_command_for_its_outputs(
    pipelines: Command,
) -> None:
    """With the options that lead there."""
    shown = pipelines("status", "--local", "latest").out
    execution = shown.partition(":")[0]
    assert shown.splitlines()[-1] == (
        f"outputs, reports and metrics: pipelines outputs --local {execution}"
    )


def test_a_copy_goes_into_a_folder_or_nowhere(ran: Path, pipelines: Command) -> None:
    """A file is in the way; and `--open` shows what is there, not a copy."""
    (ran / "taken").write_text("mine", "utf-8")
    for folder in ("taken", "taken/below"):
        answer = pipelines("outputs", "--local", "make", "--copy", folder)
        assert answer.code == 2
        assert f"{folder} cannot be written" in answer.err
    assert (ran / "taken").read_text("utf-8") == "mine"
    both = pipelines("outputs", "--local", "make", "--copy", "new", "--open")
    assert both.code == 2
    assert "--open and --copy exclude each other" in both.err
    assert not (ran / "new").exists()


def test_a_report_that_nobody_can_read_is_a_file_like_others(ran: Path, pipelines: Command) -> None:
    """JSON may be deeper than Python reads, or hold an integer that no float can be."""
    pages = ("outputs", "report", "compare")
    for content in ("[" * 100_000 + "]" * 100_000, f'{{"n": 1{"0" * 400}}}'):
        for file in (ran / ".pipelines/s3").rglob("figures.json"):
            file.write_text(content, "utf-8")
        for command in pages:
            words = ("latest~1", "latest") if command == "compare" else ()
            answer = pipelines(command, "--local", *words)
            assert answer.code == 0, answer.err
        said = json.loads(pipelines("outputs", "--local", "--format", "json").out)
        assert said["metrics"] == {}


def test_what_a_failed_step_wrote_is_in_its_folder(project: Path, pipelines: Command) -> None:
    """No output was uploaded, as in the service, and the command does not look as if one was."""
    script = next((project / "steps").glob("*.py"))
    script.write_text(script.read_text("utf-8") + "\nraise SystemExit(3)\n", "utf-8")
    assert pipelines("run").code == 5
    answer = pipelines("outputs", "--local")
    assert answer.code == 0, answer.err
    [row] = [line for line in answer.out.splitlines() if line.startswith("make.rows")]
    assert row.endswith("its step failed")
    [line] = [line for line in answer.out.splitlines() if line.startswith("make: ")]
    folder = Path(line.partition("its folder is kept: ")[2])
    assert [file.name for file in folder.rglob("rows.txt")] == ["rows.txt"]
