from __future__ import annotations

from tests.lab.conftest import Played
from tests.lab.test_connection import Recorder

from tinyqq.lab.connection import open_sessions
from tinyqq.lab.frames import SendTemplate
from tinyqq.lab.stage import settle
from tinyqq.model.ids import Seq, direct_conversation, group_conversation
from tinyqq.model.sync import Page, Sync
from tinyqq.wire.packets import PacketType

SALT = b"saltsalt"


async def test_send_when_taken_then_answered_delivered_and_in_the_log(floor: Played) -> None:
    people = floor.stage.population.people[:2]
    conversation_id = direct_conversation(people[0].user_id, people[1].user_id)
    sender, receiver = await open_sessions(floor.stage.near(), people, Recorder)
    sender.put(SendTemplate(conversation_id, text_bytes=5, salt=SALT).frame(4, 1))
    sender.flush()
    assert await settle(lambda: bool(sender.seen and receiver.seen))
    page: Page = await receiver.call(PacketType.SYNC, Sync(conversation_id, Seq(0), 10))
    sender.close()
    receiver.close()
    assert sender.seen == [("sent", 4)]
    assert [(entry.seq, entry.sender_id) for entry in page.entries] == [(1, people[0].user_id)]
    assert page.head_seq == 1


async def test_send_when_to_a_group_then_delivered_to_everybody_else(floor: Played) -> None:
    population = floor.stage.population
    members = await open_sessions(floor.stage.near(), population.people, Recorder)
    template = SendTemplate(group_conversation(population.group_id), text_bytes=5, salt=SALT)
    members[0].put(template.frame(1, 1))
    members[0].flush()
    assert await settle(lambda: all(member.seen for member in members))
    for member in members:
        member.close()
    assert members[0].seen == [("sent", 1)]
    assert {member.seen[0][0] for member in members[1:]} == {"deliver"}  # type: ignore[index]
