"""Making a population: accounts with tokens, friendships and a group, written in bulk.

Everything goes through the ports of storage and the rules of ``model``, so the log that comes out
is one that the services could have written.
"""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Final, TypeVar

from tinyqq.clock import Clock
from tinyqq.lab.population import PasswordCost, Person, Population
from tinyqq.model import friendship, membership
from tinyqq.model.account import Account, Device, DeviceKind
from tinyqq.model.conversation import ConversationState, Effect, Rule
from tinyqq.model.group import JoinPolicy
from tinyqq.model.ids import (
    OPERATION_ID_BYTES,
    ConversationId,
    DeviceId,
    GroupId,
    OperationId,
    Seq,
    UserId,
    direct_conversation,
    group_conversation,
    own_conversation,
)
from tinyqq.model.message import MEMBERSHIP_KINDS, Entry
from tinyqq.ports.storage import AccountStore, LogWriter
from tinyqq.services.passwords import PasswordPool
from tinyqq.services.tokens import new_refresh_token
from tinyqq.wire.content import encode_notice

PASSWORD: Final = "load-test-9f2c"
_BATCH: Final = 1_000
_GROUP_LIMIT: Final = 5_000

_Listing = tuple[UserId, ConversationId]
_Item = TypeVar("_Item")


class Script:
    """The history of one conversation as it comes about, rule by rule."""

    def __init__(self, conversation_id: ConversationId, reachable: Iterable[UserId]) -> None:
        self.entries: list[Entry] = []
        self.effects: list[tuple[ConversationId, Effect]] = []
        self.listings: list[_Listing] = []
        self._state = ConversationState(conversation_id, reachable=set(reachable))

    def play(self, actor_id: UserId, rule: Rule, now_ms: int) -> None:
        """Add the entry that *rule* decides on."""
        state = self._state
        plan = rule(state, now_ms)
        state.head_seq = Seq(state.head_seq + 1)
        state.apply(plan.effects)
        if plan.kind in MEMBERSHIP_KINDS:
            state.members_seq = state.head_seq
        self.entries.append(
            Entry(
                state.conversation_id,
                state.head_seq,
                state.head_ordinal,
                actor_id,
                OperationId(secrets.token_bytes(OPERATION_ID_BYTES)),
                now_ms,
                plan.kind,
                encode_notice(plan.notice),
            )
        )
        self.effects += [(state.conversation_id, effect) for effect in plan.effects]
        self.listings += [(user_id, state.conversation_id) for user_id in plan.lists]


async def prepare(
    *,
    accounts: AccountStore,
    log_writer: LogWriter,
    clock: Clock,
    people: int,
    pairs: int,
    members: int,
    cost: PasswordCost,
) -> Population:
    """Write a population into an empty or used database; no server may run on it meanwhile.

    Args:
        people: how many accounts, at least ``2 * pairs`` and ``members``.
        pairs: how many pairs of friends.
        members: members of the one group.
        cost: of the one password that all have.
    """
    async with PasswordPool(memory_kib=cost.memory_kib, passes=cost.passes, threads=1) as pool:
        password_hash = await pool.hash(PASSWORD)
    everybody = await _make_accounts(accounts, people, password_hash, clock.now_ms())
    numbers = [person.user_id for person in everybody]
    group_id = GroupId(await accounts.take_numbers("group", 1))
    scripts = [
        _friendship(one, other, clock.now_ms())
        for one, other in zip(numbers[: 2 * pairs : 2], numbers[1 : 2 * pairs : 2], strict=True)
    ]
    if members:
        scripts.append(_group(group_id, numbers[:members], clock.now_ms()))
    own = [(user_id, own_conversation(user_id)) for user_id in numbers]
    await _write(log_writer, scripts, own)
    return Population(everybody, pairs, group_id, members, PASSWORD, cost)


async def _make_accounts(
    store: AccountStore, count: int, password_hash: str, now_ms: int
) -> tuple[Person, ...]:
    first = await store.take_numbers("user", count)
    people: list[Person] = []
    for numbers in _batches(range(first, first + count)):
        new = [
            Account(
                user_id=UserId(number),
                nickname=f"load{number}",
                password_hash=password_hash,
                is_welcomed=True,
                created_at_ms=now_ms,
            )
            for number in numbers
        ]
        devices: list[Device] = []
        for account in new:
            token, refresh_hash = new_refresh_token()
            person = Person(account.user_id, DeviceId(secrets.token_bytes(16)), token)
            people.append(person)
            devices.append(
                Device(
                    person.user_id,
                    person.device_id,
                    DeviceKind.DESKTOP,
                    "lab",
                    refresh_hash,
                    now_ms,
                    now_ms,
                )
            )
        await store.create_accounts(new, devices)
    return tuple(people)


def _friendship(asker_id: UserId, peer_id: UserId, now_ms: int) -> Script:
    script = Script(direct_conversation(asker_id, peer_id), (asker_id, peer_id))
    script.play(asker_id, partial(friendship.request, asker_id=asker_id, note=""), now_ms)
    script.play(peer_id, partial(friendship.accept, user_id=peer_id), now_ms)
    return script


def _group(group_id: GroupId, numbers: list[UserId], now_ms: int) -> Script:
    script = Script(group_conversation(group_id), ())
    owner_id, *others = numbers
    create = partial(
        membership.create,
        owner_id=owner_id,
        name="load",
        join_policy=JoinPolicy.OPEN,
        member_limit=_GROUP_LIMIT,
    )
    script.play(owner_id, create, now_ms)
    for user_id in others:
        script.play(user_id, partial(membership.join, user_id=user_id, note=""), now_ms)
    return script


async def _write(writer: LogWriter, scripts: list[Script], own: list[_Listing]) -> None:
    """Lists before entries, as always."""
    listings = own + [row for script in scripts for row in script.listings]
    for rows in _batches(listings):
        await writer.ensure_listed(rows)
    for batch in _batches(scripts):
        entries = [entry for script in batch for entry in script.entries]
        effects = [effect for script in batch for effect in script.effects]
        await writer.append(entries, effects)


def _batches(items: Iterable[_Item]) -> Iterator[list[_Item]]:
    iterator = iter(items)
    while batch := list(itertools.islice(iterator, _BATCH)):
        yield batch
