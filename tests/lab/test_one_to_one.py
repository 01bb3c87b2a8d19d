from __future__ import annotations

from tests.lab.conftest import Played

from tinyqq.errors import ErrorCode, Forbidden
from tinyqq.lab.frames import SendTemplate
from tinyqq.lab.one_to_one import OneToOne, WindowSender
from tinyqq.model.ids import UserId, direct_conversation

TEMPLATE = SendTemplate(
    direct_conversation(UserId(10001), UserId(10002)), text_bytes=5, salt=b"saltsalt"
)


async def test_run_when_on_the_floor_then_all_that_was_sent_arrives(floor: Played) -> None:
    outcome = await OneToOne(pairs=2, window=3, warm_up_s=0.0, seconds=0.5).run(floor.stage)
    assert outcome.count > 0
    assert outcome.figures == {"lost": 0, "refused": 0}
    assert floor.marks == ["begin", "end"]


def test_sender_when_answered_then_sends_the_next() -> None:
    sender = WindowSender()
    sender.start(TEMPLATE, 2)
    sender.on_sent(1)
    assert (sender.sent, sender.acked) == (3, 1)


def test_sender_when_stopped_then_sends_no_more() -> None:
    sender = WindowSender()
    sender.start(TEMPLATE, 2)
    sender.stop()
    sender.on_sent(1)
    assert (sender.sent, sender.acked) == (2, 1)


def test_sender_when_refused_then_remembers() -> None:
    sender = WindowSender()
    sender.start(TEMPLATE, 1)
    sender.on_refused(1, Forbidden(ErrorCode.NOT_FRIENDS))
    assert (sender.sent, len(sender.refusals)) == (1, 1)
