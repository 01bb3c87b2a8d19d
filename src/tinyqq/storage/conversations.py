"""What is kept by user: conversation lists, cursors, contacts; and groups for reading."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from sqlalchemy import bindparam, delete, select, update

from tinyqq.model.friend import Contact
from tinyqq.model.group import GroupInfo, Invitation, JoinRequest, MemberList
from tinyqq.model.ids import (
    ConversationId,
    DeviceId,
    GroupId,
    Seq,
    UserId,
    direct_conversation,
    group_conversation,
)
from tinyqq.ports.storage import CursorRow
from tinyqq.storage import contacts, groups
from tinyqq.storage.database import Database, only
from tinyqq.storage.dialect import put_larger
from tinyqq.storage.schema import cursor, user_conversation

_CURSOR: Final = select(cursor).where(
    cursor.c.user_id == bindparam("of_user_id"),
    cursor.c.device_id == bindparam("of_device_id"),
    cursor.c.conversation_id == bindparam("in_conversation"),
)


class SqlConversationStore:
    """Implements ``ports.storage.ConversationStore``."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def merge_cursors(self, rows: Sequence[CursorRow]) -> None:
        """Keep the larger of each pair of values."""
        if not rows:
            return
        # Sorted, so that two nodes do not wait for each other.
        values = [row._asdict() for row in sorted(rows)]
        await self._database.write(lambda conn: put_larger(conn, cursor, values))

    async def read_cursor(
        self, user_id: UserId, device_id: DeviceId, conversation_id: ConversationId
    ) -> CursorRow | None:
        """One row of cursors."""
        chosen = {
            "of_user_id": user_id,
            "of_device_id": device_id,
            "in_conversation": conversation_id,
        }
        row = await self._database.read(lambda conn: conn.execute(_CURSOR, chosen).first())
        return None if row is None else CursorRow(*row)

    async def set_remark(
        self, user_id: UserId, conversation_id: ConversationId, remark: str
    ) -> None:
        """Set the remark of a line that is there."""
        statement = (
            update(user_conversation)
            .where(
                user_conversation.c.user_id == user_id,
                user_conversation.c.conversation_id == conversation_id,
            )
            .values(remark=remark)
        )
        await self._database.write(only(statement))

    async def drop_listed(self, user_id: UserId, conversation_id: ConversationId) -> None:
        """Take a conversation out of a user's list."""
        statement = delete(user_conversation).where(
            user_conversation.c.user_id == user_id,
            user_conversation.c.conversation_id == conversation_id,
        )
        await self._database.write(only(statement))

    async def list_contacts(self, user_id: UserId) -> tuple[Contact, ...]:
        """Friends, open requests both ways, blocked users; by number."""
        return await self._database.read(
            partial(contacts.list_contacts, user_id=user_id), about=None
        )

    async def find_contact(self, user_id: UserId, peer_id: UserId) -> Contact | None:
        """One of the same."""
        return await self._database.read(
            partial(contacts.find_contact, user_id=user_id, peer_id=peer_id),
            about=(direct_conversation(user_id, peer_id),),
        )

    async def list_friend_ids(self, user_id: UserId) -> tuple[UserId, ...]:
        """Friends' numbers, ascending."""
        return await self._database.read(
            partial(contacts.list_friend_ids, user_id=user_id), about=None
        )

    async def list_group_ids(self, user_id: UserId) -> tuple[GroupId, ...]:
        """Groups that the user is a present member of, ascending."""
        return await self._database.read(
            partial(groups.list_group_ids, user_id=user_id), about=None
        )

    async def list_groups(self, user_id: UserId) -> tuple[GroupInfo, ...]:
        """The same groups, with all that the list shows."""
        return await self._database.read(
            lambda conn: groups.find_groups(conn, groups.list_group_ids(conn, user_id), user_id),
            about=None,
        )

    async def find_group(self, group_id: GroupId, viewer_id: UserId) -> GroupInfo | None:
        """One group as *viewer_id* sees it, also a dismissed one."""
        found = await self._database.read(
            lambda conn: groups.find_groups(conn, (group_id,), viewer_id),
            about=(group_conversation(group_id),),
        )
        return found[0] if found else None

    async def list_member_ids(self, group_id: GroupId) -> tuple[tuple[UserId, ...], Seq]:
        """Present members and the seq of the last membership entry that this list includes."""
        return await self._database.read(
            partial(groups.list_member_ids, group_id=group_id),
            about=(group_conversation(group_id),),
        )

    async def list_members(
        self, group_id: GroupId, after_user_id: UserId, limit: int
    ) -> MemberList:
        """A page of present members by number."""
        return await self._database.read(
            lambda conn: groups.list_members(conn, group_id, after_user_id, limit),
            about=(group_conversation(group_id),),
        )

    async def search_groups(
        self, query: str, after_group_id: GroupId, limit: int
    ) -> tuple[GroupInfo, ...]:
        """Groups by number, whoever asks."""
        return await self._database.read(
            lambda conn: groups.search_groups(conn, query, after_group_id, limit), about=None
        )

    async def list_join_requests(self, group_id: GroupId) -> tuple[JoinRequest, ...]:
        """Who waits at the door, the oldest first."""
        return await self._database.read(
            partial(groups.list_join_requests, group_id=group_id),
            about=(group_conversation(group_id),),
        )

    async def list_invitations(self, user_id: UserId, limit: int) -> tuple[Invitation, ...]:
        """Invitations that are not answered, the latest first."""
        return await self._database.read(
            partial(groups.list_invitations, user_id=user_id, limit=limit), about=None
        )
