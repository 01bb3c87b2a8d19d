"""Operations of several steps: the change itself, then word of it to those whom it concerns.

A step that is repeated finds its own entry again, so whoever repeats a request takes up what an
earlier try left undone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Container, Iterable
from typing import NamedTuple

from tinyqq.errors import ErrorCode, InvalidRequest, TinyQQError
from tinyqq.model.conversation import ConversationState, Plan, Rule
from tinyqq.model.ids import (
    ConversationId,
    OperationId,
    UserId,
    derived_operation_id,
    own_conversation,
)
from tinyqq.model.message import Entry, Kind
from tinyqq.services.lanes import AnyLane
from tinyqq.wire.content import decode_notice


class Step(NamedTuple):
    """One entry of an operation; the fields are the arguments of :meth:`Lane.change`."""

    conversation_id: ConversationId
    sender_id: UserId
    operation_id: OperationId
    rule: Rule


def refuse(error: TinyQQError) -> Rule:
    """A rule that always refuses.

    What was found wrong before the change must still let the repeat of a granted one through, so it
    is said by the rule, which a repeat does not ask.
    """

    def rule(state: ConversationState, now_ms: int) -> Plan:
        raise error

    return rule


async def take(lane: AnyLane, step: Step, kinds: Container[int]) -> Entry:
    """Write one entry, or find it.

    Raises:
        TinyQQError: as :meth:`Lane.change`.
        InvalidRequest: OPERATION_REUSED when the id belongs to an entry of none of these kinds.
    """
    change = await lane.change(*step)
    if change.entry.kind not in kinds:
        raise InvalidRequest(ErrorCode.OPERATION_REUSED)
    return change.entry


async def tell(lane: AnyLane, entry: Entry, user_ids: Iterable[UserId]) -> None:
    """Write what an entry says into the own conversations of these users as well.

    Raises:
        TinyQQError: the first failure, after everybody else has been told.
    """
    plan = Plan(Kind(entry.kind), decode_notice(entry.body))
    operation_id = derived_operation_id(entry.client_message_id, "tell")
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(
                _failure(
                    lane,
                    Step(own_conversation(user_id), entry.sender_id, operation_id, lambda *_: plan),
                )
            )
            for user_id in user_ids
        ]
    for task in tasks:
        failure = task.result()
        if failure is not None:
            raise failure


async def _failure(lane: AnyLane, step: Step) -> TinyQQError | None:
    try:
        await lane.change(*step)
    except TinyQQError as error:
        return error
    return None
