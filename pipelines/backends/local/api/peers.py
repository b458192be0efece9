"""Which user is at the other end of a loopback connection: Linux knows it for every socket.

The kernel is asked once for each connection, for exactly that socket (netlink, `sock_diag(7)`), in
some ten microseconds; where a container denies that, `/proc/net/tcp` lists all sockets. A socket
keeps the user who made it, also in the namespaces of a job.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

Address: TypeAlias = tuple[str, int]
UserLookup: TypeAlias = Callable[[Address, Address], int | None]
"""From the client's and the server's address to the user id of the client's socket; None if the
client has closed it: a closed socket belongs to nobody, and is shown as root's."""

_NETLINK_SOCK_DIAG = 4
_BY_FAMILY, _REQUEST = 20, 1
_HEADER = struct.Struct("=IHHII")
_ASKED = struct.Struct("=BBBxI")
_PORTS = struct.Struct("!HH")
_OWNER = struct.Struct("=II")
_ANY_INTERFACE = struct.pack("=IQ", 0, (1 << 64) - 1)
_ID_AT, _OWNER_AT = 20, 80
_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_MAPPED = "0000000000000000FFFF0000"
_OVERFLOW = Path("/proc/sys/kernel/overflowuid")
_USERS = Path("/proc/self/uid_map")
_ALL_USERS = ["0", "0", "4294967295"]


def working_lookup() -> UserLookup | None:
    """Return a way to look up users that works here, tried on a connection to this process."""
    if sys.platform != "linux" or _may_be_anybody(os.geteuid()):
        return None
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = listener.getsockname()
        with socket.create_connection(server) as client:
            for lookup in (from_kernel, from_table):
                with suppress(OSError):
                    if lookup(client.getsockname(), server) == os.geteuid():
                        return lookup
    return None


def from_kernel(client: Address, server: Address) -> int | None:
    """Ask the kernel for one socket.

    Raises:
        OSError: it does not answer such questions here.
    """
    ports = _PORTS.pack(client[1], server[1])
    places = b"".join(socket.inet_aton(host).ljust(16, b"\0") for host, _ in (client, server))
    asked = _ASKED.pack(socket.AF_INET, socket.IPPROTO_TCP, 0, 0xFFFFFFFF)
    question = asked + ports + places + _ANY_INTERFACE
    head = _HEADER.pack(_HEADER.size + len(question), _BY_FAMILY, _REQUEST, 0, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG) as kernel:
        kernel.send(head + question)
        answer = kernel.recv(4096)
    kind = _HEADER.unpack_from(answer)[1]
    if kind != _BY_FAMILY or answer[_ID_AT : _ID_AT + len(ports)] != ports:
        return None  # there is no such socket, or only one that listens
    user, inode = _OWNER.unpack_from(answer, _OWNER_AT)
    return user if inode else None


def from_table(client: Address, server: Address) -> int | None:
    """Find one socket in the tables of all.

    Raises:
        OSError: they cannot be read.
    """
    wanted = tuple(_hexadecimal(address) for address in (client, server))
    for table in _TABLES:
        if not table.exists():
            continue
        for line in table.read_text(encoding="ascii").splitlines()[1:]:
            fields = line.split()
            if (fields[1].removeprefix(_MAPPED), fields[2].removeprefix(_MAPPED)) == wanted:
                return int(fields[7]) if int(fields[9]) else None
    return None


def _hexadecimal(address: Address) -> str:
    """Write an address as the tables do: its four bytes as a number of this machine."""
    (number,) = struct.unpack("=I", socket.inet_aton(address[0]))
    return f"{number:08X}:{address[1]:04X}"


def _may_be_anybody(user: int) -> bool:
    """Return whether this user id also stands for users that this namespace does not know."""
    try:
        overflow = int(_OVERFLOW.read_text(encoding="ascii"))
        return user == overflow and _USERS.read_text(encoding="ascii").split() != _ALL_USERS
    except (OSError, ValueError):
        return True
