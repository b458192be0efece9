"""`plan -o`: what the file holds, where it is written, and that nothing else is taken for one."""

from __future__ import annotations

import hashlib
import json
import stat
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.json_types import JsonObject
from pipelines.plan.saved import digest_of
from tests.functional.aws.account import Account
from tests.functional.aws.command import Command
from tests.functional.aws.plan_files import PLAN, UPSERT, refused
from tests.functional.aws.project import PIPELINE


def test_the_same_state_gives_the_same_bytes(
    account: Account, reviewed: Path, pipelines: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In another checkout, at another time, in another time zone."""
    del account
    first = (reviewed / "plan.json").read_bytes()
    elsewhere = reviewed.parent / "elsewhere"
    reviewed.rename(elsewhere)
    monkeypatch.chdir(elsewhere)
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    try:
        assert pipelines("plan", "-o", "again.json").code == 0
        assert (elsewhere / "again.json").read_bytes() == first
        assert pipelines(*UPSERT).code == 0
    finally:
        monkeypatch.undo()
        time.tzset()


def test_the_file_says_what_was_reviewed(reviewed: Path) -> None:
    """The plan as `--format json` has it, and what it was made from."""
    content = json.loads((reviewed / "plan.json").read_text())
    assert content["plan"]["pipelines"][1]["action"] == "update"
    assert content["target"]["account"] == "123456789012"
    assert set(content["compiled"]["definitions"]) == {PIPELINE, f"{PIPELINE}-deploy"}


def _edited(content: JsonObject) -> JsonObject:
    content["compiled"]["settings"]["role"] = "arn:aws:iam::123456789012:role/admin"
    return content


def _hashed(content: JsonObject) -> JsonObject:
    return {**content, "sha256": digest_of(content)}


EDITS: dict[str, tuple[Callable[[JsonObject], object], str]] = {
    "edited": (_edited, "was edited, or is damaged"),
    "edited and hashed again": (lambda c: _hashed(_edited(c)), "role: arn:aws:iam::123456789012"),
    "newer": (lambda c: {**c, "version": 2}, "has version 2 of the plan file; this tool knows 1"),
    "of no version": (lambda c: {**c, "version": "x"}, "has version x of the plan file"),
    "of another tool": (lambda c: _hashed({**c, "tool": "0.0.1"}), "written by version 0.0.1"),
    "without a target": (lambda c: _hashed({**c, "target": 3}), "was made with"),
    "without contents": (
        lambda c: _hashed({**c, "compiled": [], "deployed": None}),
        "no longer holds",
    ),
    "a list": (lambda _: [1], "is not a plan file"),
    "the plan alone": (lambda c: c["plan"], "it is what `plan --format json` prints"),
}


@pytest.mark.parametrize("kind", EDITS)
def test_a_file_that_is_not_as_it_was_written_is_refused(
    account: Account, reviewed: Path, pipelines: Command, kind: str
) -> None:
    """Edited, from another version, or something else."""
    path = reviewed / "plan.json"
    change, said = EDITS[kind]
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    assert said in refused(account, pipelines).err


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"{", b"[" * 100_000, b"NaN"])
def test_a_file_that_is_no_json_is_refused(
    account: Account, reviewed: Path, pipelines: Command, content: bytes
) -> None:
    """With one sentence."""
    (reviewed / "plan.json").write_bytes(content)
    assert "plan.json is not a plan file" in refused(account, pipelines).err


def test_a_file_that_is_only_laid_out_anew_still_holds(
    account: Account, reviewed: Path, pipelines: Command
) -> None:
    """The hash is over the contents."""
    path = reviewed / "plan.json"
    path.write_text(json.dumps(json.loads(path.read_text()), ensure_ascii=False))
    assert pipelines(*UPSERT).code == 0
    assert account.proxy.changes() == ["PutObject", "UpdatePipeline"]


def test_a_missing_file_and_a_folder_are_refused(
    account: Account, reviewed: Path, pipelines: Command
) -> None:
    """With what to type."""
    (reviewed / "plan.json").unlink()
    assert "cannot be read: No such file" in refused(account, pipelines).err
    (reviewed / "plan.json").mkdir()
    assert "cannot be read: Is a directory" in refused(account, pipelines).err


PLACES_TO_WRITE = {
    "missing/plan.json": "there is no folder missing",
    "steps": "steps is a folder",
    "pipeline.yaml": "pipeline.yaml is not a plan file: it is not replaced",
    "link-to-spec": "is not a plan file: it is not replaced",
    "pipeline.yaml/plan.json": "pipeline.yaml is not a folder",
    "-": "write -o plan.json",
}


@pytest.mark.parametrize("place", PLACES_TO_WRITE)
def test_a_place_where_no_plan_can_be_written_is_refused_first(
    account: Account, project: Path, pipelines: Command, place: str
) -> None:
    """Before anything is asked of the account; nothing is overwritten."""
    (project / "link-to-spec").symlink_to("pipeline.yaml")
    before = hashlib.sha256((project / "pipeline.yaml").read_bytes()).digest()
    answer = pipelines("plan", "-o", place)
    assert answer.code == 2
    assert PLACES_TO_WRITE[place] in answer.err
    assert account.proxy.seen == []
    assert hashlib.sha256((project / "pipeline.yaml").read_bytes()).digest() == before


def test_a_link_stays_and_a_device_takes_it(
    account: Account, project: Path, pipelines: Command
) -> None:
    """The file that a link leads to is replaced at once, or made."""
    del account
    (project / "out").mkdir()
    (project / "plan.json").symlink_to("out/real.json")
    for _ in range(2):
        assert pipelines(*PLAN).code == 0
    assert (project / "plan.json").is_symlink()
    assert json.loads((project / "out/real.json").read_text())["version"] == 1
    assert [one.name for one in (project / "out").iterdir()] == ["real.json"]
    assert pipelines("plan", "-o", "/dev/null").code == 0
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_check_writes_the_file_too(account: Account, project: Path, pipelines: Command) -> None:
    """And ends with 6, as without; with 0 when there is nothing to do."""
    del account
    assert pipelines(*PLAN, "--check").code == 6
    assert pipelines(*UPSERT).code == 0
    assert pipelines(*PLAN, "--check").code == 0
    assert pipelines(*UPSERT).code == 0
    assert (project / "plan.json").exists()
