"""Which local users are in which group: who gets a group's push on this unit.

An index stands at the seq of the group's last membership entry that it knows (``members_seq``). A
push says what it was made against; when the index is older it is read anew before anybody is
written to, and the group's pushes wait meanwhile, in order. When the index is *newer* than the push
nobody can say here who might see it: the users are told to ask, and the log answers by right.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from tinyqq.errors import TinyQQError
from tinyqq.gateway.tasks import TaskPool
from tinyqq.model.ids import GroupId, Seq, UserId
from tinyqq.ports.delivery import Push
from tinyqq.ports.presence import Presence
from tinyqq.ports.storage import ConversationStore

logger = logging.getLogger(__name__)

MAX_HELD: Final = 1_000
"""Pushes of one group that wait for its index; more are dropped and must be asked for."""
READ_TIMEOUT_S: Final = 5.0
MAX_JOINED: Final = 10_000
"""Groups remembered for :meth:`LocalGroups.take_joined`; of more the oldest are forgotten, and a
client finds the gap with the next push."""
RETRIES_S: Final = (0.0, 0.1, 0.3, 1.0)
"""Pauses before the reads of an index that does not want to be read."""
_UNKNOWN: Final = Seq(-1)

Write = Callable[[Push, Iterable[UserId]], None]


class GroupIndex:
    """The local users of one group."""

    __slots__ = ("bound", "held", "members_seq", "since", "users")

    def __init__(self, since: int) -> None:
        self.since = since
        """The turn in which the first user came."""
        self.users: set[UserId] = set()
        self.members_seq = _UNKNOWN
        self.bound: asyncio.Task[TinyQQError | None] | None = None
        """Presence is being told; None: it knows. Calls of presence begin in the order in which
        things happened, because tasks do."""
        self.held: list[Push] | None = None
        """Pushes that wait while the index is being read."""

    def fits(self, push: Push) -> bool:
        """Whether the users of this index are those for whom *push* was made."""
        return push.seq >= self.members_seq and self.members_seq in (
            push.members_before,
            push.members_seq,
        )


class LocalGroups:
    """The group indexes of a unit.

    Args:
        tasks: runs reads and presence calls.
        write: writes a push to local users.
        miss: tells local users that they must ask for a push's entry.
        is_here: whether a user has a session on this unit.
        turn: the number of the present turn of the net.
        retries_s: pauses before each read.
    """

    def __init__(
        self,
        *,
        presence: Presence,
        conversations: ConversationStore,
        tasks: TaskPool,
        write: Write,
        miss: Write,
        is_here: Callable[[UserId], bool],
        turn: Callable[[], int] = lambda: 0,
        retries_s: tuple[float, ...] = RETRIES_S,
    ) -> None:
        self._presence = presence
        self._conversations = conversations
        self._tasks = tasks
        self._write = write
        self._miss = miss
        self._is_here = is_here
        self._turn = turn
        self._retries_s = retries_s
        self._indexes: dict[GroupId, GroupIndex] = {}
        self._groups_of: dict[UserId, set[GroupId]] = {}
        self._loading: dict[UserId, list[dict[GroupId, bool]]] = {}
        self._joined: deque[tuple[GroupId, Seq]] = deque(maxlen=MAX_JOINED)
        self.reloads = 0
        self.failed_reloads = 0

    def __len__(self) -> int:
        return len(self._indexes)

    def users_of(self, group_id: GroupId) -> frozenset[UserId]:
        """Local users of a group."""
        index = self._indexes.get(group_id)
        return frozenset(index.users) if index else frozenset()

    def here_since(self, group_id: GroupId) -> int | None:
        """Since which turn a group has had users here; None: it has none."""
        index = self._indexes.get(group_id)
        return None if index is None else index.since

    def take_joined(self) -> list[tuple[GroupId, Seq]]:
        """Groups whose first local user joined them while here, and with which entry, since this
        was asked last."""
        joined = list(self._joined)
        self._joined.clear()
        return joined

    # ---- users come and go -----------------------------------------------------------------------

    async def load(self, user_id: UserId) -> None:
        """Take a user who has just come into the indexes of their groups; bind first, then read.

        Changes that are pushed between the read and its end are not overwritten by it.
        """
        with self._notes(user_id) as notes:
            groups = set(await self._conversations.list_group_ids(user_id))
        for group_id, is_in in notes.items():
            (groups.add if is_in else groups.discard)(group_id)
        if not self._is_here(user_id):
            return
        indexes = {group_id: self._add(group_id, user_id) for group_id in groups}
        for group_id, index in indexes.items():
            await self._bound(group_id, index)

    def forget(self, user_id: UserId) -> None:
        """A user's last session has gone."""
        for group_id in self._groups_of.pop(user_id, ()):
            index = self._indexes[group_id]
            index.users.discard(user_id)
            self._drop_if_empty(group_id, index)

    @contextmanager
    def _notes(self, user_id: UserId) -> Iterator[dict[GroupId, bool]]:
        notes: dict[GroupId, bool] = {}
        self._loading.setdefault(user_id, []).append(notes)
        try:
            yield notes
        finally:
            all_notes = self._loading[user_id]
            all_notes[:] = [one for one in all_notes if one is not notes]
            if not all_notes:
                del self._loading[user_id]

    def _note(self, push: Push) -> None:
        for user_ids, is_in in ((push.joined, True), (push.gone, False)):
            for user_id in user_ids:
                for notes in self._loading.get(user_id, ()):
                    notes[GroupId(push.conversation_id)] = is_in

    def _add(self, group_id: GroupId, user_id: UserId) -> GroupIndex:
        index = self._indexes.get(group_id)
        if index is None:
            index = self._indexes[group_id] = GroupIndex(self._turn())
            index.bound = self._tasks.spawn(self._presence.bind_group(group_id))
        index.users.add(user_id)
        self._groups_of.setdefault(user_id, set()).add(group_id)
        return index

    async def _bound(self, group_id: GroupId, index: GroupIndex) -> None:
        """Wait until presence knows that this unit holds members of the group.

        Raises:
            TinyQQError: it could not be told; it is tried again for whoever waits next.
        """
        task = index.bound
        if task is None:
            return
        error = await asyncio.shield(task)
        if index.bound is task:
            index.bound = self._tasks.spawn(self._presence.bind_group(group_id)) if error else None
        if error is not None:
            raise error

    def _remove(self, group_id: GroupId, index: GroupIndex, user_id: UserId) -> None:
        index.users.discard(user_id)
        groups = self._groups_of.get(user_id)
        if groups is not None:
            groups.discard(group_id)
            if not groups:
                del self._groups_of[user_id]

    def _drop_if_empty(self, group_id: GroupId, index: GroupIndex) -> None:
        if not index.users and self._indexes.get(group_id) is index:
            del self._indexes[group_id]
            self._tasks.spawn(self._presence.unbind_group(group_id))

    # ---- pushes ----------------------------------------------------------------------------------

    def push(self, push: Push) -> None:
        """Write a group's entry to its local users, now or when the index is up to date."""
        if (push.joined or push.gone) and self._loading:
            self._note(push)
        group_id = GroupId(push.conversation_id)
        index = self._indexes.get(group_id)
        if index is None:
            index = self._begin(group_id, push)
            if index is None:
                return
        if index.held is not None:
            self._hold(index, push)
        elif index.fits(push):
            self._deliver(group_id, index, push)
        elif push.seq < index.members_seq or push.members_seq < index.members_seq:
            self._miss(push, index.users)
        else:
            index.held = [push]
            self._tasks.spawn(self._reload(group_id, index), timeout_s=None)

    def _begin(self, group_id: GroupId, push: Push) -> GroupIndex | None:
        """The index of a group that nobody here was in, if somebody is now."""
        for user_id in push.joined:
            if self._is_here(user_id):
                self._add(group_id, user_id)
        index = self._indexes.get(group_id)
        if index is not None:
            self._joined.append((group_id, push.seq))
        return index

    def _deliver(self, group_id: GroupId, index: GroupIndex, push: Push) -> None:
        if not push.joined and not push.gone:
            index.members_seq = push.members_seq
            self._write(push, index.users)
            return
        for user_id in push.joined:
            if self._is_here(user_id):
                self._add(group_id, user_id)
        # Those who go still see the entry that says so.
        self._write(push, index.users.union(push.gone))
        for user_id in push.gone:
            self._remove(group_id, index, user_id)
        index.members_seq = push.members_seq
        self._drop_if_empty(group_id, index)

    def _hold(self, index: GroupIndex, push: Push) -> None:
        assert index.held is not None
        if len(index.held) < MAX_HELD:
            index.held.append(push)
        else:
            self._miss(push, index.users.union(push.joined, push.gone))

    async def _reload(self, group_id: GroupId, index: GroupIndex) -> None:
        assert index.held
        wanted = index.held[0].members_before
        before = frozenset(index.users)
        is_read = False
        for pause_s in self._retries_s:
            await asyncio.sleep(pause_s)
            is_read = await self._read(group_id, index)
            if is_read and index.members_seq >= wanted:
                break
        else:
            is_read = False
        held, index.held = index.held, None
        if self._indexes.get(group_id) is not index:
            return
        if not is_read:
            self.failed_reloads += 1
            index.members_seq = _UNKNOWN
        taken_out = before.difference(index.users, *(push.gone for push in held))
        if taken_out:
            # The push that says so was lost, or is one of these without saying whom it takes out.
            self._miss(held[0], taken_out)
        for push in held:
            if is_read:
                self.push(push)
            else:
                self._miss(push, index.users.union(push.joined, push.gone))
        self._drop_if_empty(group_id, index)

    async def _read(self, group_id: GroupId, index: GroupIndex) -> bool:
        self.reloads += 1
        try:
            async with asyncio.timeout(READ_TIMEOUT_S):
                await self._bound(group_id, index)
                members, index.members_seq = await self._conversations.list_member_ids(group_id)
        except (TinyQQError, TimeoutError) as error:
            logger.warning("group.unread", extra={"group_id": group_id, "error": repr(error)})
            return False
        if self._indexes.get(group_id) is index:
            here = {user_id for user_id in members if self._is_here(user_id)}
            for user_id in index.users - here:
                self._remove(group_id, index, user_id)
            for user_id in here - index.users:
                self._add(group_id, user_id)
        return True
