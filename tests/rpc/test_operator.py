"""What an operator asks a node."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.support.nodes import CREDENTIALS, FarNode

from tinyqq.errors import NotFound
from tinyqq.rpc.auth import Credentials
from tinyqq.rpc.operator import ask_health, ask_to_drain
from tinyqq.rpc.status import NodeFailed


async def test_drain_when_asked_then_the_node_begins_to() -> None:
    far = FarNode()
    async with far.listen():
        await ask_to_drain(far.node, CREDENTIALS)
    assert far.asked_to_drain.is_set()


async def test_drain_when_another_start_of_it_is_meant_then_it_stays() -> None:
    far = FarNode()
    async with far.listen():
        with pytest.raises(NotFound):
            await ask_to_drain(replace(far.node, incarnation="before"), CREDENTIALS)
    assert not far.asked_to_drain.is_set()


async def test_drain_when_a_stranger_asks_then_nothing() -> None:
    far = FarNode()
    async with far.listen():
        with pytest.raises(NodeFailed):
            await ask_to_drain(far.node, Credentials(b"not the cluster's secret"))
    assert not far.asked_to_drain.is_set()


async def test_drain_when_the_node_is_gone_then_failed() -> None:
    far = FarNode()
    async with far.listen():
        pass
    with pytest.raises(NodeFailed):
        await ask_to_drain(far.node, CREDENTIALS)


async def test_health_when_asked_then_answered_but_to_no_stranger() -> None:
    far = FarNode()
    async with far.listen():
        await ask_health(far.node, CREDENTIALS, timeout_s=30)
        with pytest.raises(NodeFailed):
            await ask_health(far.node, Credentials(b"not the cluster's secret"), timeout_s=30)
