from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import uuid
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipelines.backends.local.executors import processing
from pipelines.backends.local.executors.as_job import unrecorded
from pipelines.backends.local.jobs import supervise
from pipelines.backends.local.jobs.isolation import IsolationReport, choose, probe
from pipelines.backends.local.jobs.run import run_job
from pipelines.backends.local.jobs.spec import ContainerCommand, HostPlan, JobLimits
from pipelines.backends.local.jobs.workspace import workspace
from pipelines.execution.status import StepStatus
from tests.local.jobs.conftest import ROOT, JumpingClock, ordinary_python
from tests.waiting import until

if TYPE_CHECKING:
    from tests.local.jobs.conftest import Local

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def living(marker: str) -> list[int]:
    """List processes whose environment or command line holds the marker; zombies have neither."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            text = (folder / "environ").read_bytes() + (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if marker.encode() in text and int(folder.name) != os.getpid():
            found.append(int(folder.name))
    return found


ESCAPE = """
import os, subprocess, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        subprocess.Popen(["sleep", "600"], start_new_session=True)
        time.sleep(600)
    os._exit(0)
print("started", flush=True)
time.sleep(float(sys.argv[1]))
"""


@linux
def test_nothing_that_a_job_started_outlives_it(local: Local) -> None:
    """Daemons in sessions of their own are found and killed when the main process ends."""
    marker = f"marker-{uuid.uuid4().hex}"
    call = local.call(
        local.processing("python3", "-c", ESCAPE, "0", Environment={"MARKER": marker})
    )
    assert processing.execute(call).status is StepStatus.SUCCEEDED, local.log(call)
    assert living(marker) == []
    assert local.clean()


HELPER = """
import sys, threading
from pathlib import Path
sys.path.insert(0, {root!r})
from pipelines.backends.local.executors import processing
from pipelines.backends.local.executors.contract import *
from pipelines.backends.local.sagemaker import LocalSageMaker
from pipelines.backends.local.settings import LocalSettings
home = Path({home!r})
settings = LocalSettings(home, Path({interpreter!r}), isolation={isolation!r})
logs = home / "logs"
logs.mkdir(parents=True)
arguments = {arguments!r}
call = StepCall("s", "job-{marker}", arguments, {{}}, ExecutionInfo("e", "a", "p", 0.0), settings,
                None, logs, threading.Event(), LocalSageMaker(settings).jobs)
worker = threading.Thread(target=lambda: print(processing.execute(call)))
worker.start()
worker.join()
"""


def helper(local: Local, marker: str, script: str = ESCAPE) -> subprocess.Popen[bytes]:
    """Start a process that stands for the tool and runs one job from a worker thread."""
    words = ("python3", "-c", script, "600")
    text = HELPER.format(
        root=str(ROOT),
        home=str(local.home),
        interpreter=sys.executable,
        isolation=local.settings.isolation,
        arguments=local.processing(*words, Environment={"MARKER": marker}),
        marker=marker,
    )
    return subprocess.Popen([sys.executable, "-c", text])


@linux
def test_killing_the_tool_ends_its_jobs(local: Local) -> None:
    """`kill -9` of the tool: the kernel tells the launcher, which kills everything it started."""
    marker = f"marker-{uuid.uuid4().hex}"
    tool = helper(local, marker)
    log = local.home / "logs/algo-1.log"
    until(lambda: log.exists() and "started" in log.read_text())
    until(lambda: len(living(marker)) >= 4)
    tool.kill()
    tool.wait()
    until(lambda: living(marker) == [])
    scratch = next((local.home / "jobs").glob("*.lock")).read_text()
    assert Path(scratch).exists()
    processing.execute(local.call(local.processing("true")))
    assert local.clean(), "the next job removes what the killed tool left"
    assert not Path(scratch).exists()


SERVER_KILLER = """
import os, pathlib, signal, subprocess, time
subprocess.Popen(["sleep", "600"], start_new_session=True)
launcher = pathlib.Path(f"/proc/{os.getppid()}/stat").read_text()
os.kill(int(launcher.rpartition(")")[2].split()[1]), signal.SIGKILL)
time.sleep(600)
"""

LAUNCHER_KILLER = """
import os, signal, subprocess, time
subprocess.Popen(["sleep", "600"], start_new_session=True)
os.kill(os.getppid(), signal.SIGKILL)
time.sleep(600)
"""


@linux
@pytest.mark.parametrize("killer", [LAUNCHER_KILLER, SERVER_KILLER], ids=["launcher", "server"])
def test_killing_what_watches_a_job_ends_it_too(local: Local, killer: str) -> None:
    """Nothing is left of the job, which is not to blame, and the next one runs.

    Killed are its launcher, and what launchers are forked off.
    """
    marker = f"marker-{uuid.uuid4().hex}"
    call = local.call(local.processing("python3", "-c", killer, Environment={"MARKER": marker}))
    outcome = processing.execute(call)
    assert (outcome.status, outcome.fault) == (StepStatus.FAILED, "SageMaker.JOB_INTERNAL_ERROR")
    assert "algo-1 was lost" in str(outcome.reason)
    until(lambda: living(marker) == [])
    assert processing.execute(local.call(local.processing("true"))).status is StepStatus.SUCCEEDED


@linux
def test_a_job_that_ignores_sigterm_is_killed(
    local: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the grace SIGKILL: no job can refuse to end."""
    marker = f"marker-{uuid.uuid4().hex}"
    deaf = local.home / "deaf"
    monkeypatch.setattr(supervise, "time", JumpingClock(deaf))
    script = f"trap '' TERM; touch {deaf}; while :; do sleep 0.05; done"
    assert run_with(local, script, marker, JobLimits(wall=600, grace=0.3)) == ("limit", "signal", 9)
    assert living(marker) == []


def test_a_job_is_over_before_its_folders_are_removed(local: Local) -> None:
    """Whoever waits for its end waits for no file system; its lock is held until all is gone."""
    call = local.call(local.processing("true"))
    plans = [HostPlan("algo-1")]
    with ExitStack() as cleaning:
        with workspace(call.settings, unrecorded(call).identity, plans, cleaning=cleaning) as job:
            folder = job.folder
        assert folder.is_dir()
        processing.execute(local.call(local.processing("true")))
        assert folder.is_dir(), "another job takes it for one that nobody runs any more"
    assert local.clean()


def run_with(local: Local, script: str, marker: str, limits: JobLimits) -> tuple[str, str, int]:
    """Run a script on one host with given limits; return the cause and how the host ended."""
    call = local.call(local.processing("x"))
    order = unrecorded(call)
    with workspace(call.settings, order.identity, [HostPlan("algo-1")]) as job:
        (job.hosts[0].ml / "output").mkdir()
        start = ContainerCommand(["sh", "-c", script], {"MARKER": marker}, limits, "output/message")
        end = run_job(order, job, start, tick=lambda: None).end
    return end.cause, end.hosts[0].kind, end.hosts[0].code


@linux
def test_network_isolation_leaves_only_loopback(local: Local) -> None:
    """An isolated job sees `lo` alone; where that cannot be made its log says so."""
    script = "import socket; print([name for _, name in socket.if_nameindex()])"
    network = {"EnableNetworkIsolation": True}
    call = local.call(local.processing("python3", "-c", script, NetworkConfig=network))
    assert processing.execute(call).status is StepStatus.SUCCEEDED
    if local.settings.isolation == "namespaces":
        assert local.log(call) == "['lo']\n"
    else:
        assert local.log(call).startswith("warning: EnableNetworkIsolation has no effect here")


@linux
def test_isolated_hosts_share_one_network(local: Local) -> None:
    """Two hosts of an isolated job reach each other."""
    script = """
import os, pathlib, socket, time
here = os.path.basename(os.path.dirname(os.getcwd()))
port = pathlib.Path(os.environ["PORT"])
if here == "algo-1":
    server = socket.create_server(("127.0.0.1", 0))
    port.with_suffix(".new").write_text(str(server.getsockname()[1]))
    port.with_suffix(".new").rename(port)
    server.accept()
else:
    while not port.exists():
        time.sleep(0.01)
    socket.create_connection(("127.0.0.1", int(port.read_text())))
"""
    network = {"EnableNetworkIsolation": True}
    more = {"NetworkConfig": network, "Environment": {"PORT": str(local.home / "port")}}
    call = local.call(local.processing("python3", "-c", script, hosts=2, **more))
    outcome = processing.execute(call)
    assert outcome.status is StepStatus.SUCCEEDED, (outcome.reason, local.log(call, "algo-2"))


def test_the_probe_says_which_way_and_why() -> None:
    """`doctor` prints the report; asking twice tries once."""
    report = probe()
    assert isinstance(report, IsolationReport)
    assert report.why
    assert probe() is report
    assert choose("rewrite").which == "rewrite"
    assert choose("auto") is report


UNPRIVILEGED = """
import sys, threading
from pathlib import Path
sys.path.insert(0, {root!r})
from pipelines.backends.local.executors import processing
from pipelines.backends.local.executors.contract import *
from pipelines.backends.local.sagemaker import LocalSageMaker
from pipelines.backends.local.settings import LocalSettings
home = Path({home!r})
logs = home / "logs"
logs.mkdir(parents=True)
settings = LocalSettings(home, Path(sys.executable), isolation={isolation!r})
call = StepCall("s", "job", {arguments!r}, {{}}, ExecutionInfo("e", "a", "p", 0.0), settings, None,
                logs, threading.Event(), LocalSageMaker(settings).jobs)
outcome = processing.execute(call)
print(outcome.status, outcome.reason)
for log in sorted(logs.iterdir()):
    print(log.read_text().strip())
"""


@linux
@pytest.mark.parametrize("isolated", [True, False])
def test_an_ordinary_user_gets_the_real_path_too(local: Local, *, isolated: bool) -> None:
    """Without privileges a user namespace makes the missing mount point; two hosts, one network."""
    python = ordinary_python()
    folder = Path(tempfile.mkdtemp())
    os.chown(folder, 65534, 65534)
    words = ("sh", "-c", "hostname; id -u; cat /opt/ml/config/resourceconfig.json")
    arguments = local.processing(
        *words, hosts=2, NetworkConfig={"EnableNetworkIsolation": isolated}
    )
    if local.settings.isolation == "rewrite":
        arguments["AppSpecification"]["ContainerEntrypoint"] = ["sh", "-c", "echo algo-1; id -u"]
    text = UNPRIVILEGED.format(
        root=str(ROOT),
        home=str(folder / "home"),
        arguments=arguments,
        isolation=local.settings.isolation,
    )
    ran = subprocess.run(
        [*python, "-c", textwrap.dedent(text)], capture_output=True, text=True, check=False
    )
    shutil.rmtree(folder)
    lines = ran.stdout.splitlines()
    assert lines[0] == "Succeeded None", ran
    assert "algo-1" in lines
    assert lines.count("65534") == 2


@linux
def test_an_interrupted_tool_leaves_nothing(local: Local) -> None:
    """SIGTERM to the tool ends the job as surely as SIGKILL does."""
    marker = f"marker-{uuid.uuid4().hex}"
    tool = helper(local, marker)
    until(lambda: len(living(marker)) >= 4)
    tool.send_signal(signal.SIGTERM)
    tool.wait()
    until(lambda: living(marker) == [])
    processing.execute(local.call(local.processing("true")))
    assert local.clean()


@linux
def test_a_short_host_does_not_take_the_network_away(local: Local) -> None:
    """The host that leads an isolated network starts when all others have joined it."""
    network = {"EnableNetworkIsolation": True}
    call = local.call(local.processing("true", hosts=3, NetworkConfig=network))
    outcome = processing.execute(call)
    assert outcome.status is StepStatus.SUCCEEDED, outcome.reason
