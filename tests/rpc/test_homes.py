"""Homes: the same for all who see the same nodes, and none that should not be asked."""

from __future__ import annotations

from tests.support.dispatching import FakeLinks, Picture, node
from tests.support.nodes import Outcomes

from tinyqq.model.ids import ConversationId, UnitId
from tinyqq.ports.services import Home
from tinyqq.rpc.homes import Homes

NAMES = ("a", "b", "c")


class World:
    """Nodes that see each other; each has links to the others."""

    def __init__(self) -> None:
        self.picture = Picture(*(node(name, "proxy", "chat") for name in NAMES))
        self.links = FakeLinks(*NAMES)
        self.homes = {
            name: Homes(own=UnitId(name), registry=self.picture, links=self.links.links)
            for name in NAMES
        }

    def find(self, name: str, conversation_id: int = 10_000) -> Home | None:
        return self.homes[name].find(ConversationId(conversation_id))

    def place(self, conversation_id: int = 10_000) -> UnitId:
        """Where it is gathered, as those see it who are not it."""
        places = set()
        for name in NAMES:
            home = self.find(name, conversation_id)
            if home is None:
                continue
            home.send(Outcomes().send(1))
            [place] = (one for one, peer in self.links.peers.items() if peer.taken)
            self.links.peers[place].taken.clear()
            places.add(place)
        [place] = places
        return place


def is_open(home: Home | None) -> bool:
    return home is not None and home.is_open


def test_find_then_all_find_the_same_and_its_own_node_none() -> None:
    world = World()
    places = {number: world.place(number) for number in range(10_000, 10_030)}
    assert set(places.values()) == set(NAMES)
    for number, place in places.items():
        assert [name for name in NAMES if world.find(name, number) is None] == [place]


def test_home_when_it_drains_then_it_is_closed_and_another_found() -> None:
    world = World()
    place = world.place()
    other = next(name for name in NAMES if name != place)
    home = world.find(other)
    assert is_open(home)
    world.picture.show(*(node(name, "chat", draining=name == place) for name in NAMES))
    assert not is_open(home)
    assert world.place() != place


def test_home_when_it_does_not_answer_then_it_is_closed_and_none_found() -> None:
    world = World()
    place = world.place()
    other = next(name for name in NAMES if name != place)
    home = world.find(other)
    assert is_open(home)
    world.links.peers[place].is_well = False
    assert not is_open(home)
    assert world.find(other) is None


def test_find_when_a_node_has_other_roles_then_it_is_none() -> None:
    world = World()
    world.picture.show(node("a", "chat"), node("b", "proxy"), node("c", "user"))
    assert [world.find(name) is None for name in NAMES] == [True, False, False]
