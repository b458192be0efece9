"""The process that launchers are forked off, where the machine or the caller is unkind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.backends.local.jobs.isolation import probe
from tests.local.jobs.conftest import ROOT, ordinary_python

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

HEAD = f"""
import os, resource, signal, subprocess, sys, tempfile
from pathlib import Path
sys.path.insert(0, {str(ROOT)!r})
from pipelines.backends.local.jobs.launcher import client
from pipelines.backends.local.jobs.spec import HostCommand, HostPlan, JobHost, LocalJob

folder = Path(tempfile.mkdtemp())
(folder / "work").mkdir()
host = JobHost(HostPlan("algo-1"), "127.0.0.1", folder)
job = LocalJob("job", "arn", (host,), "rewrite", folder)

def launch(*words):
    return client.start_host(job, HostCommand(host, words, dict(os.environ), folder / "log"))
"""


def say(script: str, *python: str, head: str = HEAD) -> str:
    """Run a script that starts launchers; return what it printed."""
    words = [*(python or [sys.executable]), "-P", "-c", head + script]
    ran = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert (ran.returncode, ran.stderr) == (0, "")
    return ran.stdout


NO_PROCESS_TO_SPARE = """
other = launch("sleep", "0.5")
server = client._fork_server()._process.pid
unlimited = resource.getrlimit(resource.RLIMIT_NPROC)
resource.prlimit(server, resource.RLIMIT_NPROC, (0, unlimited[1]))
try:
    for _ in range(3):  # the first ones by launchers that were forked ahead, if there are already
        launch("true")
except OSError as error:
    print(error)
resource.prlimit(server, resource.RLIMIT_NPROC, unlimited)
print(other.result(), launch("true").result())
"""


def test_a_launcher_that_cannot_be_forked_takes_no_other_with_it() -> None:
    """The order is refused; the jobs that run go on, and the next order is carried out."""
    said = say(NO_PROCESS_TO_SPARE, *ordinary_python()).splitlines()
    assert said[0] == "[Errno 11] Resource temporarily unavailable: 'fork'"
    assert said[1] == "('exit', '0') ('exit', '0')"


NO_PROCESS_FOR_THE_JOB = """
client.start_fork_server()
server = client._fork_server()._process.pid
_, most = resource.getrlimit(resource.RLIMIT_NPROC)
for limit in range(1, 1000):
    resource.prlimit(server, resource.RLIMIT_NPROC, (limit, most))
    try:
        result = launch("true").result()
    except OSError:
        continue
    if result != ("exit", "0"):  # which it is by a launcher that was forked before
        print(result)
        break
"""


def test_a_launcher_that_cannot_start_its_job_says_why() -> None:
    """It is no launcher that was killed from outside."""
    said = say(NO_PROCESS_FOR_THE_JOB, *ordinary_python())
    assert said == "('setup', 'fork: Resource temporarily unavailable')\n"


AHEAD = """
import time
client.start_fork_server()
server = client._fork_server()._process.pid

def parent_and_state(process):
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0, ""
    return int(fields[1]), fields[0]

def spares(*others):
    found = []
    while len(found) < 2:
        time.sleep(0.01)
        known = (int(name) for name in os.listdir("/proc") if name.isdigit())
        found = [one for one in known if one not in others and parent_and_state(one)[0] == server]
    return found

first = spares()
one = launch("true")
print(one.process in first, one.result())
second = spares(one.process)
for process in second:
    os.kill(process, signal.SIGKILL)
    while parent_and_state(process)[1] not in ("Z", ""):
        time.sleep(0.01)
other = launch("true")
print(other.process in second, other.result())
"""


def test_launchers_are_forked_ahead_of_their_orders() -> None:
    """Those that were killed meanwhile are missed by nobody."""
    assert say(AHEAD).splitlines() == ["True ('exit', '0')", "False ('exit', '0')"]


LEAVE = """
import contextlib, ctypes, select
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # what has no parent any more comes to this process
launched = [launch("true") for _ in range(3)]
for one in launched:
    with contextlib.suppress(ProcessLookupError):  # a later order had it reaped already
        select.select([os.pidfd_open(one.process)], [], [])
client._fork_server()._close()
try:
    print(os.waitpid(-1, os.WNOHANG))
except ChildProcessError as error:
    print(error)
"""


def test_no_ended_launcher_is_left_to_process_1() -> None:
    """In a container it may be a program that reaps nothing: they would stay for ever."""
    assert say(LEAVE) == "[Errno 10] No child processes\n"


GONE = """
one = launch("true")
one.result()
launch("true").result()  # the order that has the first launcher reaped
reader, writer = os.pipe()
client.Launcher(one.process, reader).send_signal(signal.SIGTERM)
print("nobody was hurt")
"""


def test_a_signal_for_a_launcher_that_has_just_been_reaped_is_lost() -> None:
    """It goes between the look at its pipe and the signal, while another step gives an order."""
    assert say(GONE) == "nobody was hurt\n"


FORKED = """
client.start_fork_server()
child = os.fork()
if child == 0:
    signal.pause()
server = client._fork_server()
server._socket.close()  # as the kernel does it when the tool is killed
try:
    print(server._process.wait(20))
finally:
    os.kill(child, signal.SIGKILL)
"""


def test_a_fork_of_the_tool_does_not_keep_its_launchers() -> None:
    """A child that outlives the tool holds a copy of every descriptor, but not of this one."""
    assert say(FORKED) == "0\n"


STOPPED = """
def interrupt(_number, _frame):
    os.kill(server, signal.SIGCONT)
    raise KeyboardInterrupt

client.start_fork_server()
server = client._fork_server()._process.pid
signal.signal(signal.SIGALRM, interrupt)
os.kill(server, signal.SIGSTOP)
"""
"""Ctrl-C comes while the fork server does not answer; from then on it does."""

INTERRUPTED = f"""{STOPPED}
try:
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    launch("true")
except KeyboardInterrupt:
    print("interrupted")
next_one = launch("sh", "-c", "echo $PPID")
print(next_one.result(), int((folder / "log").read_text()) == next_one.process)
"""


def test_an_order_that_was_interrupted_leaves_no_answer_for_the_next() -> None:
    """Ctrl-C in a notebook, say: the next launcher has the process id that it has."""
    assert say(INTERRUPTED).splitlines() == ["interrupted", "('exit', '0') True"]


KILLED = """
import json, socket
host = {"hostname": "algo-1", "folder": "", "hosts": "", "network": "shared"}
order = {"isolation": "rewrite", "host": host, "process": None, "words": []}
order = json.dumps(order).encode()
for sent in (order[:9], order):
    server = client._ForkServer()
    _, writer = os.pipe()
    socket.send_fds(server._socket, [client._SIZE.pack(len(order))], [writer])
    server._socket.sendall(sent)
    server._close()
    print(server._process.returncode)
"""


def test_a_tool_that_is_killed_while_it_orders_leaves_no_traceback() -> None:
    """Half an order is none, and nobody waits for the answer to a whole one."""
    assert say(KILLED) == "0\n0\n"


DEAF = """
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
one = launch("sh", "-c", "exit 3")
print(one.wait(20) and one.result())
"""


def test_a_job_ends_where_the_caller_ignores_the_end_of_children() -> None:
    """A program that wants no zombies hands that on to the tool it starts, but not to jobs."""
    assert say(DEAF) == "('exit', '3')\n"


WARM_UP = """
from pipelines.backends.local.jobs import isolation
client.start_fork_server()
_, most = resource.getrlimit(resource.RLIMIT_NPROC)
resource.prlimit(client._fork_server()._process.pid, resource.RLIMIT_NPROC, (0, most))
isolation.warm_up("auto")
"""


def test_a_look_at_the_machine_that_fails_ahead_says_nothing() -> None:
    """It fails again for the job that needs it, which has words for it: here are none."""
    assert say(WARM_UP, *ordinary_python()) == ""


def test_no_package_stands_before_the_standard_library(tmp_path: Path) -> None:
    """Backports of old times, such as enum34, may be installed beside the tool."""
    (tmp_path / "pipelines").symlink_to(ROOT / "pipelines")
    (tmp_path / "selectors.py").write_text("raise ImportError('of another time')", "utf-8")
    head = HEAD.replace(f"insert(0, {str(ROOT)!r})", f"append({str(tmp_path)!r})")
    assert say("print(launch('true').result())", head=head) == "('exit', '0')\n"


EXHAUSTED = """
launch("true").result()
client._fork_server()._process.kill()
reader, writer = os.pipe()
os.close(reader)
os.close(writer)
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (writer + 1, hard))
try:
    launch("true")
except OSError as error:
    print(error)
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
print(launch("true").result())
"""


def test_what_could_not_be_started_anew_is_when_it_can_be() -> None:
    """A machine out of descriptors refuses an order, not every order that follows."""
    assert say(EXHAUSTED).splitlines() == ["[Errno 24] Too many open files", "('exit', '0')"]


IMPATIENT = f"""{STOPPED}
process = client._fork_server()._process
wait = process.wait

def waiting():
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    return wait()

process.wait = waiting
"""


def test_ctrl_c_at_the_very_end_shows_no_traceback() -> None:
    """The tool is done, and waits for nothing but what launchers are forked off."""
    assert say(IMPATIENT) == ""


SECRETS = """
os.environ["AWS_SECRET_ACCESS_KEY"] = os.environ["GITHUB_TOKEN"] = "a secret"
reader = '''
import os, pathlib
process = os.getpid()
while process != TOOL:
    place = pathlib.Path("/proc", str(process))
    print((place / "environ").read_bytes().count(b"a secret"))
    process = int((place / "status").read_text().split("PPid:")[1].split()[0])
'''.replace("TOOL", str(os.getpid()))
words = [sys.executable, "-c", reader]
client.start_host(job, HostCommand(host, words, {}, folder / "log")).result()
print((folder / "log").read_text().split())
"""


def test_a_job_reads_no_secret_from_its_parents() -> None:
    """The launcher and the fork server are started without the tool's environment."""
    assert say(SECRETS) == "['0', '0', '0']\n"


CONCEALED = """
from pipelines.backends.local.jobs.launcher.processes import conceal_process
conceal_process()
print((Path("/proc/self/mounts").read_text() and "read"))
print(launch("cat", f"/proc/{os.getpid()}/environ").result())
print((folder / "log").read_text().split(": ")[-1].strip())
"""


def test_a_process_with_keys_conceals_its_environment() -> None:
    """From other processes of the same user; it does its own work as before."""
    said = say(CONCEALED, *ordinary_python()).splitlines()
    assert said == ["read", "('exit', '1')", "Permission denied"]


OPT_ML_OF_THE_MACHINE = """
import os, sys, tempfile
from pathlib import Path
sys.path.insert(0, {root!r})
from pipelines.backends.local.jobs.launcher import namespaces as spaces

folder = Path(tempfile.mkdtemp())
(folder / "hosts").touch()
(folder / "bundle.pyz").touch()
spaces._unshare(spaces.CLONE_NEWNS)  # the machine of this test: nobody else sees its /opt
spaces._mount("none", "/", spaces.MS_REC | spaces.MS_PRIVATE)
spaces._mount("tmpfs", "/opt", 0, b"tmpfs")
{machine}
ready, isolated = os.pipe(); removed, gone = os.pipe()
if os.fork() == 0:
    spaces.isolate("algo-1", str(folder), str(folder / "hosts"), "shared")
    os.write(isolated, b"1")
    os.read(removed, 1)
    print(sorted(os.listdir("/opt")), sorted(os.listdir("/opt/ml")), flush=True)
    os._exit(0)
os.close(isolated)  # reading ends when the job's process has failed
os.read(ready, 1)
{after}
os.write(gone, b"1")
os.wait()
"""


@pytest.mark.parametrize(
    ("machine", "after"),
    [
        ("Path('/opt/ml').mkdir()", "Path('/opt/ml').rmdir()"),
        ("Path('/opt/ml/model').mkdir(parents=True)", "__import__('shutil').rmtree('/opt/ml')"),
        ("Path('/opt/ml').symlink_to(folder)", "Path('/opt/ml').unlink()"),
        ("Path('/opt/ml').touch()", "Path('/opt/ml').unlink()"),
        ("pass", "Path('/opt/ml').mkdir(); Path('/opt/ml').rmdir()"),
    ],
)
def test_an_opt_ml_of_this_machine_is_none_of_a_jobs(machine: str, after: str) -> None:
    """Whoever makes or removes one beside a running job takes nothing from the job.

    Linux unmounts what other namespaces have mounted on a folder that is removed.
    """
    if probe().which != "namespaces":
        pytest.skip(probe().why)
    machine = f"Path('/opt/other').mkdir(); {machine}"
    head = OPT_ML_OF_THE_MACHINE.format(root=str(ROOT), machine=machine, after=after)
    assert say("", head=head) == "['ml', 'other'] ['bundle.pyz', 'hosts']\n"
