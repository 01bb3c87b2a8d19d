"""This unit as delivery sees it: its sessions, and the way of a push to them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Self

from tinyqq.errors import TinyQQError
from tinyqq.gateway.connection import Connection
from tinyqq.gateway.groups import LocalGroups
from tinyqq.gateway.pushed import Pushed
from tinyqq.gateway.tasks import TaskPool
from tinyqq.model.account import KickReason
from tinyqq.model.connection import Kicked
from tinyqq.model.ids import ConversationId, GroupId, Seq, UnitId, UserId
from tinyqq.model.message import FIRST_NOTICE_KIND, hidden, is_visible
from tinyqq.ports.delivery import Hint, Kick, Push
from tinyqq.ports.presence import Presence
from tinyqq.ports.storage import ConversationStore
from tinyqq.wire.framing import encode_frame
from tinyqq.wire.packets import HINT_TYPES, PacketType, encode_entry, push_frame

logger = logging.getLogger(__name__)


class LocalUnit:
    """Implements :class:`tinyqq.ports.delivery.UnitLink` for the sessions of this process.

    ``async with`` it around everything that delivers. All calls are the event loop's.

    Args:
        conversations: where a group's members are read.
        has_net: whether somebody tails the log for this unit, and asks what was pushed.
    """

    def __init__(
        self,
        *,
        unit_id: UnitId,
        presence: Presence,
        conversations: ConversationStore,
        has_net: bool = False,
    ) -> None:
        self.unit_id = unit_id
        self.pushes = 0
        self.deliveries = 0
        self.hints = 0
        self.kicks = 0
        self._presence = presence
        self._tasks = TaskPool()
        self._sessions: dict[UserId, tuple[Connection, ...]] = {}
        self._has_net = has_net
        self._pushed = Pushed()
        self._came: dict[UserId, int] = {}
        """The turn in which a user's first session came."""
        self._groups = LocalGroups(
            presence=presence,
            conversations=conversations,
            tasks=self._tasks,
            write=self._write,
            miss=self._miss,
            is_here=self._sessions.__contains__,
            turn=lambda: self._pushed.number,
        )

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._tasks.__aexit__(*exc_info)

    # ---- sessions --------------------------------------------------------------------------------

    def sessions_of(self, user_id: UserId) -> tuple[Connection, ...]:
        """A user's sessions here, the oldest first."""
        return self._sessions.get(user_id, ())

    async def attach(self, connection: Connection) -> None:
        """Bind a session whose log-in has been checked: from the return on, whatever is committed
        is pushed to it, once it accepts pushes.

        Raises:
            Unavailable: presence or the groups could not be reached; the session is detached again.
        """
        caller = connection.caller
        assert caller is not None
        user_id = caller.user_id
        self._sessions[user_id] = (*self._sessions.get(user_id, ()), connection)
        self._came.setdefault(user_id, self._pushed.number)
        try:
            outcome = await self._tasks.spawn(self._presence.bind(user_id, caller.session_id))
            if isinstance(outcome, TinyQQError):
                raise outcome
            await self._groups.load(user_id)
        except BaseException:
            self.detach(connection)
            raise

    def detach(self, connection: Connection) -> bool:
        """Take a session out; whether it was the user's last one here. Repeats have no effect."""
        caller = connection.caller
        if caller is None:
            return False
        user_id = caller.user_id
        before = self._sessions.get(user_id, ())
        after = tuple(one for one in before if one is not connection)
        if len(before) == len(after):
            return False
        if after:
            self._sessions[user_id] = after
        else:
            del self._sessions[user_id], self._came[user_id]
            self._groups.forget(user_id)
        self._tasks.spawn(self._presence.unbind(user_id, caller.session_id))
        return not after

    # ---- UnitLink --------------------------------------------------------------------------------

    def push(self, pushes: Sequence[Push]) -> None:
        """Write entries to local sessions, in this order."""
        self.pushes += len(pushes)
        for push in pushes:
            lo = push.conversation_id >> 32
            if not lo:
                self._groups.push(push)
                continue
            hi = push.conversation_id & 0xFFFFFFFF
            self._write(push, (UserId(lo), UserId(hi)) if lo != hi else (UserId(lo),))
        if self._has_net:  # not before: what a bug kept back is the net's to deliver
            self._pushed.add(pushes)

    def hint(self, hints: Sequence[Hint]) -> None:
        """Write hints to local sessions."""
        for hint in hints:
            frame = b""
            for user_id in hint.user_ids:
                for connection in self._sessions.get(user_id, ()):
                    if connection.session_id == hint.origin:
                        continue
                    if not frame:
                        frame = push_frame(HINT_TYPES[type(hint.record)], hint.record)
                    self.hints += 1
                    connection.hint(frame)

    def kick(self, kicks: Sequence[Kick]) -> None:
        """End local sessions."""
        for kick in kicks:
            for connection in self._sessions.get(kick.user_id, ()):
                if _is_meant(kick, connection):
                    self.kicks += 1
                    logger.info("session.kicked", extra={"reason": kick.reason.name})
                    kicked = Kicked(kick.reason, kick.by_device)
                    connection.end(push_frame(PacketType.KICKED, kicked))

    def _write(self, push: Push, user_ids: Iterable[UserId]) -> None:
        if push.kind >= FIRST_NOTICE_KIND:
            self._write_notice(push, user_ids)
            return
        conversation_id, seq, origin = push.conversation_id, push.seq, push.origin
        frame = encode_frame(PacketType.DELIVER, 0, push.body)
        find = self._sessions.get
        deliveries = 0
        for user_id in user_ids:
            for connection in find(user_id, ()):
                if connection.session_id != origin:
                    deliveries += 1
                    connection.push(conversation_id, seq, frame)
        self.deliveries += deliveries

    def _write_notice(self, push: Push, user_ids: Iterable[UserId]) -> None:
        """A notice that some may not see reaches these as a hidden stretch of one entry."""
        conversation_id, seq = push.conversation_id, push.seq
        shown = encode_frame(PacketType.DELIVER, 0, push.body)
        blank = b""
        is_own = conversation_id >> 32 == conversation_id & 0xFFFFFFFF
        for user_id in user_ids:
            frame = shown
            if not is_own and not is_visible(push.kind, push.sender_id, user_id):
                if not blank:
                    body = encode_entry(hidden(conversation_id, seq, seq))
                    blank = encode_frame(PacketType.DELIVER, 0, body)
                frame = blank
            for connection in self._sessions.get(user_id, ()):
                if connection.session_id != push.origin:
                    self.deliveries += 1
                    connection.push(conversation_id, seq, frame)

    def _miss(self, push: Push, user_ids: Iterable[UserId]) -> None:
        for user_id in user_ids:
            for connection in self._sessions.get(user_id, ()):
                connection.miss(push.conversation_id, push.seq)

    # ---- for the net -----------------------------------------------------------------------------

    def turn(self, keep: int) -> int:
        """Begin a turn, and return its number; what was pushed in turns before *keep* is
        forgotten."""
        return self._pushed.turn(keep)

    def was_pushed(self, conversation_id: ConversationId, seq: Seq) -> bool:
        """Whether an entry was pushed here lately."""
        return self._pushed.has(conversation_id, seq)

    def here_since(self, conversation_id: ConversationId) -> int | None:
        """Since which turn somebody has been here whom a conversation concerns; None: nobody is."""
        lo = conversation_id >> 32
        if not lo:
            return self._groups.here_since(GroupId(conversation_id))
        one = self._came.get(UserId(lo))
        other = self._came.get(UserId(conversation_id & 0xFFFFFFFF))
        if one is None or other is None:
            return other if one is None else one
        return min(one, other)

    def take_joined(self) -> list[tuple[GroupId, Seq]]:
        """Groups whose first member came into them while here, and with which entry, since this was
        asked last: what was written after it may have gone to other units alone."""
        return self._groups.take_joined()

    # ---- figures ---------------------------------------------------------------------------------

    def counters(self) -> dict[str, int | float]:
        """Figures for the metrics."""
        return {
            "users": len(self._sessions),
            "groups": len(self._groups),
            "pushes_total": self.pushes,
            "deliveries_total": self.deliveries,
            "hints_total": self.hints,
            "kicks_total": self.kicks,
            "group_reloads_total": self._groups.reloads,
            "failed_group_reloads_total": self._groups.failed_reloads,
        }


def _is_meant(kick: Kick, connection: Connection) -> bool:
    caller = connection.caller
    assert caller is not None
    if kick.only is not None and caller.device_id not in kick.only:
        return False
    if kick.kind is not None and connection.device_kind is not kick.kind:
        return False
    if kick.reason is KickReason.REPLACED:
        # Two that came at the same time must not end each other: the later one stays.
        return caller.session_id < kick.keep
    return caller.session_id != kick.keep
