"""What an operator does with groups. No rights are checked here: see ``ports/admin.py``."""

from __future__ import annotations

from functools import partial

from tinyqq.errors import ErrorCode, NotFound
from tinyqq.model import membership
from tinyqq.model.group import GroupInfo, MemberList
from tinyqq.model.ids import GroupId, OperationId, UserId
from tinyqq.model.message import Kind
from tinyqq.ports.storage import ConversationStore
from tinyqq.services.group_texts import check_group_id
from tinyqq.services.lanes import AnyLane
from tinyqq.services.steps import Step, take

_NOBODY = UserId(0)


class GroupAdmin:
    """Implements :class:`tinyqq.ports.admin.GroupDesk`."""

    def __init__(self, *, lane: AnyLane, conversations: ConversationStore) -> None:
        self._lane = lane
        self._conversations = conversations

    async def find_groups(self, query: str, after: GroupId, limit: int) -> tuple[GroupInfo, ...]:
        """A page of groups, by number."""
        return await self._conversations.search_groups(query, after, limit)

    async def list_members(self, group_id: GroupId, after: UserId, limit: int) -> MemberList:
        """A page of present members."""
        if await self._conversations.find_group(group_id, _NOBODY) is None:
            raise NotFound(ErrorCode.GROUP_NOT_FOUND, group_id=group_id)
        return await self._conversations.list_members(group_id, after, limit)

    async def dismiss(self, group_id: GroupId, by: UserId, operation_id: OperationId) -> None:
        """End the group, whoever owns it."""
        rule = partial(membership.dismiss, actor_id=None)
        step = Step(check_group_id(group_id), by, operation_id, rule)
        await take(self._lane, step, (Kind.GROUP_DISMISSED,))
