"""An account: moto's server behind a proxy that records every call and injects faults."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.cli.main import main
from tests.functional.aws.account import Account
from tests.functional.aws.command import Answer, Command
from tests.functional.aws.mends import PipelineMends
from tests.functional.aws.plan_files import PLAN
from tests.functional.aws.project import BUCKET, add_deployment, edit, write_project
from tests.functional.aws.proxy import Proxy, listening


class Terminal(io.StringIO):
    """A terminal, as far as it is asked."""

    def isatty(self) -> bool:
        """Say that somebody is there."""
        return True


@pytest.fixture(scope="session")
def moto() -> Iterator[tuple[str, int]]:
    """Start moto's server once; `account` empties it for every test."""
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 - takes two seconds

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    yield server.get_host_and_port()
    server.stop()


@pytest.fixture
def account(
    moto: tuple[str, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Account]:
    """Make an empty account with a bucket, and point boto3 at it."""
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    mends = PipelineMends()
    with listening(Proxy(moto, (mends,))) as proxy:
        environment = {
            "AWS_ENDPOINT_URL": proxy.url,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_CONFIG_FILE": str(tmp_path / "no-config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "no-credentials"),
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        made = Account(proxy, mends, environment)
        made.empty()
        yield made


@pytest.fixture
def project(account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a project whose bucket is there, and stand in it."""
    account.make_bucket(BUCKET)
    folder = tmp_path / "project"
    write_project(folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def pipelines(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Give commands to `main` in this process; somebody sits at a terminal when they type."""

    def command(*arguments: str | Path, typed: str | None = None) -> Answer:
        monkeypatch.setattr(sys, "argv", ["pipelines", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.StringIO() if typed is None else Terminal(typed))
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main()
        captured = capsys.readouterr()
        return Answer(int(left.value.code or 0), captured.out, captured.err)

    return command


@pytest.fixture
def reviewed(account: Account, project: Path, pipelines: Command) -> Path:
    """Deploy the project, change a script, and write the plan of that."""
    add_deployment(project)
    assert pipelines("upsert", "--yes").code == 0
    edit(project / "steps/train.py", "training", "training more")
    answer = pipelines(*PLAN)
    assert answer.code == 0, answer.err
    account.proxy.seen.clear()
    return project


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let botocore not wait between retries."""

    class Clock:
        @staticmethod
        def sleep(_: float) -> None:
            """Wait not at all."""

    monkeypatch.setattr("botocore.endpoint.time", Clock)


@pytest.fixture
def quick_following(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let whoever follows an execution look again at once instead of every few seconds."""
    monkeypatch.setattr("pipelines.execution.following._SECONDS", 0.01)
