"""Who may say what where, and who may take it back: the rules for messages.

Pure: they read a :class:`ConversationState` and raise, or return.
"""

from __future__ import annotations

from tinyqq.errors import Conflict, ErrorCode, Forbidden, NotFound
from tinyqq.model.conversation import ConversationState, EraseEntry, Plan
from tinyqq.model.group import Role
from tinyqq.model.ids import MAX_GROUP_ID, UserId
from tinyqq.model.message import MAX_RECALL_AGE_MS, Entry, Kind, Notice, is_countable


def check_may_speak(state: ConversationState, sender_id: UserId, mentions_all: bool) -> None:
    """Whether *sender_id* may write a message here now.

    Raises:
        NotFound: GROUP_NOT_FOUND, USER_NOT_FOUND.
        Conflict: GROUP_DISMISSED.
        Forbidden: NOT_A_MEMBER, MENTION_ALL_DENIED; in direct conversations BLOCKED (``by``:
        ``you``
            or ``them``) and NOT_FRIENDS; somebody else's conversation is FORBIDDEN.
    """
    conversation_id = state.conversation_id
    if conversation_id <= MAX_GROUP_ID:
        _check_in_group(state, sender_id, mentions_all)
        return
    lo, hi = UserId(conversation_id >> 32), UserId(conversation_id & 0xFFFFFFFF)
    if sender_id not in (lo, hi):
        raise Forbidden(ErrorCode.FORBIDDEN, conversation_id=conversation_id)
    if lo != hi:
        _check_between(state, sender_id, hi if sender_id == lo else lo)


def _check_in_group(state: ConversationState, sender_id: UserId, mentions_all: bool) -> None:
    if state.group is None:
        raise NotFound(ErrorCode.GROUP_NOT_FOUND, group_id=state.conversation_id)
    if state.group.dismissed_seq:
        raise Conflict(ErrorCode.GROUP_DISMISSED, group_id=state.conversation_id)
    member = state.members.get(sender_id)
    if member is None:
        raise Forbidden(ErrorCode.NOT_A_MEMBER, group_id=state.conversation_id)
    if mentions_all and member.role < Role.ADMIN:
        raise Forbidden(ErrorCode.MENTION_ALL_DENIED, group_id=state.conversation_id)


def _check_between(state: ConversationState, sender_id: UserId, peer_id: UserId) -> None:
    theirs, mine = state.relation(peer_id), state.relation(sender_id)
    if theirs.is_blocked or mine.is_blocked:
        by = "you" if mine.is_blocked else "them"
        raise Forbidden(ErrorCode.BLOCKED, user_id=peer_id, by=by)
    if theirs.is_friend:
        return
    if peer_id not in state.reachable:
        raise NotFound(ErrorCode.USER_NOT_FOUND, user_id=peer_id)
    if peer_id not in state.open_to_strangers:
        raise Forbidden(ErrorCode.NOT_FRIENDS, user_id=peer_id)


def plan_recall(state: ConversationState, actor_id: UserId, target: Entry, now_ms: int) -> Plan:
    """Take a message back: its sender within two minutes, a group's admins at any time.

    One's own notes may be recalled at any time. An admin may not recall what somebody of higher
    rank wrote.

    Raises:
        NotFound: MESSAGE_NOT_FOUND (a notice, or recalled already).
        Forbidden: NOT_YOUR_MESSAGE, RECALL_TOO_LATE, and for outsiders NOT_A_MEMBER or FORBIDDEN.
    """
    _check_insider(state, actor_id)
    if not is_countable(target.kind) or target.kind == Kind.RECALLED:
        raise NotFound(ErrorCode.MESSAGE_NOT_FOUND, seq=target.seq)
    if not _outranks_author(state, actor_id, target.sender_id):
        if target.sender_id != actor_id:
            raise Forbidden(ErrorCode.NOT_YOUR_MESSAGE, seq=target.seq)
        if now_ms - target.sent_at_ms > MAX_RECALL_AGE_MS:
            raise Forbidden(ErrorCode.RECALL_TOO_LATE, seq=target.seq, max_ms=MAX_RECALL_AGE_MS)
    return Plan(
        Kind.RECALL,
        Notice(user_ids=(target.sender_id,), target_seq=target.seq),
        (EraseEntry(target.seq),),
    )


def _check_insider(state: ConversationState, actor_id: UserId) -> None:
    conversation_id = state.conversation_id
    if conversation_id <= MAX_GROUP_ID:
        _check_in_group(state, actor_id, mentions_all=False)
    elif actor_id not in (conversation_id >> 32, conversation_id & 0xFFFFFFFF):
        raise Forbidden(ErrorCode.FORBIDDEN, conversation_id=conversation_id)


def _outranks_author(state: ConversationState, actor_id: UserId, author_id: UserId) -> bool:
    """Whether the actor may recall anything of this author's, at any time."""
    conversation_id = state.conversation_id
    if conversation_id > MAX_GROUP_ID:
        return conversation_id >> 32 == conversation_id & 0xFFFFFFFF
    actor, author = state.members[actor_id], state.members.get(author_id)
    if actor.role < Role.ADMIN:
        return False
    return actor_id == author_id or author is None or actor.role > author.role
