"""The way in and out: log-in, the opening and the end of sessions, and what friends see of it.

Order of a log-in: check who it is, bind, read, answer. What is committed after the bind is pushed;
what was committed before is in what the client reads after the answer. In between nothing needs to
be pushed, so a session accepts pushes from its answer on.
"""

from __future__ import annotations

import logging
import secrets
from typing import Any, Final

from tinyqq.clock import Clock
from tinyqq.errors import ErrorCode, Forbidden, TinyQQError, Unauthenticated, Unavailable
from tinyqq.gateway.connection import Connection
from tinyqq.gateway.policy import Counts, GatewayPolicy
from tinyqq.gateway.tasks import CALL_FAILED, TaskPool
from tinyqq.gateway.unit import LocalUnit
from tinyqq.model.account import Caller, DeviceKind, KickReason, ListDevices
from tinyqq.model.admission import Admission
from tinyqq.model.friend import PresenceChanged
from tinyqq.model.ids import SessionId
from tinyqq.outcomes import outcome_of
from tinyqq.ports.delivery import Delivery, Hint, Kick
from tinyqq.ports.presence import Presence
from tinyqq.ports.services import Login, UserApi
from tinyqq.ports.storage import ConversationStore
from tinyqq.wire.framing import Frame
from tinyqq.wire.packets import PacketType, decode_request, encode

logger = logging.getLogger(__name__)

_RANDOM_BITS: Final = 22


class SessionIds:
    """Session ids that grow with time, also from unit to unit, so that the later of two is known.

    41 bits of milliseconds, 22 of chance.
    """

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._last = 0

    def next(self) -> SessionId:
        """A new one, larger than all before."""
        fresh = self._clock.now_ms() << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)
        self._last = max(fresh, self._last + 1)
        return SessionId(self._last)


class Entrance:
    """Implements :class:`tinyqq.gateway.dispatch.Entrance`.

    Args:
        tasks: runs what happens after a session came or went.
    """

    def __init__(
        self,
        *,
        users: UserApi,
        conversations: ConversationStore,
        presence: Presence,
        unit: LocalUnit,
        delivery: Delivery,
        tasks: TaskPool,
        clock: Clock,
        policy: GatewayPolicy,
        counts: Counts,
    ) -> None:
        self._users = users
        self._conversations = conversations
        self._presence = presence
        self._unit = unit
        self._delivery = delivery
        self._tasks = tasks
        self._clock = clock
        self._policy = policy
        self._counts = counts
        self._session_ids = SessionIds(clock=clock)
        self._admission = Admission(rate_per_s=policy.log_ins_per_s)
        self._go_away = b""

    @property
    def is_draining(self) -> bool:
        """Whether nobody is let in any more."""
        return bool(self._go_away)

    def close(self, go_away: bytes) -> None:
        """Let nobody in any more.

        Args:
            go_away: the push for those whose log-in is just being checked.
        """
        self._go_away = go_away

    # ---- in --------------------------------------------------------------------------------------

    async def enter(self, connection: Connection, frame: Frame) -> None:
        """Answer a request before log-in; then what waited behind it gets its turn."""
        packet_type, request_id, _ = frame
        outcome = await outcome_of(
            self._answer(connection, frame),
            timeout_s=self._policy.request_timeout_s,
            event=CALL_FAILED,
        )
        session = connection.session
        caller = None
        if isinstance(outcome, TinyQQError):
            self._unit.detach(connection)
            connection.reply_error(request_id, outcome)
        elif isinstance(outcome, Login):
            session.reply(packet_type, request_id, encode(outcome.answer))
            caller = outcome.caller
        else:
            session.reply(packet_type, request_id, encode(outcome))
        waiting = session.log_in_finished(caller, now_ms=self._clock.now_ms())
        if isinstance(outcome, Login) and session.caller is not None:
            self._opened(connection, outcome)
            if self._go_away:
                connection.drain(self._go_away)
        connection.admit(waiting)

    async def _answer(self, connection: Connection, frame: Frame) -> Any:
        if self.is_draining:
            raise Unavailable(ErrorCode.DRAINING)
        if connection.by_stranger and frame.type != PacketType.RESUME:
            raise Forbidden(ErrorCode.FORBIDDEN, reason="origin")
        record = decode_request(frame.type, frame.body)
        address = connection.address
        if frame.type == PacketType.REGISTER:
            return await self._users.register(record, address=address)
        if frame.type == PacketType.RECOVER_PASSWORD:
            return await self._users.recover_password(record, address=address)
        self._check_rate()
        check = self._users.log_in if frame.type == PacketType.LOG_IN else self._users.resume
        login = await check(
            record,
            address=address,
            session_id=self._session_ids.next(),
            language=connection.session.language,
        )
        await self._bind(connection, login)
        return login

    def _check_rate(self) -> None:
        wait_s = self._admission.take(self._clock.monotonic())
        if wait_s:
            self._counts.refused_log_ins += 1
            raise Unavailable(ErrorCode.BUSY, retry_after_s=wait_s)

    async def _bind(self, connection: Connection, login: Login) -> None:
        if connection.is_lost:
            # Nobody would ever take the session out again.
            raise Unavailable(ErrorCode.CONNECTION_LOST)
        caller = login.caller
        connection.identify(caller, login.device_kind)
        await self._unit.attach(connection)
        # Bind, then read: a device that was revoked between its check and the bind was not kicked.
        devices = await self._users.list_devices(caller, ListDevices())
        if all(device.device_id != caller.device_id for device in devices.devices):
            raise Unauthenticated(ErrorCode.DEVICE_REVOKED)

    def _opened(self, connection: Connection, login: Login) -> None:
        caller = login.caller
        self._counts.log_ins += 1
        connection.must_change_password = login.answer.must_change_password
        connection.accepts_pushes = not connection.must_change_password
        logger.info(
            "session.opened",
            extra={"user_id": caller.user_id, "session_id": caller.session_id},
        )
        self._end_others(caller, login)
        # Bound are also those that have no answer yet: two that come at once see each other.
        here = self._unit.sessions_of(caller.user_id)
        if all(one is connection or one.session.caller is None for one in here):
            self._tasks.spawn(self._tell_friends(caller, is_online=True))

    def _end_others(self, caller: Caller, login: Login) -> None:
        """One session per kind of device, or as many as the policy says: the oldest go.

        With more than one per kind only this unit's sessions are counted.
        """
        kind, allowed = login.device_kind, self._policy.sessions_per_kind
        if kind is DeviceKind.BOT or not allowed:
            return
        only = None
        if allowed > 1:
            same = [
                one.caller
                for one in self._unit.sessions_of(caller.user_id)
                if one.device_kind is kind and one.caller is not None
            ]
            surplus = sorted(same, key=lambda one: one.session_id)[:-allowed]
            if not surplus:
                return
            only = tuple(one.device_id for one in surplus)
        self._delivery.kick(
            Kick(
                user_id=caller.user_id,
                reason=KickReason.REPLACED,
                only=only,
                kind=kind,
                keep=caller.session_id,
                by_device=login.device_name,
            )
        )

    # ---- out -------------------------------------------------------------------------------------

    def leave(self, connection: Connection) -> None:
        """The connection is gone."""
        caller = connection.caller
        if caller is None:
            return
        was_last = self._unit.detach(connection)
        logger.info(
            "session.closed",
            extra={"user_id": caller.user_id, "session_id": caller.session_id},
        )
        if was_last:
            self._tasks.spawn(self._say_gone(caller))

    async def _say_gone(self, caller: Caller) -> None:
        await self._users.seen(caller)
        users, _ = await self._presence.locate((caller.user_id,), ())
        if not users and not self._unit.sessions_of(caller.user_id):
            await self._tell_friends(caller, is_online=False)

    async def _tell_friends(self, caller: Caller, *, is_online: bool) -> None:
        friends = await self._conversations.list_friend_ids(caller.user_id)
        if friends:
            last_seen_at_ms = 0 if is_online else self._clock.now_ms()
            record = PresenceChanged(caller.user_id, is_online, last_seen_at_ms)
            self._delivery.hint(Hint(friends, record, SessionId(0)))
