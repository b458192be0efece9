"""`serve --rules`: from a decision about a version to the endpoint, by the generated template."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pipelines.backends.aws.gateway import Gateway
from tests.functional.ci.cloud import FILES
from tests.functional.cli.in_process import run_in

APPROVAL = "ModelApprovalStatus"
NOTIFY = "notify:\n  email: [team@example.com]\n"


class Server:
    """A `serve --rules` of a project, and its log."""

    def __init__(self, folder: Path) -> None:
        words = [sys.executable, "-m", "pipelines", "serve", "--port", "0", "--rules", "infra"]
        self._process = subprocess.Popen(
            words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.lines: list[str] = []
        self._grew = threading.Condition()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self.line("no mail is sent")
        served = json.loads((folder / ".pipelines" / "serve.json").read_text())
        self.call = Gateway.local(served["url"], tuple(served["key"])).call

    def line(self, text: str, *, after: int = 0) -> str:
        """Wait for a line of the log that has a text; return it."""
        with self._grew:
            assert self._grew.wait_for(lambda: self.with_text(text, after) or self._ended, 120)
            assert self.with_text(text, after), "".join(self.lines)
            return self.with_text(text, after)[0]

    def with_text(self, text: str, after: int = 0) -> list[str]:
        """Return the lines that have a text."""
        return [one for one in self.lines[after:] if text in one]

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it."""
        self._process.send_signal(how)
        self._process.wait(60)
        self._reader.join(60)
        assert self._process.stdout is not None
        self._process.stdout.close()

    @property
    def _ended(self) -> bool:
        return not self._reader.is_alive()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._grew:
                self.lines.append(line)
                self._grew.notify_all()
        with self._grew:
            self._grew.notify_all()


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with the templates of its stacks, deployed locally, with two versions."""
    folder = tmp_path_factory.mktemp("tiny")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    spec = folder / "pipeline.yaml"
    spec.write_text(spec.read_text() + NOTIFY)
    git = ["git", "-c", "user.name=P", "-c", "user.email=p@example.com"]
    for words in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-qm", "first"]):
        subprocess.run([*git, *words], cwd=folder, check=True)
    _good(folder, "ci", "init", "--repository", "team/tiny")
    _good(folder, "upsert", "--local")
    _good(folder, "run")
    (folder / "data" / "factor").write_text("4")
    _good(folder, "run")
    return folder


@pytest.fixture
def project(prepared: Path, tmp_path: Path) -> Path:
    """A project with two versions that wait."""
    return Path(shutil.copytree(prepared, tmp_path / "tiny"))


def _good(folder: Path, *words: str) -> str:
    done = run_in(folder, *words)
    assert done.code == 0, done.out + done.err
    return done.out + done.err


@contextmanager
def _served(folder: Path) -> Iterator[Server]:
    server = Server(folder)
    try:
        yield server
    finally:
        server.stop()


def _arn(server: Server, number: int) -> str:
    listed = server.call("sagemaker", "list_model_packages", ModelPackageGroupName="tiny")
    found = {one["ModelPackageVersion"]: one for one in listed["ModelPackageSummaryList"]}
    return str(found[number]["ModelPackageArn"])


def _update(server: Server, number: int, **change: Any) -> None:
    arn = _arn(server, number)
    server.call("sagemaker", "update_model_package", ModelPackageArn=arn, **change)


def _started(server: Server, after: int) -> str:
    """Wait until a rule has started a deployment; return its id."""
    return server.line("started tiny-deploy", after=after).split()[-1]


def _deployed(folder: Path, server: Server, after: int) -> str:
    identifier = _started(server, after)
    _good(folder, "status", "--local", "--follow", identifier)
    return _good(folder, "invoke", "--local", "tiny", "--file", "serving/sample.json")


def test_a_decision_deploys_and_another_change_starts_nothing(project: Path) -> None:
    """Approved goes live, Rejected falls back, a description is nobody's business."""
    with _served(project) as server:
        _update(server, 1, **{APPROVAL: "Approved"})
        assert '"y": 42' in _deployed(project, server, 0)
        after = len(server.lines)
        _update(server, 2, **{APPROVAL: "Approved"})
        assert '"y": 8' in _deployed(project, server, after)

        after = len(server.lines)
        _update(server, 2, ApprovalDescription="audited")
        _update(server, 2, CustomerMetadataProperties={"audit": "1"})
        _update(server, 2, **{APPROVAL: "Rejected"})
        assert '"y": 42' in _deployed(project, server, after)
        assert len(server.with_text("started tiny-deploy")) == 3, "a change, an execution"

        after = len(server.lines)
        _update(server, 2, **{APPROVAL: "PendingManualApproval"})
        waits = server.line("waits for approval", after=after)
        assert "tiny-notifications is told (no mail is sent)" in waits
        assert waits.rstrip().endswith(_arn(server, 2))
        _started(server, after)


def test_approve_leaves_the_deployment_to_the_rule(project: Path) -> None:
    """It would be made twice; where nothing changes there is no event, so it is started here."""
    assert "tiny/1 is live" in _good(project, "approve", "--local", "tiny/1")
    with _served(project) as server:
        said = _good(project, "approve", "--local", "tiny/2")
        assert "an EventBridge rule starts tiny-deploy" in said
        assert '"y": 8' in _deployed(project, server, 0)
        again = _good(project, "approve", "--local", "tiny/2")
        assert "tiny/2 is already Approved" in again
        assert "started tiny-deploy" in again
        assert len(server.with_text("started tiny-deploy")) == 1
        after = len(server.lines)
        _good(project, "reject", "--local", "tiny/2")
        assert '"y": 42' in _deployed(project, server, after)


def test_what_happens_while_no_server_runs_is_told_by_the_next_one(project: Path) -> None:
    """The server was killed; another process changes the registry; nothing starts twice."""
    server = Server(project)
    server.stop(signal.SIGKILL)
    assert "tiny/2 is Approved" in _good(project, "approve", "--local", "tiny/2")
    with _served(project) as later:
        first = _started(later, 0)
        _good(project, "status", "--local", "--follow", first)
    with _served(project) as last:
        assert last.with_text("started tiny-deploy") == []


def test_a_rule_that_cannot_be_read_starts_nothing(prepared: Path, tmp_path: Path) -> None:
    """All that is wrong is said, with its place; no server begins."""
    template = (prepared / "infra" / "tiny.yaml").read_text()
    broken = template.replace("- exists: false", "- exits: false")
    assert broken != template
    (tmp_path / "tiny.yaml").write_text(broken)
    done = run_in(prepared, "serve", "--port", "0", "--rules", str(tmp_path))
    assert done.code == 3
    assert "`exits` is not an operator of event patterns" in done.err
    assert re.search(r"tiny\.yaml:\d+:\d+", done.err)
    assert "serving" not in done.out
