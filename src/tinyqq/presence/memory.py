"""Presence of a cluster of one: this unit's own dicts are the whole truth."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from tinyqq.model.ids import GroupId, SessionId, UnitId, UserId


class MemoryPresence:
    """Implements :class:`tinyqq.ports.presence.Presence` for the only unit there is.

    Args:
        unit_id: the unit that every answer names.
    """

    def __init__(self, *, unit_id: UnitId) -> None:
        self._here = frozenset({unit_id})
        self._sessions: dict[UserId, set[SessionId]] = {}
        self._groups: set[GroupId] = set()

    async def bind(self, user_id: UserId, session_id: SessionId) -> None:
        """This unit holds this session now."""
        self._sessions.setdefault(user_id, set()).add(session_id)

    async def unbind(self, user_id: UserId, session_id: SessionId) -> None:
        """This unit no longer holds it; other sessions of the user stay."""
        sessions = self._sessions.get(user_id, set())
        sessions.discard(session_id)
        if not sessions:
            self._sessions.pop(user_id, None)

    async def bind_group(self, group_id: GroupId) -> None:
        """This unit holds online members of the group."""
        self._groups.add(group_id)

    async def unbind_group(self, group_id: GroupId) -> None:
        """This unit holds none any more."""
        self._groups.discard(group_id)

    def renew(self, user_ids: Collection[UserId], group_ids: Collection[GroupId]) -> None:
        """There is nobody else to show it to."""

    def watch(self, on_loss: Callable[[], None]) -> None:
        """Nothing is ever lost here."""

    async def locate(
        self, user_ids: Sequence[UserId], group_ids: Sequence[GroupId]
    ) -> tuple[dict[UserId, frozenset[UnitId]], dict[GroupId, frozenset[UnitId]]]:
        """Where they are: here or nowhere."""
        return (
            {user_id: self._here for user_id in user_ids if user_id in self._sessions},
            {group_id: self._here for group_id in group_ids if group_id in self._groups},
        )

    def counters(self) -> dict[str, int | float]:
        """Figures for the metrics."""
        return {"users_online": len(self._sessions), "groups_bound": len(self._groups)}
