"""The state file: journals, transactions, locks."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from pipelines.backends.local.jobs.description import described as describe
from pipelines.backends.local.jobs.kind import require_kind
from pipelines.backends.local.state.database import Database, dumps, journal_from
from pipelines.backends.local.state.endpoints import EndpointRecord
from pipelines.backends.local.state.executions import StepRecord
from pipelines.backends.local.state.local_state import LocalState
from pipelines.backends.local.state.locks import LOCK_FILE, is_running, running
from pipelines.errors import UsageError
from pipelines.execution.status import StepStatus

MOUNTS = """\
/dev/vda / ext4 rw 0 0
fs-1:/ /efs nfs4 rw 0 0
/dev/vdb /efs/local ext4 rw 0 0
server:/x /with\\040space nfs rw 0 0
tmpfs /tmp tmpfs rw 0 0
"""


@pytest.mark.parametrize(
    ("folder", "journal"),
    [
        ("/home/me/.pipelines", "WAL"),
        ("/efs/me/.pipelines", "DELETE"),
        ("/efs/local/.pipelines", "WAL"),
        ("/efsother", "WAL"),
        ("/with space/p", "DELETE"),
        ("/tmp/p", "WAL"),  # noqa: S108 no file is made there
    ],
)
def test_network_file_systems_get_no_write_ahead_log(folder: str, journal: str) -> None:
    """The deepest mount of the folder decides; WAL needs shared memory."""
    assert journal_from(PurePosixPath(folder), MOUNTS) == journal


def test_a_transaction_that_raises_leaves_nothing_behind(tmp_path: Path) -> None:
    """And the next one works."""
    insert = "INSERT INTO tags (arn, key, value) VALUES ('a', ?, 'v')"
    with Database(tmp_path) as database:
        with pytest.raises(sqlite3.IntegrityError), database.transaction() as connection:
            connection.executemany(insert, [("lost",), ("lost",)])
        with database.transaction() as connection:
            connection.execute(insert, ("kept",))
        assert [row["key"] for row in database.read("SELECT key FROM tags")] == ["kept"]


def test_two_connections_see_each_others_commits(tmp_path: Path) -> None:
    """Two processes on one folder are two connections."""
    with Database(tmp_path) as one, Database(tmp_path) as other:
        with one.transaction() as connection:
            connection.execute("INSERT INTO tags (arn, key, value) VALUES ('a', 'k', 'v')")
        assert len(other.read("SELECT * FROM tags")) == 1


def test_the_hook_is_called_after_each_commit(tmp_path: Path) -> None:
    """Where the crash tests end the process."""
    commits: list[int] = []
    with Database(tmp_path, lambda: commits.append(1)) as database:
        for _ in range(3):
            with database.transaction():
                pass
    assert len(commits) == 3


def test_values_that_are_no_json_are_our_bug() -> None:
    """They are not written as their repr."""
    with pytest.raises(TypeError):
        dumps({"x": object()})


HOLDER = """
import sys
from pathlib import Path
from pipelines.backends.local.state.locks import running
with running(Path(sys.argv[1]), "x"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_lock_ends_with_its_process(tmp_path: Path) -> None:
    """Even by SIGKILL; the message names the process that holds it."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert is_running(tmp_path)
        with pytest.raises(UsageError) as raised, running(tmp_path, "x"):
            pass
        assert raised.value.problem == f"execution x is running in process {holder.pid}"
        holder.kill()
        holder.wait()
    assert not is_running(tmp_path)
    with running(tmp_path, "x"):
        assert (tmp_path / LOCK_FILE).read_text(encoding="ascii") == str(os.getpid())


def test_a_folder_without_a_lock_is_run_by_nobody(tmp_path: Path) -> None:
    """An execution that was started and never run."""
    assert not is_running(tmp_path)


@pytest.mark.parametrize("mode", [None, 0o755, 0o777])
def test_the_folder_is_its_owners_alone(tmp_path: Path, mode: int | None) -> None:
    """Also one that an earlier version created for everybody."""
    home = tmp_path / ".pipelines"
    if mode is not None:
        home.mkdir()
        home.chmod(mode)
    Database(home).close()
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_a_state_of_an_earlier_version_is_upgraded_where_it_lies(tmp_path: Path) -> None:
    """Its rows stay; the second connection finds nothing left to do."""
    tables = _schema_of(tmp_path / "new")
    with Database(tmp_path / "old") as database, database.transaction() as connection:
        connection.execute("INSERT INTO tags (arn, key, value) VALUES ('a', 'k', 'v')")
        _forget_changes(connection)
        connection.execute("DROP TABLE jobs")
        connection.execute("DROP INDEX executions_by_version")
        connection.execute("DROP INDEX packages_by_group")
        connection.execute("DROP INDEX steps_by_key")
        connection.execute("CREATE INDEX steps_by_key ON steps (cache_key)")
        connection.execute("PRAGMA user_version = 2")
    assert _schema_of(tmp_path / "old") == tables
    with Database(tmp_path / "old") as database:
        assert [row["key"] for row in database.read("SELECT key FROM tags")] == ["k"]


def test_the_jobs_that_steps_ran_before_there_was_a_table_of_jobs_are_in_it(tmp_path: Path) -> None:
    """Their Describe is what the step recorded of them."""
    described = {
        "TrainingJobName": "fit",
        "TrainingJobArn": "arn:fit",
        "TrainingJobStatus": "Completed",
        "SecondaryStatus": "Completed",
        "CreationTime": 1.5,
        "LastModifiedTime": 3.5,
        "TrainingStartTime": 2.5,
        "TrainingEndTime": 3.5,
        "FinalMetricDataList": [],
    }
    with LocalState(tmp_path) as state:
        step = StepRecord("e", "s", "Training", StepStatus.SUCCEEDED, 1.0, properties=described)
        state.executions.save_step(step)
        cached = replace(step, execution="f", cached_from="e")
        state.executions.save_step(cached)
    with sqlite3.connect(tmp_path / "state.db") as connection:
        _forget_changes(connection)
        connection.execute("DROP TABLE jobs")
        connection.execute("PRAGMA user_version = 3")
    connection.close()
    with LocalState(tmp_path) as state:
        (job,) = state.jobs.all("Training")
        assert described.items() <= describe(require_kind("Training"), job).items()


def _forget_changes(connection: sqlite3.Connection) -> None:
    """Drop what version 5 brought."""
    triggers = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
    for (name,) in triggers.fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    connection.execute("DROP TABLE changes")
    connection.execute("DROP TABLE watched")


def _schema_of(folder: Path) -> list[tuple[str, str]]:
    with Database(folder) as database:
        rows = database.read("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY 1")
        return [(row["name"], row["sql"]) for row in rows]


def test_an_endpoint_that_was_looked_up_is_known_until_anybody_changes_the_state(
    tmp_path: Path,
) -> None:
    """Nothing is known in between, also while another process holds the write lock."""
    endpoint = EndpointRecord("e", "arn", "InService", "c", 1.0, 1.0, None, "1", "1")
    with LocalState(tmp_path) as state, LocalState(tmp_path) as other:
        state.endpoints.add(endpoint, [])
        assert state.endpoints.known("e") is None
        state.endpoints.look("e")
        with other.transaction():
            assert state.endpoints.known("e") == endpoint
            other.endpoints.save(replace(endpoint, config="d"))
            assert state.endpoints.known("e") == endpoint
        assert state.endpoints.known("e") is None
        found = state.endpoints.look("e")
        assert found is not None
        assert found.config == "d"
        assert state.endpoints.known("e") == found
        state.endpoints.remove(found)
        assert state.endpoints.known("e") is None
