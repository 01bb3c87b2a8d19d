"""A node's figures between records and messages; a total mapping both ways."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict

from tinyqq._pb import node_pb2 as pb
from tinyqq.model.figures import LinkFigures, NodeFigures, Sample
from tinyqq.model.ids import UnitId

TellFigures = Callable[[int], Awaitable[NodeFigures]]
"""What this node tells of itself, with so many of the last samples."""


def figures_to(figures: NodeFigures) -> pb.FiguresReply:
    """The message."""
    return pb.FiguresReply(
        identity=pb.Identity(unit_id=figures.unit_id, incarnation=figures.incarnation),
        at_ms=figures.at_ms,
        up_s=figures.up_s,
        counters=figures.counters,
        states=figures.states,
        links=[pb.LinkFigures(**asdict(one)) for one in figures.links],
        samples=[pb.Sample(**asdict(one)) for one in figures.samples],
    )


def figures_from(message: pb.FiguresReply) -> NodeFigures:
    """The record."""
    return NodeFigures(
        unit_id=UnitId(message.identity.unit_id),
        incarnation=message.identity.incarnation,
        at_ms=message.at_ms,
        up_s=message.up_s,
        counters=dict(message.counters),
        states=dict(message.states),
        links=tuple(_link_from(one) for one in message.links),
        samples=tuple(_sample_from(one) for one in message.samples),
    )


def _link_from(message: pb.LinkFigures) -> LinkFigures:
    return LinkFigures(
        to=UnitId(message.to),
        deliveries=message.deliveries,
        sends=message.sends,
        calls=message.calls,
        breaks=message.breaks,
        waiting=message.waiting,
    )


def _sample_from(message: pb.Sample) -> Sample:
    return Sample(
        at_ms=message.at_ms,
        seconds=message.seconds,
        sends=message.sends,
        deliveries=message.deliveries,
        sessions=message.sessions,
        commits=message.commits,
        commit_p50_ms=message.commit_p50_ms,
        commit_p99_ms=message.commit_p99_ms,
        commit_max_ms=message.commit_max_ms,
        lag_p50_ms=message.lag_p50_ms,
        lag_p99_ms=message.lag_p99_ms,
        lag_max_ms=message.lag_max_ms,
    )
