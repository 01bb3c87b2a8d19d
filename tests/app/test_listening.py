"""Ports that are free, taken by default, taken by choice."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tinyqq.app.listening import CannotListen, PortTaken, find_owner, lan_addresses, open_port


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        yield holder.getsockname()[1]


def test_open_port_when_free_then_it_listens_there() -> None:
    opened = open_port("127.0.0.1", 0, is_default=False)
    with opened.sock:
        assert opened.host == "127.0.0.1"
        assert opened.port > 0
        assert opened.moved_from == 0
        socket.create_connection((opened.host, opened.port), timeout=30).close()


def test_open_port_when_a_default_one_is_taken_then_the_next_free_one(taken: int) -> None:
    opened = open_port("127.0.0.1", taken, is_default=True)
    with opened.sock:
        assert opened.port > taken
        assert opened.moved_from == taken


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="the owner is read from /proc")
def test_open_port_when_a_chosen_one_is_taken_then_the_error_names_its_owner(taken: int) -> None:
    with pytest.raises(PortTaken) as caught:
        open_port("127.0.0.1", taken, is_default=False)
    assert f"127.0.0.1:{taken} is in use by" in str(caught.value)
    assert f"(pid {os.getpid()})" in caught.value.owner


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid"])
def test_open_port_when_the_host_is_not_ours_then_the_error_names_it(host: str) -> None:
    with pytest.raises(CannotListen) as caught:
        open_port(host, 0, is_default=True)
    assert caught.value.host == host
    assert caught.value.reason


def test_open_port_when_ipv6_then_it_listens_there() -> None:
    try:
        opened = open_port("::1", 0, is_default=True)
    except CannotListen:
        pytest.skip("no IPv6 here")
    with opened.sock:
        assert opened.host == "::1"


def test_find_owner_when_there_is_no_proc_then_nobody(tmp_path: Path) -> None:
    assert find_owner(7001, proc=tmp_path) == ""


def test_find_owner_when_the_process_is_hidden_then_nobody(tmp_path: Path) -> None:
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "tcp").write_text(
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"
        "   0: 0100007F:1B59 00000000:0000 0A 00000000:00000000 00:00000000 00000000  0 0 4242 1\n",
        encoding="ascii",
    )
    (tmp_path / "7" / "fd").mkdir(parents=True)
    (tmp_path / "8").mkdir()
    assert find_owner(7001, proc=tmp_path) == ""
    (tmp_path / "7" / "fd" / "3").symlink_to("socket:[4242]")
    (tmp_path / "7" / "comm").write_text("nginx\n", encoding="ascii")
    assert find_owner(7001, proc=tmp_path) == "nginx (pid 7)"


def test_lan_addresses_when_asked_then_never_loopback() -> None:
    assert not [address for address in lan_addresses() if address.startswith("127.")]
