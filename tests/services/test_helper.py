"""小Q: welcomes once, answers once, never talks to machines or to itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.support.lane_fixtures import RecordingDelivery, operation_id
from tests.support.worlds import ANN, BOB, EVE, World, caller, code_of, open_world

from tinyqq.errors import ErrorCode, TinyQQError
from tinyqq.model.account import Account, KickReason
from tinyqq.model.friend import DeleteFriend, ListContacts, PresenceChanged, RequestFriend
from tinyqq.model.helper_talk import answer, greeting, only_text
from tinyqq.model.ids import (
    HELPER_ID,
    ConversationId,
    OperationId,
    Seq,
    SessionId,
    UserId,
    direct_conversation,
    own_conversation,
)
from tinyqq.model.message import Content, Kind
from tinyqq.ports.delivery import Hint, Kick, Push
from tinyqq.ports.storage import AccountStore
from tinyqq.services.helper import MAX_ANSWERS, MAX_WAITING, Helper, HelperInbox
from tinyqq.services.lane import Change, Draft
from tinyqq.wire.content import decode_content, encode_content

BOT = UserId(10_050)


class Unit:
    """A unit that remembers, and says when something has come."""

    def __init__(self) -> None:
        self.pushes: list[Push] = []
        self.others: list[Hint | Kick] = []
        self.changed = asyncio.Event()

    def push(self, pushes: Sequence[Push]) -> None:
        """Remember."""
        self.pushes += pushes
        self.changed.set()

    def hint(self, hints: Sequence[Hint]) -> None:
        """Remember."""
        self.others += hints

    def kick(self, kicks: Sequence[Kick]) -> None:
        """Remember."""
        self.others += kicks


class LocalDelivery(RecordingDelivery):
    """Delivery to one unit, behind the helper's inbox."""

    def __init__(self) -> None:
        super().__init__()
        self.unit = Unit()
        self.inbox = HelperInbox(self.unit)

    def push(self, pushes: Sequence[Push]) -> None:
        """Deliver."""
        self.inbox.push(pushes)


class FragileAccounts:
    """The one call of AccountStore that an answer makes; it fails for Eve."""

    def __init__(self, store: AccountStore) -> None:
        self.store = store

    async def find_account(self, user_id: UserId) -> Account | None:
        """One account."""
        if user_id == EVE:
            raise RuntimeError("a bug")
        return await self.store.find_account(user_id)

    async def create_account(self, account: Account, operation_id: OperationId) -> Account:
        """A new one."""
        return await self.store.create_account(account, operation_id)


@dataclass
class Talk:
    """A world with a helper in it, and what is said to it."""

    world: World
    helper: Helper
    inbox: HelperInbox
    unit: Unit

    async def say(self, user_id: UserId, text: str, kind: Kind = Kind.TEXT) -> None:
        """Write to the helper and wait for the commit."""
        future: asyncio.Future[Change | TinyQQError] = asyncio.get_running_loop().create_future()
        place, body = direct_conversation(HELPER_ID, user_id), encode_content(Content(text))
        self.world.lane.submit(Draft(place, user_id, operation_id(), future.set_result, kind, body))
        assert isinstance(await future, Change)

    async def heard(self, user_id: UserId) -> list[str]:
        """What the helper has said to a user, by the log."""
        entries = await self.world.entries(user_id, direct_conversation(HELPER_ID, user_id))
        said = [one for one in entries if one.sender_id == HELPER_ID and one.kind == Kind.TEXT]
        return [decode_content(entry.body).text for entry in said]

    async def wait_for(self, kind: Kind, count: int) -> None:
        """Wait until the helper has written so many entries of a kind."""
        async with asyncio.timeout(30):
            while self.written(kind) < count:
                self.unit.changed.clear()
                await self.unit.changed.wait()

    def written(self, kind: Kind) -> int:
        """Entries of a kind by the helper that were pushed so far."""
        pushes = self.unit.pushes
        return sum(push.sender_id == HELPER_ID and push.kind == kind for push in pushes)


@pytest.fixture
async def talk(tmp_path: Path) -> AsyncIterator[Talk]:
    delivery = LocalDelivery()
    async with open_world(tmp_path, delivery) as world:
        await world.storage.accounts.create_accounts([Account(BOT, "bot", "", is_bot=True)], [])
        helper = Helper(
            inbox=delivery.inbox,
            lane=world.lane,
            accounts=FragileAccounts(world.storage.accounts),  # type: ignore[arg-type] # all it calls
            friends=world.friends(),
            clock=world.clock,
        )
        await helper.ensure_account()
        async with helper:
            yield Talk(world, helper, delivery.inbox, delivery.unit)


@pytest.fixture
async def friendly(talk: Talk) -> Talk:
    """Everybody is the helper's friend; nothing was said."""
    for user_id in (ANN, BOB, EVE, BOT):
        await talk.world.befriend(HELPER_ID, user_id)
    return talk


# ---- account and welcome -------------------------------------------------------------------------


async def test_ensure_account_when_called_again_then_the_same_account(talk: Talk) -> None:
    before = await talk.world.storage.accounts.find_account(HELPER_ID)
    await talk.helper.ensure_account()
    assert before is not None
    assert (before.nickname, before.is_bot, before.password_hash) == ("小Q", True, "")
    assert await talk.world.storage.accounts.find_account(HELPER_ID) == before


async def test_welcome_when_called_twice_then_friends_and_one_greeting(talk: Talk) -> None:
    for _ in range(2):
        await talk.helper.welcome(ANN, "en")
    assert await talk.heard(ANN) == [greeting("en")]
    assert await talk.world.told_kinds(ANN) == [Kind.FRIEND_ADDED]
    [contact] = (await talk.world.friends().list_contacts(caller(ANN), ListContacts())).contacts
    assert (contact.user_id, contact.is_friend, contact.online) == (HELPER_ID, True, True)


async def test_welcome_when_friends_already_then_only_greeted(friendly: Talk) -> None:
    await friendly.helper.welcome(ANN, "")
    assert await friendly.heard(ANN) == [greeting("")]


async def test_welcome_when_there_is_no_such_user_then_not_found(talk: Talk) -> None:
    call = talk.helper.welcome(UserId(10_999), "")
    assert await code_of(call) is ErrorCode.USER_NOT_FOUND


async def test_welcome_when_many_come_then_the_helper_itself_is_told_nothing(talk: Talk) -> None:
    await talk.helper.welcome(ANN, "")
    assert await talk.world.entries(HELPER_ID, own_conversation(HELPER_ID)) == []


# ---- answers -------------------------------------------------------------------------------------


async def test_answer_when_asked_then_once_even_if_the_question_is_pushed_again(
    friendly: Talk,
) -> None:
    await friendly.say(ANN, "help")
    await friendly.wait_for(Kind.TEXT, 1)
    [question] = [push for push in friendly.unit.pushes if push.sender_id == ANN]
    for _ in range(3):
        friendly.inbox.push((question,))
    await friendly.say(BOB, "你好")
    await friendly.wait_for(Kind.TEXT, 5)
    assert await friendly.heard(ANN) == [answer("help")]
    assert await friendly.heard(BOB) == [answer("你好")]


async def test_answer_when_it_is_no_text_then_asks_for_words(friendly: Talk) -> None:
    await friendly.say(ANN, "a picture", Kind.IMAGE)
    await friendly.wait_for(Kind.TEXT, 1)
    assert await friendly.heard(ANN) == [only_text()]


async def test_answer_when_a_bot_or_an_echo_speaks_then_silent(friendly: Talk) -> None:
    await friendly.say(BOT, "help")
    await friendly.say(ANN, answer("help"))
    await friendly.say(BOB, "help")
    await friendly.wait_for(Kind.TEXT, 1)
    assert await friendly.heard(BOT) == await friendly.heard(ANN) == []


async def test_answer_when_somebody_goes_on_and_on_then_not_for_ever(friendly: Talk) -> None:
    for _ in range(MAX_ANSWERS + 2):
        await friendly.say(ANN, "help")
    await friendly.say(BOB, "help")
    await friendly.wait_for(Kind.TEXT, MAX_ANSWERS + 1)
    assert len(await friendly.heard(ANN)) == MAX_ANSWERS
    friendly.world.clock.advance(60)
    await friendly.say(ANN, "help")
    await friendly.wait_for(Kind.TEXT, MAX_ANSWERS + 2)
    assert friendly.helper.counters()["helper_answers_total"] == MAX_ANSWERS + 2


async def test_answer_when_it_is_refused_then_the_next_one_is_served(friendly: Talk) -> None:
    await friendly.say(ANN, "help")
    await friendly.wait_for(Kind.TEXT, 1)
    [question] = [push for push in friendly.unit.pushes if push.sender_id == ANN]
    delete = DeleteFriend(operation_id(), HELPER_ID)
    await friendly.world.friends().delete_friend(caller(ANN), delete)
    friendly.inbox.push((question._replace(seq=Seq(99)),))
    await friendly.say(BOB, "help")
    await friendly.wait_for(Kind.TEXT, 2)
    assert friendly.helper.counters()["helper_failures_total"] == 1


async def test_answer_when_something_is_broken_then_the_next_one_is_served(
    friendly: Talk, caplog: pytest.LogCaptureFixture
) -> None:
    await friendly.say(EVE, "help")
    [question] = [push for push in friendly.unit.pushes if push.sender_id == EVE]
    friendly.inbox.push((question._replace(body=b"\xff"),))
    await friendly.say(BOB, "help")
    await friendly.wait_for(Kind.TEXT, 1)
    assert friendly.helper.counters()["helper_failures_total"] == 2
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == [
        "helper.failed"
    ]


async def test_friend_request_when_the_helper_was_deleted_then_it_accepts(friendly: Talk) -> None:
    friends = friendly.world.friends()
    await friends.delete_friend(caller(ANN), DeleteFriend(operation_id(), HELPER_ID))
    added = friendly.written(Kind.FRIEND_ADDED)
    await friends.request_friend(caller(ANN), RequestFriend(operation_id(), HELPER_ID))
    # Twice: in the conversation of the two, and in Ann's own.
    await friendly.wait_for(Kind.FRIEND_ADDED, added + 2)
    [contact] = (await friends.list_contacts(caller(ANN), ListContacts())).contacts
    assert contact.is_friend


# ---- the inbox -----------------------------------------------------------------------------------


def a_push(conversation_id: ConversationId, sender_id: UserId, kind: int = Kind.TEXT) -> Push:
    return Push(conversation_id, Seq(1), sender_id, kind, b"", Seq(0), Seq(0), (), (), SessionId(0))


async def test_inbox_when_something_passes_then_the_unit_gets_all_of_it() -> None:
    inbox = HelperInbox(unit := Unit())
    pushes = (a_push(direct_conversation(ANN, BOB), ANN), a_push(ConversationId(20_000), ANN))
    hint = Hint((ANN,), PresenceChanged(BOB, True), SessionId(0))
    kick = Kick(ANN, KickReason.REVOKED, None, None, SessionId(0), "")
    inbox.push(pushes)
    inbox.hint((hint,))
    inbox.kick((kick,))
    assert tuple(unit.pushes) == pushes
    assert unit.others == [hint, kick]


async def test_inbox_when_it_is_not_for_the_helper_then_not_kept() -> None:
    inbox = HelperInbox(Unit())
    with_ann = direct_conversation(HELPER_ID, ANN)
    for_helper = a_push(with_ann, ANN)
    inbox.push(
        (
            a_push(direct_conversation(ANN, BOB), ANN),
            a_push(ConversationId(10_000), ANN),
            a_push(with_ann, HELPER_ID),
            a_push(with_ann, ANN, Kind.BLOCKED),
            a_push(own_conversation(HELPER_ID), ANN, Kind.FRIEND_REQUESTED),
            for_helper,
        )
    )
    assert await inbox.get() is for_helper


async def test_inbox_when_full_then_drops_and_counts() -> None:
    inbox = HelperInbox(unit := Unit())
    push = a_push(direct_conversation(HELPER_ID, ANN), ANN)
    inbox.push((push,) * (MAX_WAITING + 3))
    assert inbox.dropped == 3
    assert len(unit.pushes) == MAX_WAITING + 3
