"""The process between the tool and one host of a job: isolates, starts, watches, cleans up.

Runs by itself (`python -P -c …`, see spares.py). It is started before there is a job for it, has
imported by then what the job runtime will, and reads its order from stdin: interpreter starts are
most of what a short job costs. It leaves no process behind: it is the subreaper of everything
the job starts, kills what is left when the job's main process has ended, and is told by the
kernel when the tool dies. SIGTERM is passed on to the main process; SIGUSR1 kills the job at
once, SIGUSR2 lets a host go that leads a network.

A bundle that brings the very runtime which this process has imported is not started in a new
interpreter: the main process forks off here and calls that runtime, with the environment and the
arguments that the interpreter would have given it. It imports nothing but the standard library
and starts the user's code in an interpreter of its own, so that nobody can tell.

What happened is written to the file descriptor RESULT, one line each: `ready`, then one of
`exit <code>`, `signal <number>`, `exec <why>`, `setup <why>`.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # plain numbers, as the kernel has them
import ctypes
import json
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pipelines.runtime.bundle import Member

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
LINUX = sys.platform == "linux"
RUNTIME = "tool/pipelines/runtime/"
SOURCES: dict[str, bytes] = {}
"""The files of the runtime that this process has imported, by their names in a bundle."""
WATCHED = (
    _signal.SIGCHLD,
    _signal.SIGTERM,
    _signal.SIGUSR1,
    _signal.SIGUSR2,
    _signal.SIGINT,
    _signal.SIGHUP,
    _signal.SIGALRM,
)


def check(name: str, *arguments: object) -> None:
    """Call a function of libc; an answer other than 0 is an OSError that names the function."""
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), name)


def mount(source: str, target: str, flags: int, kind: bytes | None = None) -> None:
    """Mount; `kind` is the file system, None for a bind."""
    check("mount", os.fsencode(source), os.fsencode(target), kind, ctypes.c_ulong(flags), None)


def write(path: str, text: str) -> None:
    """Write a small file of /proc."""
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def unshare(flags: int) -> None:
    """Leave the shared namespaces, through a user namespace where privileges are missing."""
    if os.geteuid() == 0:
        try:
            check("unshare", flags)
        except PermissionError:
            pass
        else:
            return
    user, group = os.geteuid(), os.getegid()
    check("unshare", flags | CLONE_NEWUSER)
    write("/proc/self/setgroups", "deny")
    write("/proc/self/uid_map", f"{user} {user} 1")
    write("/proc/self/gid_map", f"{group} {group} 1")


def join_network(leader: int) -> None:
    """Enter the network (and the user namespace that owns it) of the job's first host."""
    for kind, flag in (("user", CLONE_NEWUSER), ("net", CLONE_NEWNET)):
        theirs = f"/proc/{leader}/ns/{kind}"
        if os.stat(theirs).st_ino != os.stat(f"/proc/self/ns/{kind}").st_ino:  # noqa: PTH116 - no pathlib here
            descriptor = os.open(theirs, os.O_RDONLY)
            check("setns", descriptor, flag)
            os.close(descriptor)


def raise_loopback() -> None:
    """Bring `lo` up in a new network namespace."""
    import _socket  # noqa: PLC0415 - only isolated jobs need it
    import fcntl  # noqa: PLC0415 - only isolated jobs need it

    request = bytearray(40)
    request[:2] = b"lo"
    with_socket = _socket.socket(_socket.AF_INET, _socket.SOCK_DGRAM)
    fcntl.ioctl(with_socket.fileno(), SIOCGIFFLAGS, request)
    request[16] |= IFF_UP
    fcntl.ioctl(with_socket.fileno(), SIOCSIFFLAGS, request)
    with_socket.close()


def isolate(hostname: str, folder: str, hosts: str, network: str) -> None:
    """Give this process `folder` as /opt/ml, a host name, its /etc/hosts, and maybe a network.

    Args:
        hostname: the UTS name, `algo-1`.
        folder: what becomes /opt/ml.
        hosts: the file that becomes /etc/hosts.
        network: `shared`; `own`; `lead` for one of its own that others will join; or the
            process id of the launcher that leads.
    """
    if network.isdigit():
        join_network(int(network))
        check("unshare", CLONE_NEWNS | CLONE_NEWUTS)
    else:
        unshare(CLONE_NEWNS | CLONE_NEWUTS | (CLONE_NEWNET if network in ("own", "lead") else 0))
    if network in ("own", "lead"):
        raise_loopback()
    here = os.getcwd()  # noqa: PTH109 - no pathlib here
    mount("none", "/", MS_REC | MS_PRIVATE)
    if not os.path.isdir("/opt/ml"):  # noqa: PTH112 - no pathlib here
        make_mount_point()
    mount(folder, "/opt/ml", MS_BIND | MS_REC)
    if os.path.exists("/etc/hosts"):  # noqa: PTH110 - no pathlib here
        mount(hosts, "/etc/hosts", MS_BIND)
    name = hostname.encode()
    check("sethostname", name, len(name))
    os.chdir(here)


def make_mount_point() -> None:
    """Make /opt/ml without touching the disk: an empty /opt with the old one's children in it."""
    os.chdir("/opt")
    mount("tmpfs", "/opt", 0, b"tmpfs")
    with os.scandir(".") as children:  # the old /opt: the working directory did not move
        for child in children:
            target = f"/opt/{child.name}"
            if child.is_symlink():
                os.symlink(os.readlink(child.name), target)  # noqa: PTH115, PTH211 - no pathlib here
                continue
            if child.is_dir():
                os.mkdir(target)  # noqa: PTH102 - no pathlib here
            else:
                os.close(os.open(target, os.O_CREAT | os.O_WRONLY))
            mount(child.name, target, MS_BIND | MS_REC)
    os.mkdir("/opt/ml")  # noqa: PTH102 - no pathlib here


def adopt(parent: int) -> None:
    """Become the reaper of all descendants, and hear of the tool's death."""
    if LINUX:
        check("prctl", PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        check("prctl", PR_SET_PDEATHSIG, int(_signal.SIGUSR1), 0, 0, 0)
    else:
        _signal.setitimer(_signal.ITIMER_REAL, 0.5, 0.5)
    if os.getppid() != parent:
        sys.exit(1)


def hold() -> None:
    """Keep the network there until every other host has joined it: SIGUSR2 says so."""
    while (signal := _signal.sigwait(WATCHED)) != _signal.SIGUSR2:
        if signal in (_signal.SIGTERM, _signal.SIGUSR1):
            sys.exit(1)


def start(words: list[str], result: int) -> int:
    """Start the job's main process in a session of its own; give its process id."""
    launcher = os.getpid()
    process = os.fork()
    if process:
        return process
    os.setsid()
    for ignored_by_python in (_signal.SIGPIPE, _signal.SIGXFSZ):
        _signal.signal(ignored_by_python, _signal.SIG_DFL)
    _signal.pthread_sigmask(_signal.SIG_SETMASK, ())
    if LINUX:
        check("prctl", PR_SET_PDEATHSIG, int(_signal.SIGKILL), 0, 0, 0)
    if os.getppid() == launcher:
        members = brought(words) if words[0] == sys.executable else []
        if members:
            os._exit(run_bundle(words[1:], members))
        try:
            os.execvp(words[0], words)  # noqa: S606 - this is what a launcher does
        except OSError as error:
            os.write(result, f"exec {words[0]!r}: {error.strerror}\n".encode())
    os._exit(127)


def brought(words: list[str]) -> list[Member]:
    """Read the bundle that an interpreter is asked for, when its runtime is the imported one."""
    from pathlib import Path  # noqa: PLC0415 - imported ahead, by warm_up

    from pipelines.runtime import bundle, errors  # noqa: PLC0415 - as above

    if not words[1:] or not words[1].endswith(".pyz"):
        return []
    try:
        members = list(bundle.read_members(Path(words[1])))
    except errors.JobError:
        return []  # it will say so itself
    runtime = {one.name: one.data for one in members if one.name.startswith(RUNTIME)}
    start = next((one.data for one in members if one.name == "__main__.py"), None)
    same = runtime == SOURCES and start == SOURCES[f"{RUNTIME}start.py"]
    return members if same else []


def run_bundle(arguments: list[str], members: list[Member]) -> int:
    """Run `python <bundle> …` in this process, a fork of the launcher; give its exit code."""
    from pipelines.runtime import job  # noqa: PLC0415 - imported ahead, by warm_up

    sys.argv[:] = arguments
    try:
        code: object = job.run(arguments[0], members)
    except SystemExit as end:
        code = end.code
    sys.stdout.flush()
    sys.stderr.flush()
    return code if isinstance(code, int) else 1


def descendants() -> list[int]:
    """List every living process below this one, from /proc."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):  # noqa: PTH208 - no pathlib here
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:  # noqa: PTH123 - no pathlib here
                    parent = int(file.read().rpartition(b")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(name))
    found = [os.getpid()]
    for process in found:
        found.extend(children.get(process, ()))
    return found[1:]


def kill_all(main: int) -> int | None:
    """Kill and reap everything below this process; give the main process's wait status."""
    status = reap(main)
    while has_children():
        for target in descendants() if LINUX else [-main]:
            try:
                os.kill(target, _signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                continue
        process, ended = os.waitpid(-1, 0)
        if process == main:
            status = ended
    return status


def has_children() -> bool:
    """Tell whether any process is left below this one, the subreaper: looked up without /proc."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def reap(main: int) -> int | None:
    """Reap what has ended; give the main process's wait status once it is among them."""
    status = None
    while True:
        try:
            process, ended = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return status
        if process == 0:
            return status
        if process == main:
            status = ended


def watch(main: int, parent: int) -> int:
    """Wait for the main process, then end whatever it left; give its wait status."""
    status = None
    while status is None:
        signal = _signal.sigwait(WATCHED)
        if signal == _signal.SIGCHLD:
            status = reap(main)
        elif signal == _signal.SIGTERM:
            os.kill(main, _signal.SIGTERM)
        elif signal == _signal.SIGUSR1 or os.getppid() != parent:
            break
    rest = kill_all(main)
    return rest or 0 if status is None else status


def warm_up() -> None:
    """Import what the job runtime is, and read what it is made of, while nobody waits."""
    import pathlib  # noqa: PLC0415 - after the signals are blocked

    package = pathlib.Path(__file__).parents[3]
    sys.path.insert(0, str(package.parent))
    import pipelines.runtime.job  # noqa: F401, PLC0415 - as above

    del sys.path[0]
    for file in (package / "runtime").glob("*.py"):
        SOURCES[RUNTIME + file.name] = file.read_bytes()


def receive() -> dict[str, object] | None:
    """Read the order; None when the tool has gone, or has no job for this launcher."""
    pieces = []
    while piece := os.read(0, 65536):
        pieces.append(piece)
    order: dict[str, object] | None = json.loads(b"".join(pieces)) if pieces else None
    return order


def settle(log: str, folder: str, environment: dict[str, str]) -> None:
    """Take the job's output file, working directory and environment."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    written = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    os.dup2(nothing, 0)
    os.dup2(written, 1)
    os.dup2(written, 2)
    os.close(nothing)
    os.close(written)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)


def main(arguments: list[str]) -> None:
    """Run one host: RESULT PARENT, and the order on stdin as JSON.

    The order holds `isolation` (`namespaces` or `rewrite`), the arguments of `isolate`, of
    `settle`, and `words`; with no words the isolation is tried and nothing started.
    """
    answer, parent = map(int, arguments)
    os.set_inheritable(answer, False)  # noqa: FBT003 - positional only
    _signal.pthread_sigmask(_signal.SIG_BLOCK, WATCHED)
    warm_up()
    order = receive()
    if order is None:
        return
    words: list[str] = order["words"]  # type: ignore[assignment]  # spares.py wrote it
    cell: dict[str, str] = order["cell"]  # type: ignore[assignment]  # as above
    try:
        if words:
            settle(**order["settle"])  # type: ignore[arg-type]  # as above
        if order["isolation"] == "namespaces":
            isolate(**cell)
        adopt(parent)
    except OSError as error:
        os.write(answer, f"setup {error.filename}: {error.strerror}\n".encode())
        return
    os.write(answer, b"ready\n")
    if cell["network"] == "lead":
        hold()
    status = watch(start(words, answer), parent) if words else 0
    code = os.waitstatus_to_exitcode(status)
    os.write(answer, (f"exit {code}\n" if code >= 0 else f"signal {-code}\n").encode())
    os._exit(0)  # somebody waits, and an interpreter takes its time to leave
