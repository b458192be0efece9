"""What a model's folder holds becomes files, or is said to be left out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipelines.runtime.links import replace_links


def test_what_holds_nothing_is_removed_and_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Pipes and devices, links to them, also in what a link leads to; files stay."""
    model, elsewhere = tmp_path / "model", tmp_path / "elsewhere"
    model.mkdir()
    elsewhere.mkdir()
    (model / "weights").write_text("w")
    os.mkfifo(model / "pipe")
    (model / "null").symlink_to("/dev/null")
    (elsewhere / "more").write_text("m")
    os.mkfifo(elsewhere / "pipe")
    (model / "linked").symlink_to(elsewhere)
    replace_links(model)
    found = {str(one.relative_to(model)) for one in model.rglob("*") if one.is_file()}
    assert found == {"weights", "linked/more"}
    assert not any(one.is_fifo() or one.is_symlink() for one in model.rglob("*"))
    assert sorted(capsys.readouterr().err.splitlines()) == [
        f"pipelines: {model / name} is a pipe, a socket or a device: removed"
        for name in ("linked/pipe", "null", "pipe")
    ]
    assert (elsewhere / "pipe").is_fifo()
