"""What a client asks about friends."""

from __future__ import annotations

import pytest
from tests.support.asking import Asked
from tests.support.entries import BOB

from tinyqq.client.friends import Friends
from tinyqq.errors import Conflict, ErrorCode
from tinyqq.model.friend import (
    AnswerFriend,
    Contact,
    ContactList,
    DeleteFriend,
    RequestFriend,
    SetBlocked,
    SetRemark,
)


async def test_friends_when_asked_to_change_then_the_requests_say_so() -> None:
    asked = Asked()
    friends = Friends(asked)
    await friends.request(BOB, "hello")
    await friends.accept(BOB)
    await friends.decline(BOB)
    await friends.delete(BOB)
    await friends.block(BOB)
    await friends.unblock(BOB)
    await friends.remark(BOB, "Bobby")
    assert asked.facts == [
        (RequestFriend, BOB, "hello"),
        (AnswerFriend, BOB, True),
        (AnswerFriend, BOB, False),
        (DeleteFriend, BOB),
        (SetBlocked, BOB, True),
        (SetBlocked, BOB, False),
        (SetRemark, BOB, "Bobby"),
    ]
    ids = [one.operation_id for one in asked.records if hasattr(one, "operation_id")]
    assert len(set(ids)) == len(ids) == 6


async def test_list_when_asked_then_everybody() -> None:
    contact = Contact(BOB, "Bob")
    assert await Friends(Asked(ContactList((contact,)))).list() == (contact,)


async def test_accept_when_friends_already_then_fine() -> None:
    await Friends(Asked(Conflict(ErrorCode.ALREADY_FRIENDS))).accept(BOB)
    for code in (ErrorCode.REQUEST_EXPIRED, ErrorCode.CONFLICT):
        with pytest.raises(Conflict):
            await Friends(Asked(Conflict(code))).accept(BOB)
    with pytest.raises(Conflict):
        await Friends(Asked(Conflict(ErrorCode.ALREADY_FRIENDS))).request(BOB)
