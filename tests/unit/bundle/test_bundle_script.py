"""What runs a script."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.bundle.script import how_started
from pipelines.testing.jobs import Jobs


@pytest.mark.parametrize(
    ("path", "content", "command"),
    [
        ("a.py", b"", ()),
        ("a.py", b"#!/bin/sh", ()),
        ("a", b"#!/usr/bin/env python3\n", ()),
        ("a", b"#!/opt/venv/bin/python3.12 -u", ()),
        ("a.sh", b"echo", ("sh",)),
        ("a.SH", b"", ("sh",)),
        ("a.bash", b"", ("bash",)),
        ("a.R", b"", ("Rscript",)),
        ("a.sh", b"#!/bin/bash -e\r\n", ("/bin/bash", "-e")),
        ("a", b"#!/usr/bin/env -S bash -e\n", ("/usr/bin/env", "bash", "-e")),
        ("a.txt", b"#!/bin/sh\n", ("/bin/sh",)),
    ],
)
def test_suffix_or_first_line_decide(path: str, content: bytes, command: tuple[str, ...]) -> None:
    """A Python file is Python; else the first line goes before the suffix."""
    started = how_started(path, content)
    assert started is not None
    assert started.command == command


@pytest.mark.parametrize(
    ("path", "content"),
    [("a", b""), ("a.ipynb", b"{}"), ("a.jl", b"println(1)"), ("a", b"#!"), ("a", b"\xff\xfe\x00")],
)
def test_what_nothing_is_known_of_is_not_guessed(path: str, content: bytes) -> None:
    """A notebook, a binary, an empty file."""
    assert how_started(path, content) is None


def test_a_shell_script_runs_with_its_arguments(tmp_path: Path) -> None:
    """In a job as the runtime starts it, without an executable bit."""
    project = tmp_path / "project"
    project.mkdir()
    (project / "run.sh").write_text('echo "$1 $2 in $SM_OUT_OUT" > "$SM_OUT_OUT/said"\nexit 3\n')
    job = Jobs(tmp_path / "jobs", project).processing(
        "run.sh", outputs=["out"], arguments={"key": "a b"}
    )
    result = job.run()
    assert result.exit_code == 3
    assert result.outputs["out"].joinpath("said").read_text().startswith("--key a b in ")
