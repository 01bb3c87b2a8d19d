"""A real nginx before the units, on the configuration that `tinyqq nginx` makes of the registry."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.e2e.processes import ENVIRONMENT, TINYQQ, Server, run_tinyqq, serving, unit_folder
from tests.e2e.storm import gathering
from tests.support.certificates import make_certificate
from tests.support.gateway import Peer, TcpPeer, WsPeer

from tinyqq.app.build import App, build
from tinyqq.app.nginx import Front, find_stream_module, make_config
from tinyqq.app.settings import Settings
from tinyqq.errors import ErrorCode, TinyQQError
from tinyqq.lab.servers.mariadb import MariaDb
from tinyqq.lab.servers.nginx import NginxServer
from tinyqq.lab.servers.process import ServerProcess, free_ports, wait_until
from tinyqq.lab.servers.redis import RedisServer
from tinyqq.lab.servers.zookeeper import ZookeeperServer
from tinyqq.model.account import Register
from tinyqq.model.connection import Heartbeat, Pulse
from tinyqq.model.ids import OperationId
from tinyqq.storage.open import migrate_storage
from tinyqq.wire.packets import PacketType

pytestmark = [
    pytest.mark.slow,
    pytest.mark.needs("mariadb", "redis", "zookeeper", "nginx"),
    pytest.mark.timeout(600),
]

TIMEOUT_S = 300.0
BEFORE_AND_AFTER = 150
"""Messages that a storm has brought through before the next thing breaks."""
EXAMPLE = Path(__file__).parents[2] / "examples" / "two_friends.py"


# ---- one unit in this process -------------------------------------------------------------------


@asynccontextmanager
async def tcp_from(host: str, port: int, tls: ssl.SSLContext | None = None) -> AsyncIterator[Peer]:
    """A client over TCP that has this address."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(host, 0), ssl=tls)
    try:
        yield TcpPeer(reader, writer)
    finally:
        writer.close()
        await writer.wait_closed()


@asynccontextmanager
async def websocket_from(
    host: str, port: int, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Peer]:
    """The same over WebSocket, with a forged forwarded address."""
    connector = aiohttp.TCPConnector(local_addr=(host, 0), ssl=tls or True)
    forged = {"X-Forwarded-For": "198.51.100.9"}
    url = f"{'wss' if tls else 'ws'}://127.0.0.1:{port}/ws"
    async with (
        aiohttp.ClientSession(connector=connector, headers=forged) as session,
        session.ws_connect(url) as websocket,
    ):
        yield WsPeer(websocket)


async def register(peer: Peer) -> ErrorCode | None:
    """Try to make an account; the reason if it is refused."""
    await peer.hello()
    answer = await peer.ask(
        PacketType.REGISTER, Register(OperationId(os.urandom(16)), "小明", "correct horse")
    )
    return answer.code if isinstance(answer, TinyQQError) else None


@asynccontextmanager
async def fronted_unit(
    folder: Path, *, unit_tls: dict[str, Path] | None = None, **front: Any
) -> AsyncIterator[tuple[App, int, int]]:
    """A unit that lets one address make two accounts; the ports of the nginx before it."""
    settings = Settings.model_validate(
        {
            "data_dir": folder / "data",
            "listen": {"tcp_port": 0, "http_port": 0, "trusted_proxies": ("127.0.0.1",)},
            "tls": unit_tls or {},
            "accounts": {
                "argon2_memory_kib": 8,
                "argon2_passes": 1,
                "registrations_per_address_per_hour": 2,
            },
        }
    )
    tcp, http = free_ports(2)
    made = Front(
        tcp=f"127.0.0.1:{tcp}",
        http=front.pop("http", f"127.0.0.1:{http}"),
        stream_module=find_stream_module(),
        home=folder,
        **front,
    )
    async with build(settings) as app:
        config = folder / "nginx.conf"
        config.write_text(make_config(app.registry.nodes(), made))
        with NginxServer(folder, config=config, port=tcp):
            yield app, tcp, http


async def test_client_when_behind_nginx_then_the_throttle_counts_its_own_address(
    tmp_path: Path,
) -> None:
    async with fronted_unit(tmp_path) as (app, tcp, http):
        for host in ("127.0.0.2", "127.0.0.3"):
            async with tcp_from(host, tcp) as peer:
                assert await register(peer) is None
            async with websocket_from(host, http) as peer:
                assert await register(peer) is None
            async with websocket_from(host, http) as peer:
                assert await register(peer) is ErrorCode.TOO_MANY_REGISTRATIONS
            async with tcp_from(host, tcp) as peer:
                assert await register(peer) is ErrorCode.TOO_MANY_REGISTRATIONS
        async with aiohttp.ClientSession() as session:
            async with session.get(f"http://127.0.0.1:{http}/v1/units") as answer:
                [unit] = (await answer.json())["units"]
                assert unit["tcp"] == app.tcp_url
            async with session.get(f"http://127.0.0.1:{http}/metrics") as answer:
                assert answer.status == 404


@pytest.mark.parametrize(
    ("unit_speaks", "nginx_speaks"), [(True, False), (False, True), (True, True)]
)
async def test_tls_when_the_unit_or_nginx_or_both_speak_it_then_clients_are_seen(
    tmp_path: Path, unit_speaks: bool, nginx_speaks: bool
) -> None:
    certificate = make_certificate(tmp_path)
    files = {"cert_file": certificate.file, "key_file": certificate.file.with_name("key.pem")}
    tls = ssl.create_default_context(cafile=certificate.file)
    front: dict[str, Any] = files if nginx_speaks else {"http": ""}
    unit_tls = files if unit_speaks else None
    async with fronted_unit(tmp_path, unit_tls=unit_tls, **front) as (_, tcp, http):
        for host in ("127.0.0.2", "127.0.0.3"):
            for _ in range(2):
                async with tcp_from(host, tcp, tls) as peer:
                    assert await register(peer) is None
            ways = [tcp_from(host, tcp, tls)]
            if nginx_speaks:
                ways.append(websocket_from(host, http, tls))
            for way in ways:
                async with way as peer:
                    assert await register(peer) is ErrorCode.TOO_MANY_REGISTRATIONS


# ---- units, nginx and its keeper as processes ----------------------------------------------------


@dataclass
class Fronted:
    """A cluster behind an nginx that `tinyqq nginx --watch` keeps true."""

    folder: Path
    shared: tuple[str, str, str]
    zookeeper: ZookeeperServer
    nginx: NginxServer
    keeper: ServerProcess
    tcp_port: int
    http_port: int
    units: dict[str, Server]
    running: ExitStack

    @property
    def config(self) -> Path:
        """What nginx runs with."""
        return self.folder / "nginx" / "nginx.conf"

    @property
    def tcp_url(self) -> str:
        """Through nginx."""
        return f"tinyqq://127.0.0.1:{self.tcp_port}"

    @property
    def websocket_url(self) -> str:
        """Through nginx."""
        return f"ws://127.0.0.1:{self.http_port}/ws"

    async def start_unit(self, name: str, *flags: str) -> None:
        """One more, or one again."""
        folder = self.folder / name
        if not folder.exists():
            unit_folder(folder, *self.shared)
        flags += ("--set", "listen.trusted_proxies=127.0.0.1")
        # Who is there early stays for all of the test, without logging in.
        flags += ("--set", "limits.log_in_timeout_s=300")
        unit = serving(folder, *flags)
        self.units[name] = await asyncio.to_thread(self.running.enter_context, unit)

    def sees(self, *names: str) -> bool:
        """Whether nginx is told of these units, and of no other."""
        text = self.config.read_text()
        told = {name for name, unit in self.units.items() if f"{_port(unit.tcp_url)} max" in text}
        return told == set(names)

    async def until_it_sees(self, *names: str) -> None:
        """Wait for the keeper."""
        await asyncio.to_thread(wait_until, lambda: self.sees(*names), what="the new file")

    async def greeters(self, connections: int) -> set[str]:
        """Which units answer to that many new connections at once."""
        async with AsyncExitStack() as stack:
            peers = [
                await stack.enter_async_context(tcp_from("127.0.0.1", self.tcp_port))
                for _ in range(connections)
            ]
            return {(await peer.hello()).unit_id for peer in peers}


def _port(url: str) -> str:
    return url.rpartition(":")[2]


def keeper(folder: Path, config: Path, *flags: str) -> ServerProcess:
    """`tinyqq nginx --watch`."""
    return ServerProcess(
        name="keeper",
        command=[TINYQQ, "nginx", "--output", config, *flags, "--watch"],
        folder=folder,
        environment=ENVIRONMENT,
        is_ready=config.exists,
    )


@pytest.fixture
async def fronted(
    tmp_path: Path, mariadb: MariaDb, redis: RedisServer, zookeeper: ZookeeperServer
) -> AsyncIterator[Fronted]:
    shared = mariadb.make_database(), f"{redis.url}/0", f"{zookeeper.url}/nginx"
    await migrate_storage(shared[0])
    home = tmp_path / "nginx"
    home.mkdir()
    tcp, http = free_ports(2)
    flags = "--tcp", f"127.0.0.1:{tcp}", "--http", f"127.0.0.1:{http}", "--home", str(home)
    config = home / "nginx.conf"
    with ExitStack() as running:
        site = Fronted(
            folder=tmp_path,
            shared=shared,
            zookeeper=zookeeper,
            nginx=NginxServer(home, config=config, port=http),
            keeper=keeper(unit_folder(tmp_path / "keeper", *shared), config, *flags),
            tcp_port=tcp,
            http_port=http,
            units={},
            running=running,
        )
        for name in ("one", "two"):
            await site.start_unit(name)
        printed = run_tinyqq(site.keeper.folder, "nginx", *flags)
        assert printed.returncode == 0, printed.stderr
        config.write_text(printed.stdout)
        with site.nginx, site.keeper:
            yield site


async def meet(url: str) -> None:
    """Run the example with the two friends."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(EXAMPLE), "--url", url,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()


async def test_friends_when_they_come_by_any_way_then_they_meet(fronted: Fronted) -> None:
    directory = f"http://127.0.0.1:{fronted.http_port}"
    async with asyncio.timeout(TIMEOUT_S), asyncio.TaskGroup() as group:
        for url in (fronted.tcp_url, fronted.websocket_url, directory):
            group.create_task(meet(url))


async def test_units_when_they_come_and_go_then_nginx_is_told(fronted: Fronted) -> None:
    async with asyncio.timeout(TIMEOUT_S):
        assert fronted.sees("one", "two")
        async with tcp_from("127.0.0.1", fronted.tcp_port) as early:
            home = (await early.hello()).unit_id
            is_home = {
                name: home.endswith(_port(unit.tcp_url)) for name, unit in fronted.units.items()
            }
            stays, goes = sorted(is_home, key=lambda name: not is_home[name])
            await fronted.start_unit("three")
            await fronted.until_it_sees("one", "two", "three")
            while len(await fronted.greeters(6)) < 3:
                pass  # nginx takes the file when it has the time

            gone = fronted.units[goes].stop
            assert (await asyncio.to_thread(gone))[0] == 0
            await fronted.until_it_sees(stays, "three")

            fronted.zookeeper.kill()
            fronted.units["three"].kill()
            assert len(await fronted.greeters(6)) == 1
            assert fronted.sees(stays, "three")
            await asyncio.to_thread(fronted.zookeeper.start)
            await fronted.until_it_sees(stays)
            assert len(await fronted.greeters(3)) == 1
            assert isinstance(await early.ask(PacketType.HEARTBEAT, Heartbeat()), Pulse)


async def test_storm_when_a_unit_and_then_nginx_is_killed_then_nothing_is_lost_or_doubled(
    fronted: Fronted, tmp_path: Path
) -> None:
    urls = [fronted.tcp_url, fronted.websocket_url]
    async with asyncio.timeout(TIMEOUT_S), gathering(urls, tmp_path) as storm:
        async with storm.raging():
            await storm.reaches(BEFORE_AND_AFTER)
            storm.forget_times()
            await asyncio.to_thread(fronted.units["one"].kill)
            await storm.reaches(BEFORE_AND_AFTER)
            storm.report("unit behind nginx killed")
            storm.forget_times()
            fronted.nginx.kill()
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", fronted.tcp_port))
            fronted.nginx.start()
            await storm.reaches(BEFORE_AND_AFTER)
        storm.report("nginx killed")
        await storm.check()
