"""Who may ask, accept, leave and block whom: the rules for relations.

Pure: each function reads the state of a direct conversation and answers with the plan of its next
entry, or raises. Friendship is always mutual: the flag is set and cleared on both rows at once.
Blocking is one-sided and leaves the friendship as it is.
"""

from __future__ import annotations

from dataclasses import replace

from tinyqq.errors import Conflict, ErrorCode, Forbidden, NotFound
from tinyqq.model.conversation import ConversationState, Plan, PutRelation
from tinyqq.model.friend import REQUEST_LIFETIME_MS
from tinyqq.model.ids import UserId, peer_of
from tinyqq.model.message import Kind, Notice


def is_expired(requested_at_ms: int, now_ms: int) -> bool:
    """Whether a request or invitation of that time no longer counts."""
    return now_ms - requested_at_ms > REQUEST_LIFETIME_MS


def request(state: ConversationState, now_ms: int, *, asker_id: UserId, note: str) -> Plan:
    """Ask for friendship: FRIEND_REQUESTED, or FRIEND_ADDED when the other has asked already.

    Asking again renews one's open request.

    Raises:
        NotFound: USER_NOT_FOUND.
        Conflict: ALREADY_FRIENDS.
        Forbidden: BLOCKED (``by``: ``you`` or ``them``).
    """
    peer_id = peer_of(state.conversation_id, asker_id)
    mine, theirs = state.relation(asker_id), state.relation(peer_id)
    _check_can_become_friends(state, peer_id, mine)
    if mine.is_blocked or theirs.is_blocked:
        by = "you" if mine.is_blocked else "them"
        raise Forbidden(ErrorCode.BLOCKED, user_id=peer_id, by=by)
    if theirs.requested_at_ms and not is_expired(theirs.requested_at_ms, now_ms):
        return _added(mine, theirs)
    return Plan(
        Kind.FRIEND_REQUESTED,
        Notice(user_ids=(peer_id,), note=note),
        (replace(mine, requested_at_ms=now_ms, note=note),),
        lists=(asker_id, peer_id),
    )


def accept(state: ConversationState, now_ms: int, *, user_id: UserId) -> Plan:
    """Accept the other's request: FRIEND_ADDED.

    Raises:
        NotFound: USER_NOT_FOUND, REQUEST_NOT_FOUND.
        Conflict: ALREADY_FRIENDS, REQUEST_EXPIRED.
    """
    peer_id = peer_of(state.conversation_id, user_id)
    mine, theirs = state.relation(user_id), state.relation(peer_id)
    _check_can_become_friends(state, peer_id, mine)
    _check_has_asked(theirs, now_ms)
    return _added(mine, theirs)


def decline(state: ConversationState, now_ms: int, *, user_id: UserId) -> Plan:
    """Decline the other's request: REQUEST_DECLINED. The other may ask again.

    Raises:
        NotFound: REQUEST_NOT_FOUND.
        Conflict: REQUEST_EXPIRED.
    """
    peer_id = peer_of(state.conversation_id, user_id)
    theirs = state.relation(peer_id)
    _check_has_asked(theirs, now_ms)
    return Plan(
        Kind.REQUEST_DECLINED, Notice(user_ids=(peer_id,)), (_without_request(theirs),)
    )  # fmt: skip


def delete(state: ConversationState, now_ms: int, *, user_id: UserId) -> Plan:
    """End a friendship, for both: FRIEND_REMOVED.

    Raises:
        Forbidden: NOT_FRIENDS.
    """
    peer_id = peer_of(state.conversation_id, user_id)
    if not state.relation(user_id).is_friend:
        raise Forbidden(ErrorCode.NOT_FRIENDS, user_id=peer_id)
    rows = (state.relation(user_id), state.relation(peer_id))
    return Plan(
        Kind.FRIEND_REMOVED,
        Notice(user_ids=(peer_id,)),
        tuple(replace(_without_request(row), is_friend=False) for row in rows),
    )


def block(state: ConversationState, now_ms: int, *, user_id: UserId) -> Plan:
    """Take no messages and no requests from the other: BLOCKED. Ends open requests both ways.

    Raises:
        NotFound: USER_NOT_FOUND.
    """
    peer_id = peer_of(state.conversation_id, user_id)
    _check_known(state, peer_id)
    mine, theirs = state.relation(user_id), state.relation(peer_id)
    return Plan(
        Kind.BLOCKED,
        Notice(user_ids=(peer_id,)),
        (replace(_without_request(mine), is_blocked=True), _without_request(theirs)),
        lists=(user_id,),
    )


def unblock(state: ConversationState, now_ms: int, *, user_id: UserId) -> Plan:
    """Take messages and requests again: UNBLOCKED.

    Raises:
        NotFound: USER_NOT_FOUND.
    """
    peer_id = peer_of(state.conversation_id, user_id)
    _check_known(state, peer_id)
    return Plan(
        Kind.UNBLOCKED,
        Notice(user_ids=(peer_id,)),
        (replace(state.relation(user_id), is_blocked=False),),
    )


def befriend(state: ConversationState, now_ms: int, *, user_id: UserId) -> Plan:
    """Make the two friends without a request: FRIEND_ADDED. For what the server itself arranges.

    Raises:
        NotFound: USER_NOT_FOUND.
        Conflict: ALREADY_FRIENDS.
    """
    peer_id = peer_of(state.conversation_id, user_id)
    mine, theirs = state.relation(user_id), state.relation(peer_id)
    _check_can_become_friends(state, peer_id, mine)
    return _added(mine, theirs)


def _check_can_become_friends(state: ConversationState, peer_id: UserId, mine: PutRelation) -> None:
    if mine.is_friend:
        raise Conflict(ErrorCode.ALREADY_FRIENDS, user_id=peer_id)
    if peer_id not in state.reachable:
        raise NotFound(ErrorCode.USER_NOT_FOUND, user_id=peer_id)


def _check_has_asked(theirs: PutRelation, now_ms: int) -> None:
    if not theirs.requested_at_ms:
        raise NotFound(ErrorCode.REQUEST_NOT_FOUND, user_id=theirs.user_id)
    if is_expired(theirs.requested_at_ms, now_ms):
        raise Conflict(ErrorCode.REQUEST_EXPIRED, user_id=theirs.user_id)


def _check_known(state: ConversationState, peer_id: UserId) -> None:
    """Somebody who has left may still be blocked and unblocked, a number nobody had may not."""
    if peer_id not in state.reachable and not state.relations:
        raise NotFound(ErrorCode.USER_NOT_FOUND, user_id=peer_id)


def _added(mine: PutRelation, theirs: PutRelation) -> Plan:
    return Plan(
        Kind.FRIEND_ADDED,
        Notice(user_ids=(theirs.user_id,)),
        tuple(replace(_without_request(row), is_friend=True) for row in (mine, theirs)),
        lists=(mine.user_id, theirs.user_id),
    )


def _without_request(row: PutRelation) -> PutRelation:
    return replace(row, requested_at_ms=0, note="")
