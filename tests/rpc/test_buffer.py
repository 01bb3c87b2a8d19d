"""Deliveries that wait: order, bounds, what is dropped."""

from __future__ import annotations

from tests.support.gateway import ANN, BOB, entry_push

from tinyqq._pb import node_pb2 as pb
from tinyqq.model.account import Caller, KickReason
from tinyqq.model.friend import PresenceChanged
from tinyqq.model.ids import DeviceId, SessionId, UserId, direct_conversation
from tinyqq.model.message import Mark, MarkMany
from tinyqq.ports.delivery import Hint, Kick
from tinyqq.rpc.buffer import DeliveryBuffer, Note
from tinyqq.wire.packets import PacketType

CHAT = direct_conversation(ANN, BOB)
KICK = Kick(ANN, KickReason.REVOKED, None, None, SessionId(0), "")
HINT = Hint((ANN,), PresenceChanged(BOB, online=True), SessionId(0))
CALLER = Caller(ANN, DeviceId(b"d" * 16), SessionId(1))


def buffer(max_bytes: int = 1000, max_age_s: float = 5.0) -> DeliveryBuffer:
    return DeliveryBuffer(max_bytes=max_bytes, max_age_s=max_age_s)


def seqs(batch: pb.Deliveries | None) -> list[int]:
    return [] if batch is None else [one.seq for one in batch.pushes]


def fill(one: DeliveryBuffer, *numbers: int, now: float = 0.0) -> int:
    """Add pushes; how many wait then."""
    one.add([entry_push(CHAT, number, body=b"x" * 100) for number in numbers], now)
    return len(one)


def test_take_when_nothing_waits_then_none() -> None:
    assert buffer().take(0.0, 1000) is None


def test_take_when_of_every_kind_then_all_in_one_batch() -> None:
    one = buffer()
    note = Note(PacketType.MARK, CALLER, Mark(CHAT))
    one.add((KICK, entry_push(CHAT, 1), HINT, note), 0.0)
    batch = one.take(0.0, 1000)
    assert batch is not None
    counts = [len(many) for many in (batch.pushes, batch.hints, batch.kicks, batch.notes)]
    assert counts == [1, 1, 1, 1]
    assert len(one) == 0


def test_add_when_a_note_has_many_marks_then_it_takes_their_room() -> None:
    one = buffer(max_bytes=1000)
    one.add([Note(PacketType.MARK_MANY, CALLER, MarkMany((Mark(CHAT),) * 100))], 0.0)
    assert (len(one), one.dropped_full) == (0, 1)


def test_take_when_there_is_more_than_fits_then_in_order_in_several() -> None:
    one = buffer(max_bytes=10_000)
    fill(one, *range(1, 8))
    first, second, third = (one.take(0.0, 900) for _ in range(3))
    assert seqs(first) + seqs(second) + seqs(third) == list(range(1, 8))
    assert len(seqs(first)) == 3


def test_take_when_one_item_is_larger_than_a_batch_then_alone() -> None:
    one = buffer()
    fill(one, 1, 2)
    assert seqs(one.take(0.0, 10)) == [1]


def test_add_when_full_then_dropped_and_counted() -> None:
    one = buffer(max_bytes=600)
    assert fill(one, 1, 2, 3) == 2
    assert one.dropped_full == 1
    assert seqs(one.take(0.0, 1000)) == [1, 2]
    assert fill(one, 4) == 1


def test_add_when_full_then_a_kick_still_fits() -> None:
    one = buffer(max_bytes=0)
    assert fill(one, 1) == 0
    one.add((KICK,), 0.0)
    assert len(one) == 1


def test_add_when_full_of_kicks_then_bounded_too() -> None:
    one = buffer(max_bytes=0)
    one.add([KICK] * 1000, 0.0)
    assert 0 < len(one) < 1000


def test_take_when_items_have_waited_too_long_then_dropped_and_counted() -> None:
    one = buffer()
    fill(one, 1, 2, now=0.0)
    fill(one, 3, now=3.0)
    assert seqs(one.take(5.5, 1000)) == [3]
    assert one.dropped_old == 2


def test_expire_when_items_have_waited_too_long_then_they_are_gone() -> None:
    one = buffer()
    fill(one, 1, now=0.0)
    one.expire(4.0)
    assert len(one) == 1
    one.expire(6.0)
    assert (len(one), one.dropped_old) == (0, 1)


def test_add_when_the_rest_is_too_old_then_there_is_room() -> None:
    one = buffer(max_bytes=600)
    fill(one, 1, 2, now=0.0)
    assert fill(one, 3, now=6.0) == 1


def test_put_back_kicks_then_those_of_the_last_moment_come_again_and_first() -> None:
    one = buffer(max_bytes=10_000)
    kicks = [KICK._replace(user_id=UserId(number)) for number in (1, 2, 3)]
    for at, kick in enumerate(kicks):
        one.add((kick, HINT), 3.0 * at)
        one.take(3.0 * at, 1000)
    fill(one, 1, now=6.0)
    one.put_back_kicks(6.5)
    batch = one.take(6.5, 200)
    assert batch is not None
    assert [kick.user_id for kick in batch.kicks] == [2, 3]
    assert seqs(one.take(6.5, 1000)) == [1]


def test_put_back_kicks_when_lost_again_then_again_and_once_each() -> None:
    one = buffer()
    one.add((KICK,), 0.0)
    for _ in range(3):
        batch = one.take(1.0, 1000)
        assert batch is not None
        assert len(batch.kicks) == 1
        assert one.take(1.0, 1000) is None
        one.put_back_kicks(1.0)
    assert len(one) == 1
