"""A node's figures on the wire."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.nodes import FAR, FarNode

from tinyqq._pb import node_pb2 as pb
from tinyqq.errors import Unavailable
from tinyqq.model.figures import LinkFigures, NodeFigures, Sample
from tinyqq.model.ids import UnitId
from tinyqq.rpc.figures import figures_from, figures_to
from tinyqq.rpc.status import NodeFailed

COUNTS = st.integers(0, 2**63)
NUMBERS = st.floats(0, 1e9)
NAMES = st.text(min_size=1, max_size=8)
FIGURES = NodeFigures(FAR, "first", at_ms=7, up_s=1.5)


@given(
    st.builds(
        NodeFigures,
        unit_id=NAMES.map(UnitId),
        incarnation=NAMES,
        at_ms=COUNTS,
        up_s=NUMBERS,
        counters=st.dictionaries(NAMES, NUMBERS),
        states=st.dictionaries(NAMES, NAMES),
        links=st.lists(
            st.builds(LinkFigures, NAMES.map(UnitId), COUNTS, COUNTS, COUNTS, COUNTS, COUNTS),
            max_size=3,
        ).map(tuple),
        samples=st.lists(
            st.builds(
                Sample,
                COUNTS, NUMBERS, COUNTS, COUNTS, COUNTS, COUNTS,
                NUMBERS, NUMBERS, NUMBERS, NUMBERS, NUMBERS, NUMBERS,
            ),
            max_size=3,
        ).map(tuple),
    )
)  # fmt: skip
def test_figures_when_they_travel_then_they_arrive_whole(figures: NodeFigures) -> None:
    data = figures_to(figures).SerializeToString()
    assert figures_from(pb.FiguresReply.FromString(data)) == figures


async def test_ask_when_a_node_has_figures_then_they_come_and_are_no_call() -> None:
    async def tell(samples: int) -> NodeFigures:
        return replace(FIGURES, counters={"asked": samples})

    far = FarNode(figures=tell)
    async with far.listen() as server, far.links() as links:
        found = await links.ask_figures(FAR, 12, timeout_s=30)
        assert found == replace(FIGURES, counters={"asked": 12.0})
        assert server.counters()["calls_received_total"] == 0


async def test_ask_when_a_node_hangs_then_failed_by_the_deadline() -> None:
    async def tell(samples: int) -> NodeFigures:
        await asyncio.Event().wait()
        raise AssertionError

    far = FarNode(figures=tell)
    async with far.listen(), far.links() as links, asyncio.timeout(30):
        with pytest.raises(NodeFailed):
            await links.ask_figures(FAR, 1, timeout_s=0.1)


async def test_ask_when_a_node_fails_or_tells_nothing_then_unavailable() -> None:
    async def tell(samples: int) -> NodeFigures:
        raise RuntimeError("a bug")

    for far in (FarNode(figures=tell), FarNode()):
        async with far.listen(), far.links() as links:
            with pytest.raises(Unavailable):
                await links.ask_figures(FAR, 1, timeout_s=30)


async def test_ask_when_there_is_no_such_node_then_failed() -> None:
    async with FarNode().links() as links:
        with pytest.raises(NodeFailed):
            await links.ask_figures(FAR, 1, timeout_s=1)
        assert links.figures() == ()
