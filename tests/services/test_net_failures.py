"""To what a lost push is put down."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.support.net_fixtures import NODE, OTHER, THERE, Picture, Presence

from tinyqq.model.ids import UnitId
from tinyqq.services.net_failures import (
    BROKEN_LINK,
    DEAD_WRITER,
    STALE_PRESENCE,
    UNKNOWN,
    NetFailures,
)
from tinyqq.testing.clock import FakeClock

RECENT_S = 5.0


class Scene:
    """What failures are told from; *heard* counts how often pushes may have been lost."""

    def __init__(self) -> None:
        self.registry, self.presence, self.clock = Picture(), Presence(), FakeClock()
        self.heard = 0
        self.failures = NetFailures(
            registry=self.registry,
            presence=self.presence,
            clock=self.clock,
            recent_s=RECENT_S,
            on_failure=self._hear,
        )

    def _hear(self) -> None:
        self.heard += 1


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_reason_when_nothing_is_known_then_unknown(scene: Scene) -> None:
    assert scene.failures.reason_for(OTHER) == UNKNOWN
    assert (scene.failures.owners, scene.heard) == ({OTHER: THERE}, 0)


def test_reason_when_nobody_has_the_number_then_a_dead_writer(scene: Scene) -> None:
    scene.registry.show()
    assert scene.failures.reason_for(OTHER) == DEAD_WRITER
    assert scene.heard == 1


def test_reason_when_a_link_broke_then_that_for_some_seconds(scene: Scene) -> None:
    scene.failures.link_broke(UnitId("another"))
    scene.failures.link_broke(THERE)
    scene.clock.advance(RECENT_S)
    assert scene.failures.reason_for(OTHER) == BROKEN_LINK
    scene.clock.advance(0.1)
    assert scene.failures.reason_for(OTHER) == UNKNOWN
    assert scene.heard == 2


def test_reason_when_the_link_of_another_broke_then_not_that(scene: Scene) -> None:
    scene.failures.link_broke(UnitId("another"))
    assert scene.failures.reason_for(OTHER) == UNKNOWN


def test_reason_when_the_node_started_anew_then_a_broken_link(scene: Scene) -> None:
    scene.registry.show(replace(NODE, incarnation="second"))
    assert scene.failures.reason_for(OTHER) == BROKEN_LINK


def test_reason_when_presence_lost_something_then_that_for_some_seconds(scene: Scene) -> None:
    scene.presence.on_loss[0]()
    assert scene.failures.reason_for(OTHER) == STALE_PRESENCE
    scene.clock.advance(RECENT_S + 0.1)
    assert scene.failures.reason_for(OTHER) == UNKNOWN
    assert scene.heard == 1
