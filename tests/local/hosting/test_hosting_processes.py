"""Several processes on one state: killed in the middle, and many at once."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.backends.local.state.database import Database
from pipelines.json_types import JsonObject
from tests.local.hosting.conftest import HostedLocal

TRIGGERS = "SELECT name FROM sqlite_schema WHERE type = 'trigger'"
_KILLED = """
import sys
from pathlib import Path
from tests.local.hosting.conftest import HostedLocal
home, operation = sys.argv[1:]
local = HostedLocal(Path(home))
if operation == "create":
    local.config("c", "slow")
    local.create_endpoint(EndpointName="e", EndpointConfigName="c")
else:
    local.config("c0", "one")
    local.create("e", "c0")
    local.config("c", "slow")
    local.update_endpoint(EndpointName="e", EndpointConfigName="c")
print("under way", flush=True)
sys.stdin.read()
"""

_WRITER = """
import sys
from pathlib import Path
from pipelines.backends.local.settings import LocalSettings
from pipelines.backends.local.sagemaker import LocalSageMaker
home, writer, rounds, shared = sys.argv[1:]
with LocalSageMaker(LocalSettings(Path(home), Path(sys.executable))) as registry:
    for number in range(int(rounds)):
        arn = registry.create_model_package(ModelPackageGroupName="g")["ModelPackageArn"]
        print(arn)
        status = "Approved" if number % 2 else "Rejected"
        registry.update_model_package(ModelPackageArn=arn, ModelApprovalStatus=status)
        registry.update_model_package(
            ModelPackageArn=shared, CustomerMetadataProperties={f"w{writer}": str(number)}
        )
"""


def wait_for_end(local: HostedLocal) -> JsonObject:
    """Describe the endpoint until its change has ended."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        described = local.describe_endpoint(EndpointName="e")
        if described["EndpointStatus"] not in {"Creating", "Updating"}:
            return described
        time.sleep(0.01)
    raise AssertionError("the endpoint's change does not end")


@pytest.mark.parametrize("operation", ["create", "update"])
def test_a_change_whose_process_was_killed_is_carried_on(
    another: Callable[[], HostedLocal], tmp_path: Path, operation: str
) -> None:
    """Whoever describes the endpoint next finishes what SIGKILL cut off."""
    words = [sys.executable, "-c", _KILLED, str(tmp_path / ".pipelines"), operation]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as one:
        assert one.stdout is not None
        assert one.stdout.readline() == "under way\n"
        one.kill()
    local = another()
    local.starts.gate.set()
    described = wait_for_end(local)
    assert described["EndpointStatus"] == "InService"
    assert described["EndpointConfigName"] == "c"
    assert local.ask("e") == "slow"


def test_a_change_under_way_elsewhere_is_left_alone(
    another: Callable[[], HostedLocal], tmp_path: Path
) -> None:
    """While its process lives, others only look."""
    words = [sys.executable, "-c", _KILLED, str(tmp_path / ".pipelines"), "create"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as one:
        assert one.stdout is not None
        assert one.stdout.readline() == "under way\n"
        local = another()
        local.starts.gate.set()
        for _ in range(5):
            described = local.describe_endpoint(EndpointName="e")
            assert described["EndpointStatus"] == "Creating"
        local._provided.provisioner.wait("e")
        assert local.starts.fleets == []
        one.kill()


def test_sixteen_writers_lose_nothing(local: HostedLocal, tmp_path: Path) -> None:
    """Sixteen processes register, approve and reject for fifty rounds at once.

    Every version is given once, and one package that all of them change keeps every change.
    """
    writers, rounds = 16, 50
    local.create_model_package_group(ModelPackageGroupName="g")
    shared = local.create_model_package(ModelPackageGroupName="g")["ModelPackageArn"]
    home = str(tmp_path / ".pipelines")
    begun = [
        subprocess.Popen(
            [sys.executable, "-c", _WRITER, home, str(writer), str(rounds), shared],
            stdout=subprocess.PIPE,
            text=True,
        )
        for writer in range(writers)
    ]
    outputs = [one.communicate(timeout=120)[0].split() for one in begun]
    assert [one.returncode for one in begun] == [0] * writers
    arns = [arn for output in outputs for arn in output]
    versions = sorted(int(arn.rpartition("/")[2]) for arn in arns)
    assert versions == list(range(2, writers * rounds + 2))
    described = local.describe_model_package(ModelPackageName=shared)
    last = {f"w{writer}": str(rounds - 1) for writer in range(writers)}
    assert described["CustomerMetadataProperties"] == last
    for output in outputs:
        for number, arn in enumerate(output):
            package = local.describe_model_package(ModelPackageName=arn)
            wanted = "Approved" if number % 2 else "Rejected"
            assert package["ModelApprovalStatus"] == wanted


def test_a_state_of_the_first_version_is_brought_up(tmp_path: Path) -> None:
    """What was registered before endpoints were kept is still there."""
    home = tmp_path / ".pipelines"
    with Database(home) as database, database.transaction() as connection:
        connection.execute(
            "INSERT INTO models (name, arn, record, created) VALUES ('m', 'a', ?, 0)",
            (json.dumps({}),),
        )
    with sqlite3.connect(home / "state.db") as connection:
        connection.executescript(
            "DROP TABLE endpoints; DROP TABLE endpoint_configs; DROP INDEX executions_by_version;"
            "DROP INDEX packages_by_group; DROP TABLE jobs; DROP TABLE changes; DROP TABLE watched;"
            + "".join(f"DROP TRIGGER IF EXISTS {name};" for (name,) in connection.execute(TRIGGERS))
            + "PRAGMA user_version = 1;"
        )
    connection.close()
    local = HostedLocal(home)
    assert [one["ModelName"] for one in local.list_models()["Models"]] == ["m"]
    assert local.list_endpoints()["Endpoints"] == []
    local.close()
