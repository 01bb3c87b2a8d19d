"""The PROXY protocol, versions 1 and 2: who the client is, told by a proxy before its first byte.

Written down by the authors of HAProxy (proxy-protocol.txt). Version 1 is a line of text,
``PROXY TCP4 192.0.2.7 198.51.100.1 56324 7001\\r\\n``; version 2 has a signature, a fixed head and
a length. Neither looks like a packet or like TLS, from the first byte on.
"""

from __future__ import annotations

import ipaddress
import struct
from typing import Final

from tinyqq.errors import ErrorCode, ProtocolError

MAX_LINE_BYTES: Final = 107
MAX_HEADER_BYTES: Final = 4096
"""Of version 2, with everything that a proxy may add to it; usual are 28 to 300."""
_LINE_START: Final = b"PROXY "
_SIGNATURE: Final = b"\r\n\r\n\x00\r\nQUIT\n"
_HEAD: Final = struct.Struct(">12sBBH")
_FAMILIES: Final = {1: 4, 2: 16}
"""Bytes of an address, by family."""
_LOCAL, _PROXY = 0x20, 0x21


class ProxyHeaderReader:
    """Reads the header of one connection. Any chunking of the bytes gives the same result.

    ``is_done``: the header is complete, or there is none. ``address``: the client's as text; empty:
    there is no header, or it names none (the proxy speaks for itself), so the connection's own
    peer is the client. ``error``: set, for good, when there is a header that cannot be read.
    """

    __slots__ = ("_held", "address", "error", "is_done")

    def __init__(self) -> None:
        self.address = ""
        self.error: ProtocolError | None = None
        self.is_done = False
        self._held = b""

    def feed(self, data: bytes) -> int:
        """Take what belongs to the header; returns how many bytes of *data* that is.

        Nothing is taken any more when ``is_done`` or ``error`` is set. Without a header nothing is
        taken at all: the first byte tells.
        """
        if self.is_done or self.error is not None or not data:
            return 0
        held = len(self._held)
        given = self._held + data
        try:
            if given.startswith(_LINE_START[:1]):
                size = self._read_line(given)
            elif given.startswith(_SIGNATURE[:1]):
                size = self._read_binary(given)
            else:
                self.is_done = True
                return 0
        except ValueError as exc:
            self.error = ProtocolError(ErrorCode.MALFORMED, reason=f"PROXY header: {exc}")
            return len(data)
        if not size:
            self._held = given
            return len(data)
        self.is_done = True
        self._held = b""
        return size - held

    def _read_line(self, given: bytes) -> int:
        """Its size; 0: it is not complete yet."""
        _check_start(given, _LINE_START)
        line, end, _ = given[:MAX_LINE_BYTES].partition(b"\r\n")
        if not end:
            if len(given) >= MAX_LINE_BYTES:
                raise ValueError("no end of the line")
            return 0
        words = line.decode("ascii").split(" ")[1:]
        if words[0] != "UNKNOWN":
            self.address = _address_of_line(words)
        return len(line) + len(end)

    def _read_binary(self, given: bytes) -> int:
        """Its size; 0: it is not complete yet."""
        _check_start(given, _SIGNATURE)
        if len(given) < _HEAD.size:
            return 0
        _, command, family, length = _HEAD.unpack_from(given)
        size: int = _HEAD.size + length
        if command not in (_LOCAL, _PROXY):
            raise ValueError("another version or command")
        if size > MAX_HEADER_BYTES:
            raise ValueError("too long")
        if len(given) < size:
            return 0
        address_bytes = _FAMILIES.get(family >> 4)
        if command == _PROXY and address_bytes is not None:
            if length < 2 * address_bytes + 4:
                raise ValueError("too short for its addresses")
            source = given[_HEAD.size : _HEAD.size + address_bytes]
            self.address = _as_text(ipaddress.ip_address(source))
        return size


def _check_start(given: bytes, start: bytes) -> None:
    if given[: len(start)] != start[: len(given)]:
        raise ValueError("not one")


def _address_of_line(words: list[str]) -> str:
    protocol, source, target, *ports = words
    addresses = [ipaddress.ip_address(text) for text in (source, target)]
    if any(protocol != f"TCP{one.version}" for one in addresses):
        raise ValueError("another protocol")
    if len(ports) != 2 or any(not port.isdecimal() or int(port) > 65_535 for port in ports):
        raise ValueError("not two ports")
    return _as_text(addresses[0])


def _as_text(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """An IPv4 client of a proxy that listens on IPv6 is one client with one address."""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)
