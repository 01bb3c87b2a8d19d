"""Who may speak to a node."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tests.support.certificates import make_certificate
from tests.support.nodes import CREDENTIALS, FarNode, RecordingUnit, open_channel, open_pair

from tinyqq._pb import node_pb2 as pb
from tinyqq._pb.node_pb2_grpc import NodeStub
from tinyqq.rpc.auth import Certificates, Credentials
from tinyqq.rpc.mapping import SEEN
from tinyqq.rpc.status import NodeFailed

WRONG = Credentials(b"another secret, as long")
SECRETS = [(), WRONG.metadata, (("tinyqq-secret", "a secret of the cluster"),)]


async def unary(channel: grpc.aio.Channel, metadata: Any) -> None:
    await NodeStub(channel).Call(pb.CallRequest(type=SEEN), metadata=metadata, timeout=30)


async def health(channel: grpc.aio.Channel, metadata: Any) -> None:
    stub: Any = health_pb2_grpc.HealthStub(channel)
    await stub.Check(health_pb2.HealthCheckRequest(), metadata=metadata, timeout=30)


async def chat(channel: grpc.aio.Channel, metadata: Any) -> None:
    await NodeStub(channel).Chat(metadata=metadata, timeout=30).read()


async def unknown(channel: grpc.aio.Channel, metadata: Any) -> None:
    method: Any = channel.unary_unary("/some.Service/Method")
    await method(b"", metadata=metadata, timeout=30)


@pytest.mark.parametrize("metadata", SECRETS)
@pytest.mark.parametrize("ask", [unary, health, chat, unknown])
async def test_stranger_when_asking_anything_then_unauthenticated_and_nothing_else(
    ask: Callable[[grpc.aio.Channel, Any], Awaitable[None]], metadata: Any
) -> None:
    far = FarNode()
    async with far.listen() as server, open_channel(server.port) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await ask(channel, metadata)
        assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
        assert not caught.value.details()
        assert server.counters()["strangers_total"] == 1
    assert (far.fakes.user.calls, far.fakes.chat.sends) == ([], [])


async def test_stranger_when_delivering_then_the_unit_gets_nothing() -> None:
    unit = RecordingUnit()
    async with FarNode(unit=unit).listen() as server, open_channel(server.port) as channel:
        call = NodeStub(channel).Link(metadata=WRONG.metadata, timeout=30)
        with contextlib.suppress(grpc.aio.AioRpcError):  # refused before it was written
            await call.write(pb.Deliveries(kicks=[pb.Kick(user_id=1)]))
        assert await call.code() is grpc.StatusCode.UNAUTHENTICATED
    assert unit.got == []


async def test_friend_when_the_method_is_unknown_then_told_so() -> None:
    async with FarNode().listen() as server, open_channel(server.port) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await unknown(channel, CREDENTIALS.metadata)
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_credentials_when_the_secret_is_short_then_refused() -> None:
    with pytest.raises(ValueError, match="secret"):
        Credentials(b"short")


def test_credentials_when_shown_then_without_the_secrets() -> None:
    shown = repr(Credentials(b"s" * 16, Certificates(b"a", b"c", b"private")))
    assert "ssss" not in shown
    assert "private" not in shown


def certificates(folder: Path) -> Certificates:
    folder.mkdir()
    pem = make_certificate(folder).file.read_bytes()
    return Certificates(pem, pem, (folder / "key.pem").read_bytes())


async def test_certificates_when_both_sides_have_them_then_they_talk(tmp_path: Path) -> None:
    secure = Credentials(CREDENTIALS.secret, certificates(tmp_path / "one"))
    far = FarNode(credentials=secure)
    async with far.listen(), far.links(credentials=secure) as links:
        await links.call(far.node.unit_id, pb.CallRequest(type=SEEN), timeout_s=30)
    assert [name for name, *_ in far.fakes.user.calls] == ["seen"]


async def test_certificates_when_the_caller_has_others_or_none_then_refused(
    tmp_path: Path,
) -> None:
    far = FarNode(credentials=Credentials(CREDENTIALS.secret, certificates(tmp_path / "one")))
    other = Credentials(CREDENTIALS.secret, certificates(tmp_path / "two"))
    async with far.listen():
        for credentials in (CREDENTIALS, other):
            async with far.links(credentials=credentials) as links:
                with pytest.raises(NodeFailed):
                    await links.call(far.node.unit_id, pb.CallRequest(type=SEEN), timeout_s=30)
    assert not far.fakes.user.calls


async def test_pair_when_both_know_the_secret_then_they_talk() -> None:
    async with open_pair() as (far, peer):
        await peer.call(pb.CallRequest(type=SEEN), timeout_s=30)
    assert [name for name, *_ in far.fakes.user.calls] == ["seen"]
