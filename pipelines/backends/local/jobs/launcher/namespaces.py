"""Linux namespaces: a process with its own /opt/ml, host name and, if asked for, network."""

from __future__ import annotations

import ctypes
import fcntl
import os
import shutil
import socket
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
MS_RDONLY, MS_REMOUNT, MNT_DETACH = 0x1, 0x20, 0x2
_SAME_FLAGS = 0x2 | 0x4 | 0x8 | 0x400 | 0x800
"""nosuid, nodev, noexec, noatime, nodiratime: the same to statvfs and to mount."""

_ST_RELATIME, _MS_RELATIME = 0x1000, 0x200000
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
_OPT, _OPT_ML = Path("/opt"), Path("/opt/ml")
_HOSTS = Path("/etc/hosts")
_LIBC = ctypes.CDLL(None, use_errno=True)


def isolate(
    hostname: str,
    folder: str,
    hosts: str,
    network: str,
    layers: Sequence[Mapping[str, Any]] = (),
) -> None:
    """Set this process's /opt/ml, host name, /etc/hosts and, if asked for, its own network.

    Args:
        hostname: the UTS name, `algo-1`.
        folder: what becomes /opt/ml.
        hosts: the file that becomes /etc/hosts.
        network: `shared`; `own`; `lead` for one of its own that other hosts will join; or the
            process id of the launcher that leads.
        layers: folders of the object store that it sees, as `jobs/layers.py` writes them.

    Raises:
        OSError: namespaces are not available; `filename` is the function that failed.
    """
    if network.isdigit():
        _join_network(int(network))
        call("unshare", CLONE_NEWNS | CLONE_NEWUTS)
    else:
        _unshare(CLONE_NEWNS | CLONE_NEWUTS | (CLONE_NEWNET if network in ("own", "lead") else 0))
    if network in ("own", "lead"):
        _raise_loopback()
    here = Path.cwd()
    _mount("none", "/", MS_REC | MS_PRIVATE)
    _make_mount_point()
    _mount(folder, _OPT_ML, MS_BIND | MS_REC)
    for layer in layers:
        _show_layer(**layer)
    if _HOSTS.exists():
        _mount(hosts, _HOSTS, MS_BIND)
    name = hostname.encode()
    call("sethostname", name, len(name))
    os.chdir(here)


def call(name: str, *arguments: object) -> None:
    """Call a function of libc.

    Raises:
        OSError: it did not return 0; `filename` is its name.
    """
    if getattr(_LIBC, name)(*arguments) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), name)


def _mount(
    source: str, target: str | Path, flags: int, kind: bytes | None = None, options: str = ""
) -> None:
    """Mount; `kind` is the file system, None for a bind."""
    data = os.fsencode(options) if options else None
    call("mount", os.fsencode(source), os.fsencode(target), kind, ctypes.c_ulong(flags), data)


def _show_layer(folder: str, lower: str, own: str, access: str) -> None:
    """Let a folder of this machine be seen at a path; where it cannot be mounted, copied or linked.

    Args:
        folder: the path.
        lower: the folder.
        own: where what is written is kept apart.
        access: `own` to keep it apart, `ro` to refuse it, `rw` to write into the folder itself.
    """
    try:
        if access == "own":
            options = f"lowerdir={lower},upperdir={own}/upper,workdir={own}/work,userxattr"
            _mount("overlay", folder, 0, b"overlay", options)
        else:
            _mount(lower, folder, MS_BIND | MS_REC)
        if access == "ro":
            _mount("none", folder, MS_BIND | MS_REMOUNT | MS_RDONLY | _kept_flags(folder))
    except OSError:  # an older kernel, or a file system that no layer can lie on
        _unmount(folder)
        if Path(lower).samefile(folder):
            return
        if access == "rw":
            Path(folder).rmdir()
            Path(folder).symlink_to(lower)
        else:
            shutil.copytree(lower, folder, dirs_exist_ok=True, copy_function=shutil.copyfile)


def _kept_flags(folder: str) -> int:
    """Return the flags of a mount that an ordinary user may not take off it."""
    given = os.statvfs(folder).f_flag
    return given & _SAME_FLAGS | (_MS_RELATIME if given & _ST_RELATIME else 0)


def _unmount(folder: str) -> None:
    """Unmount what only half succeeded."""
    with suppress(OSError):
        call("umount2", os.fsencode(folder), MNT_DETACH)


def _unshare(flags: int) -> None:
    """Leave the shared namespaces, through a user namespace when privileges are missing."""
    if os.geteuid() == 0:
        try:
            call("unshare", flags)
        except PermissionError:
            pass
        else:
            return
    user, group = os.geteuid(), os.getegid()
    call("unshare", flags | CLONE_NEWUSER)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1")


def _join_network(leader: int) -> None:
    """Enter the network (and the user namespace that owns it) of the job's first host."""
    for kind, flag in (("user", CLONE_NEWUSER), ("net", CLONE_NEWNET)):
        theirs = Path(f"/proc/{leader}/ns/{kind}")
        if theirs.stat().st_ino != Path(f"/proc/self/ns/{kind}").stat().st_ino:
            with theirs.open() as namespace:
                call("setns", namespace.fileno(), flag)


def _raise_loopback() -> None:
    """Bring `lo` up in a new network namespace."""
    request = bytearray(40)
    request[:2] = b"lo"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCGIFFLAGS, request)
        request[16] |= IFF_UP
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, request)


def _make_mount_point() -> None:
    """Create /opt/ml without touching the disk: an empty /opt with the old one's children bound.

    An /opt/ml of this machine is no mount point for a job: whoever removes it would unmount what
    every job has there, in the middle of its work.
    """
    os.chdir(_OPT)
    _mount("tmpfs", _OPT, 0, b"tmpfs")
    with os.scandir(".") as children:  # the old /opt: the working directory did not move
        for child in children:
            if child.name != _OPT_ML.name:
                with suppress(FileNotFoundError):  # it has gone meanwhile
                    _show(child, _OPT / child.name)
    _OPT_ML.mkdir()


def _show(child: os.DirEntry[str], target: Path) -> None:
    """Let an entry of the old /opt stand in the new one."""
    if child.is_symlink():
        target.symlink_to(Path(child.name).readlink())
        return
    if child.is_dir():
        target.mkdir()
    else:
        target.touch()
    _mount(child.name, target, MS_BIND | MS_REC)
