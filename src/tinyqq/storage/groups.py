"""Groups and their members, for reading."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import BindParameter, Connection, Row, bindparam, case, func, or_, select

from tinyqq.model.group import (
    GroupInfo,
    Invitation,
    JoinPolicy,
    JoinRequest,
    Member,
    MemberList,
    Role,
)
from tinyqq.model.ids import MAX_GROUP_ID, GroupId, Seq, UserId
from tinyqq.storage.rows import (
    IS_PRESENT,
    OF_USER,
    find_faces,
    find_nicknames,
    given,
    number_of,
    of_given,
    own_rows,
)
from tinyqq.storage.schema import chat_group, join_request, member, user_conversation

_NOBODY: Final = ("", "")
_GROUP: Final[BindParameter[int]] = bindparam("of_group_id")

_GROUP_IDS: Final = (
    own_rows(member, member.c.conversation_id)
    .where(user_conversation.c.conversation_id <= MAX_GROUP_ID, IS_PRESENT)
    .order_by(member.c.conversation_id)
)
_GROUPS: Final = of_given(chat_group).order_by(chat_group.c.conversation_id)
_COUNTS: Final = (
    of_given(
        member,
        member.c.conversation_id,
        func.count().label("members"),
        func.max(case((member.c.role == int(Role.OWNER), member.c.user_id), else_=0)).label(
            "owner_id"
        ),
        func.max(case((member.c.user_id == OF_USER, member.c.role), else_=0)).label("role"),
    )
    .where(IS_PRESENT)
    .group_by(member.c.conversation_id)
)
_MEMBER_IDS: Final = (
    select(member.c.user_id)
    .where(member.c.conversation_id == _GROUP, IS_PRESENT)
    .order_by(member.c.user_id)
)
_MEMBERS_SEQ: Final = select(chat_group.c.members_seq).where(chat_group.c.conversation_id == _GROUP)
_MEMBERS: Final = (
    select(member)
    .where(
        member.c.conversation_id == _GROUP,
        member.c.user_id > bindparam("after_user_id"),
        IS_PRESENT,
    )
    .order_by(member.c.user_id)
    .limit(bindparam("rows_wanted"))
)
_REQUESTS: Final = (
    select(join_request)
    .where(join_request.c.conversation_id == _GROUP)
    .order_by(join_request.c.requested_at_ms, join_request.c.user_id)
)
_INVITATIONS: Final = (
    own_rows(join_request)
    .where(user_conversation.c.conversation_id <= MAX_GROUP_ID, join_request.c.invited_by > 0)
    .order_by(join_request.c.requested_at_ms.desc(), join_request.c.conversation_id)
    .limit(bindparam("rows_wanted"))
)


def list_group_ids(conn: Connection, user_id: UserId) -> tuple[GroupId, ...]:
    """Groups that the user is a present member of, ascending; a dismissed one has no members."""
    return tuple(GroupId(number) for number in conn.scalars(_GROUP_IDS, {"of_user_id": user_id}))


def find_groups(
    conn: Connection, group_ids: Sequence[GroupId], viewer_id: UserId
) -> tuple[GroupInfo, ...]:
    """Groups as *viewer_id* sees them, also dismissed ones, by number."""
    chosen = given(group_ids)
    counted = conn.execute(_COUNTS, {**chosen, "of_user_id": viewer_id})
    counts = {row.conversation_id: (row.members, row.owner_id, row.role) for row in counted}
    return tuple(
        _group_info(row, *counts.get(row.conversation_id, (0, 0, 0)))
        for row in conn.execute(_GROUPS, chosen)
    )


def search_groups(
    conn: Connection, query: str, after_group_id: GroupId, limit: int
) -> tuple[GroupInfo, ...]:
    """Groups by number, also dismissed ones, as who is in none of them sees them."""
    key = chat_group.c.conversation_id
    statement = select(key).where(key > after_group_id).order_by(key).limit(limit)
    if query:
        # The escape that goes without saying: Spider loses any other on the way to the shards.
        named = func.lower(chat_group.c.name).contains(query.lower(), autoescape=True, escape="\\")
        number = number_of(query)
        statement = statement.where(named if number is None else or_(named, key == number))
    return find_groups(conn, list(conn.scalars(statement)), UserId(0))


def _group_info(row: Row[Any], members: int, owner_id: int, role: int) -> GroupInfo:
    return GroupInfo(
        group_id=row.conversation_id,
        name=row.name,
        join_policy=JoinPolicy(row.join_policy),
        announcement=row.announcement,
        members=members,
        member_limit=row.member_limit,
        created_at_ms=row.created_at_ms,
        owner_id=UserId(owner_id),
        role=Role(role),
        dismissed=row.dismissed_seq > 0,
    )


def list_member_ids(conn: Connection, group_id: GroupId) -> tuple[tuple[UserId, ...], Seq]:
    """Present members, and the seq of the last membership entry among them."""
    chosen = {"of_group_id": group_id}
    members_seq = conn.execute(_MEMBERS_SEQ, chosen).scalar_one_or_none() or 0
    return tuple(UserId(number) for number in conn.scalars(_MEMBER_IDS, chosen)), Seq(members_seq)


def list_members(
    conn: Connection, group_id: GroupId, after_user_id: UserId, limit: int
) -> MemberList:
    """A page of present members by number."""
    wanted = {
        "of_group_id": group_id,
        "after_user_id": after_user_id,
        "rows_wanted": limit + 1,
    }
    rows = conn.execute(_MEMBERS, wanted).all()
    faces = find_faces(conn, (row.user_id for row in rows))
    members = tuple(
        Member(
            user_id=row.user_id,
            nickname=faces.get(row.user_id, _NOBODY)[0],
            card=row.card,
            role=Role(row.role),
            joined_at_ms=row.joined_at_ms,
            avatar=faces.get(row.user_id, _NOBODY)[1],
        )
        for row in rows[:limit]
    )
    return MemberList(members=members, more=len(rows) > limit)


def list_join_requests(conn: Connection, group_id: GroupId) -> tuple[JoinRequest, ...]:
    """Who waits at the door, the oldest first."""
    rows = conn.execute(_REQUESTS, {"of_group_id": group_id}).all()
    nicknames = find_nicknames(conn, (row.user_id for row in rows))
    return tuple(
        JoinRequest(
            user_id=row.user_id,
            nickname=nicknames.get(row.user_id, ""),
            note=row.note,
            requested_at_ms=row.requested_at_ms,
            invited_by=row.invited_by,
        )
        for row in rows
    )


def list_invitations(conn: Connection, user_id: UserId, limit: int) -> tuple[Invitation, ...]:
    """What the user was invited into and has not answered, the latest first."""
    rows = conn.execute(_INVITATIONS, {"of_user_id": user_id, "rows_wanted": limit}).all()
    groups = {
        one.group_id: one
        for one in find_groups(conn, [row.conversation_id for row in rows], user_id)
    }
    nicknames = find_nicknames(conn, {row.invited_by for row in rows})
    return tuple(
        Invitation(
            group_id=row.conversation_id,
            name=groups[row.conversation_id].name,
            members=groups[row.conversation_id].members,
            invited_by=row.invited_by,
            inviter=nicknames.get(row.invited_by, ""),
            invited_at_ms=row.requested_at_ms,
        )
        for row in rows
        if row.conversation_id in groups
    )
