"""The folders of a job under `.pipelines/jobs`: created before it, removed after it.

What `kept.keep` has marked stays.
"""

from __future__ import annotations

import fcntl
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.backends.local.jobs.isolation import choose
from pipelines.backends.local.jobs.spec import JobHost, LocalJob
from pipelines.backends.local.kept import is_kept, job_folder, remove

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipelines.backends.local.jobs.spec import HostPlan, JobIdentity
    from pipelines.backends.local.settings import LocalSettings

_SCRATCH = "job-"
_DEEPEST = 55  # of the 107 characters of a socket's path; multiprocessing takes 32 for a name
_GUARD = ".guard"  # held while a job's lock is created, and while abandoned jobs are removed


@contextmanager
def workspace(
    settings: LocalSettings,
    identity: JobIdentity,
    plans: Sequence[HostPlan],
    *,
    network_isolated: bool = False,
    cleaning: ExitStack | None = None,
) -> Iterator[LocalJob]:
    """Create the folders of a job's hosts, and remove them at the end unless they are kept.

    Removing many small folders takes a file system longer than it takes to make them, and nobody
    has to wait for it.

    Args:
        settings: how this machine stands in for SageMaker.
        identity: the job's name, ARN and folder.
        plans: its hosts.
        network_isolated: whether it has no network but loopback.
        cleaning: what removes them later; None to remove them when the block ends.

    Raises:
        JobRefusedError: the isolation that the settings require is not available.
    """
    isolation = choose(settings.isolation).which
    folder = job_folder(settings.home, identity.folder)
    jobs = folder.parent
    jobs.mkdir(parents=True, exist_ok=True)
    hosts = tuple(
        JobHost(plan, _address(number), folder / plan.name) for number, plan in enumerate(plans)
    )
    with _owned(jobs, identity.folder, cleaning) as scratch:
        for host in hosts:
            _make(host, hosts)
        named = (identity.name, identity.arn)
        yield LocalJob(*named, hosts, isolation, scratch, network_isolated=network_isolated)


@contextmanager
def _owned(jobs: Path, name: str, cleaning: ExitStack | None) -> Iterator[Path]:
    """Hold the job's lock, create its scratch folder, and remove its files at the end."""
    lock = jobs / f"{name}.lock"
    with ExitStack() as held:
        with (jobs / _GUARD).open(
            "w"
        ) as guard:  # no other process checks the lock before it is taken
            fcntl.flock(guard, fcntl.LOCK_EX)
            _clear_abandoned(jobs)
            file = held.enter_context(lock.open("w"))
            fcntl.flock(file, fcntl.LOCK_EX)
        scratch = _scratch(jobs)
        held.callback(_clear, jobs / name, scratch, lock)
        file.write(str(scratch))
        file.flush()
        remove(jobs / name)  # kept of a job whose record is lost
        try:
            yield scratch
        finally:
            if cleaning is not None:
                cleaning.push(held.pop_all())


def _clear(folder: Path, scratch: Path, lock: Path) -> None:
    _remove_unless_kept(folder)
    remove(scratch)
    lock.unlink()


@contextmanager
def counted(jobs: Path, name: str) -> Iterator[None]:
    """Hold the lock of a job that runs elsewhere: what jobs use is not removed meanwhile.

    Args:
        jobs: the folder of the project's jobs.
        name: unique among running jobs.
    """
    jobs.mkdir(parents=True, exist_ok=True)
    lock = jobs / f"{name}.lock"
    with ExitStack() as stack:
        with (jobs / _GUARD).open("w") as guard:
            fcntl.flock(guard, fcntl.LOCK_EX)
            file = stack.enter_context(lock.open("w"))
            fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)


def _scratch(jobs: Path) -> Path:
    """Create the folder for temporary files: beside the job, or elsewhere if that is too deep."""
    short = len(str(jobs)) <= _DEEPEST
    return Path(tempfile.mkdtemp(prefix=_SCRATCH, dir=jobs if short else None))


def _clear_abandoned(jobs: Path) -> None:
    """Remove the folders of jobs whose tool was killed: their locks are no longer held."""
    for lock in jobs.glob("*.lock"):
        try:
            with lock.open("r+") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                scratch = Path(file.read())
                _remove_unless_kept(jobs / lock.stem)
                if scratch.name.startswith(_SCRATCH):
                    remove(scratch)
                lock.unlink()
        except (BlockingIOError, FileNotFoundError):
            continue  # in use, or it has just ended


def _remove_unless_kept(folder: Path) -> None:
    if not is_kept(folder):
        remove(folder)


def _address(number: int) -> str:
    """Return a host's own loopback address; macOS has one for all."""
    return f"127.0.{(number + 1) // 256}.{(number + 1) % 256}" if _many() else "127.0.0.1"


def _many() -> bool:
    return sys.platform == "linux"


def _make(host: JobHost, hosts: Sequence[JobHost]) -> None:
    host.ml.mkdir(parents=True)
    (host.root / "work").mkdir()
    try:
        known = Path("/etc/hosts").read_text(errors="replace")
    except OSError:
        known = "127.0.0.1 localhost\n"
    names = "".join(f"{other.address} {other.name}\n" for other in hosts)
    (host.root / "hosts").write_text(f"{known.rstrip()}\n{names}")
