"""Ports: a taken default one gives way to the next, a taken configured one is an error."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_TRIES: Final = 50
_BACKLOG: Final = 1024
_LISTEN: Final = "0A"
"""TCP_LISTEN in /proc/net/tcp."""


class CannotListen(Exception):
    """Nobody can listen on this address: it is not one of this machine, or not allowed."""

    def __init__(self, host: str, reason: str) -> None:
        super().__init__(f"{host}: {reason}")
        self.host = host
        self.reason = reason


class PortTaken(Exception):
    """A port that was asked for by number is in use.

    Args:
        owner: who holds it, as far as this user may know; empty: unknown.
    """

    def __init__(self, host: str, port: int, owner: str) -> None:
        super().__init__(f"{host}:{port} is in use" + (f" by {owner}" if owner else ""))
        self.host = host
        self.port = port
        self.owner = owner


@dataclass(frozen=True, slots=True)
class OpenPort:
    """A listening socket. ``moved_from``: the taken default port that it stands in for, or 0."""

    sock: socket.socket
    moved_from: int = 0

    @property
    def host(self) -> str:
        """The address it is bound to."""
        return str(self.sock.getsockname()[0])

    @property
    def port(self) -> int:
        """The port it is bound to."""
        return int(self.sock.getsockname()[1])


def open_port(host: str, port: int, *, is_default: bool) -> OpenPort:
    """Listen on *host* (a name or an address) and *port* (0: any free one).

    Args:
        is_default: nobody chose this port, so that the next free one is as good.

    Raises:
        PortTaken: the port is in use, and somebody chose it (or fifty after it are in use too).
        CannotListen: the host is not one of this machine, or listening is not allowed.
    """
    for candidate in range(port, min(port + (_TRIES if is_default and port else 1), 65_536)):
        try:
            sock = _listen(host, candidate)
        except OSError as exc:
            if exc.errno != errno.EADDRINUSE:
                raise CannotListen(host, exc.strerror or str(exc)) from exc
        else:
            return OpenPort(sock, moved_from=port if candidate != port else 0)
    raise PortTaken(host, port, find_owner(port))


def lan_addresses() -> list[str]:
    """This machine's IPv4 addresses in its networks, the one of the default route first.

    Asked of the routing table: connecting a UDP socket sends nothing.
    """
    found: list[str] = []
    for target in ("192.0.2.1", "192.168.255.254", "10.255.255.254", "172.31.255.254"):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect((target, 9))
            except OSError:
                continue
            address = str(probe.getsockname()[0])
        if address not in found and not address.startswith("127."):
            found.append(address)
    return found


def find_owner(port: int, *, proc: Path = Path("/proc")) -> str:
    """Who listens on a TCP port, as ``name (pid 7)``; empty when it cannot be told."""
    inodes = _listening_inodes(port, proc)
    if not inodes:
        return ""
    sockets = {f"socket:[{inode}]" for inode in inodes}
    for process in proc.glob("[0-9]*"):
        if _held(process) & sockets:
            return f"{_name(process)} (pid {process.name})"
    return ""


def _held(process: Path) -> set[str]:
    """What a process has open; nothing if it is another user's, or gone."""
    held = set()
    try:
        for link in (process / "fd").iterdir():
            with contextlib.suppress(OSError):  # closed meanwhile
                held.add(os.readlink(link))
    except OSError:
        pass
    return held


def _name(process: Path) -> str:
    try:
        return (process / "comm").read_text(encoding="utf-8").strip()
    except OSError:
        return "a process"


def _listen(host: str, port: int) -> socket.socket:
    family, _, _, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    return socket.create_server(
        (str(address[0]), port), family=socket.AddressFamily(family), backlog=_BACKLOG
    )


def _listening_inodes(port: int, proc: Path) -> set[str]:
    inodes = set()
    for table in ("tcp", "tcp6"):
        try:
            lines = (proc / "net" / table).read_text(encoding="ascii").splitlines()[1:]
        except OSError:  # not Linux
            continue
        for columns in map(str.split, lines):
            if columns[3] == _LISTEN and int(columns[1].rpartition(":")[2], 16) == port:
                inodes.add(columns[9])
    return inodes
