"""Who is where. A cache of what units know: it may be stale, the log may not."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from tinyqq.model.ids import GroupId, SessionId, UnitId, UserId


class Presence(Protocol):
    """Which units hold a user's sessions, and which hold online members of a group.

    What changes it returns when every unit can see the change, or after a moment when those who
    keep it cannot be reached: then it is shown later, and what others push meanwhile is found in
    the log. Changes are shown in the order of the calls.
    """

    async def bind(self, user_id: UserId, session_id: SessionId) -> None:
        """This unit holds this session now. Bind first, then read."""
        ...

    async def unbind(self, user_id: UserId, session_id: SessionId) -> None:
        """This unit no longer holds it; a newer session of the user stays."""
        ...

    async def bind_group(self, group_id: GroupId) -> None:
        """This unit holds its first online member of the group."""
        ...

    async def unbind_group(self, group_id: GroupId) -> None:
        """This unit's last online member of the group has gone."""
        ...

    def renew(self, user_ids: Collection[UserId], group_ids: Collection[GroupId]) -> None:
        """What others see of these may be wrong: show again what this unit holds of them. Returns
        at once; of a great many only some are taken."""
        ...

    def watch(self, on_loss: Callable[[], None]) -> None:
        """Call back, in the event loop, when others may have been shown too little."""
        ...

    async def locate(
        self, user_ids: Sequence[UserId], group_ids: Sequence[GroupId]
    ) -> tuple[dict[UserId, frozenset[UnitId]], dict[GroupId, frozenset[UnitId]]]:
        """The units to push to; users and groups that are nowhere are absent. One round trip.

        Raises:
            Unavailable: nobody knows just now.
        """
        ...
