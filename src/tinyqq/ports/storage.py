"""Storage as the services see it. Implemented in ``storage/`` for every database.

All methods may raise Unavailable (the database cannot be reached, or not in time). None keeps a
transaction open between two calls.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypedDict, Unpack

from tinyqq.model.account import Account, Device
from tinyqq.model.conversation import ConversationState, Effect
from tinyqq.model.friend import Contact
from tinyqq.model.group import GroupInfo, Invitation, JoinRequest, MemberList
from tinyqq.model.ids import (
    ConversationId,
    DeviceId,
    GroupId,
    OperationId,
    Seq,
    UserId,
)
from tinyqq.model.message import Entry
from tinyqq.model.sync import Known, Overview


class AppendFailed(Exception):
    """An append did not go through as asked.

    Args:
        outcome_known: True when nothing was written (a key was taken, the statement was refused);
            False when the batch may or may not have been committed.
        key_taken: nothing was written because a number or an operation is in the log already:
            another lane was first. After a look at the log the same entries may go through.
    """

    def __init__(self, *, outcome_known: bool, key_taken: bool = False) -> None:
        super().__init__("nothing written" if outcome_known else "outcome unknown")
        self.outcome_known = outcome_known
        self.key_taken = key_taken


class SendKey(NamedTuple):
    """What makes a send the same send."""

    conversation_id: ConversationId
    sender_id: UserId
    client_message_id: OperationId


class Added(NamedTuple):
    """An entry that another lane may have written: where it is, and of what kind."""

    conversation_id: ConversationId
    seq: Seq
    kind: int


class LogWriter(Protocol):
    """The lane's side of the log. One lane per shard and process calls it, one call at a time."""

    async def load(
        self, conversation_ids: Sequence[ConversationId]
    ) -> dict[ConversationId, ConversationState]:
        """Heads and grants, fresh from the database; a conversation without entries has head 0."""
        ...

    async def read_after(
        self, heads: Mapping[ConversationId, Seq], limit: int
    ) -> tuple[Added, ...]:
        """What comes after these heads, ascending per conversation, at most *limit* of each."""
        ...

    async def find_sent(self, keys: Sequence[SendKey]) -> dict[SendKey, Entry]:
        """Which of these are already in the log."""
        ...

    async def ensure_listed(self, rows: Sequence[tuple[UserId, ConversationId]]) -> None:
        """Put conversations into users' lists; those already there stay as they are."""
        ...

    async def append(
        self,
        entries: Sequence[Entry],
        effects: Sequence[tuple[ConversationId, Effect]],
    ) -> None:
        """Write entries and the effects that go with them in one transaction, durable on return.

        Args:
            entries: numbered; contiguous per conversation; at most one batch (bounded by the lane).
            effects: in the order of their entries; "put" effects overwrite the row.

        Raises:
            AppendFailed: all or nothing was written; see ``outcome_known``.
        """
        ...


@dataclass(frozen=True, slots=True)
class PageRows:
    """Raw rows of a page and what the viewer may see of the conversation.

    ``windows``: intervals [since, until] of seqs, ascending, ``until`` cut at the head; one
    interval over everything in direct and own conversations.
    """

    entries: tuple[Entry, ...]
    head_seq: Seq
    windows: tuple[tuple[Seq, Seq], ...]
    more: bool = False


class LogReader(Protocol):
    """Reading the log for people: bounded by the viewer's rights in the same statement."""

    async def read_page(
        self, viewer_id: UserId, conversation_id: ConversationId, after_seq: Seq, limit: int
    ) -> PageRows:
        """Rows after *after_seq*, ascending, ≤ *limit* and ≤ MAX_PAGE_BYTES (at least one).

        No window means: the viewer has no right to any of it (and ``entries`` is empty).
        """
        ...

    async def read_history(
        self, viewer_id: UserId, conversation_id: ConversationId, before_seq: Seq, limit: int
    ) -> PageRows:
        """The last *limit* countable rows before *before_seq* (0: from the head) and every notice
        between them, ascending; ``more``: older countable rows exist in the windows."""
        ...

    async def read_overview(
        self,
        user_id: UserId,
        device_id: DeviceId,
        *,
        known: Sequence[Known],
        with_cursors: bool,
        after_conversation_id: ConversationId,
        limit: int,
    ) -> Overview:
        """The conversation list by conversation id, without those of which everything is *known*.

        ``with_cursors``: also those whose cursors differ from *known*: the user's own either way
        (marks may have got lost), the other user's when they are further on.
        The own conversation is always in it. A new device's delivered cursor is the account's read
        one.
        """
        ...

    async def read_heads(
        self, conversation_ids: Sequence[ConversationId]
    ) -> Mapping[ConversationId, Seq]:
        """The last seq of each; those without entries are absent. One statement for all."""
        ...

    async def find_entry(self, conversation_id: ConversationId, seq: Seq) -> Entry | None:
        """One entry, whoever asks."""
        ...

    async def find_operation(self, key: SendKey) -> Entry | None:
        """The entry of an operation, if its first step was taken."""
        ...

    async def find_visible(self, viewer_id: UserId, key: SendKey) -> Entry | None:
        """The entry of an operation, if *viewer_id* may see it."""
        ...


class LogKey(NamedTuple):
    """Where a row of the log is, the how-manieth of whose writing it is, and what kind of entry."""

    writer: int
    writer_pos: int
    conversation_id: ConversationId
    seq: Seq
    kind: int


class Tail(NamedTuple):
    """What has been written lately. ``next_writer``: the number that the next writer gets.
    ``is_whole``: False while a part of the log is away, of which there are no keys then."""

    next_writer: int
    keys: tuple[LogKey, ...]
    is_whole: bool = True


class Found(NamedTuple):
    """Entries that were asked for. ``members_seqs``: of the groups among their conversations the
    last entry that changed who is in; it may be newer than those asked for. ``unread``: keys of a
    part of the log that is away."""

    entries: tuple[Entry, ...]
    members_seqs: Mapping[ConversationId, Seq]
    unread: frozenset[tuple[ConversationId, Seq]] = frozenset()


class LogTail(Protocol):
    """The log by writers: for units that look after pushes which did not come.

    A writer's rows have positions 1, 2, 3 … and become visible in this order.
    """

    async def read_ends(self, writers: Collection[int], newest: int) -> Tail:
        """The last row of each of these writers and of the *newest* last ones; those who have
        written nothing are absent."""
        ...

    async def read_keys(self, after: Mapping[int, int], limit: int) -> Tail:
        """Rows of each of these writers after a position, ascending per writer, at most *limit* of
        each. One statement; where the log is spread over shards, one of each that is there."""
        ...

    async def read_from(
        self, conversation_id: ConversationId, after_seq: Seq, limit: int
    ) -> tuple[LogKey, ...]:
        """Rows of a conversation, ascending."""
        ...

    async def read_entries(self, keys: Sequence[tuple[ConversationId, Seq]]) -> Found:
        """These entries by conversation and seq, as far as they exist."""
        ...


class CursorRow(NamedTuple):
    """Cursors to merge by max. Rows of the whole account have the device id ``ACCOUNT_DEVICE``."""

    user_id: UserId
    device_id: DeviceId
    conversation_id: ConversationId
    delivered_seq: Seq
    read_seq: Seq


ACCOUNT_DEVICE = DeviceId(bytes(16))
"""Stands for the account itself in cursor rows: the maximum over its devices."""


class ConversationStore(Protocol):
    """Lists, cursors and indexes by user; groups and relations for reading."""

    async def merge_cursors(self, rows: Sequence[CursorRow]) -> None:
        """Keep the larger of each pair of values; one transaction for all rows."""
        ...

    async def read_cursor(
        self, user_id: UserId, device_id: DeviceId, conversation_id: ConversationId
    ) -> CursorRow | None:
        """One row of cursors."""
        ...

    async def set_remark(
        self, user_id: UserId, conversation_id: ConversationId, remark: str
    ) -> None:
        """Set the remark of a line of the user's list (the line must be there: else no effect)."""
        ...

    async def drop_listed(self, user_id: UserId, conversation_id: ConversationId) -> None:
        """Take a conversation out of a user's list."""
        ...

    async def list_contacts(self, user_id: UserId) -> tuple[Contact, ...]:
        """Friends, open requests both ways, blocked users; presence is not filled in."""
        ...

    async def find_contact(self, user_id: UserId, peer_id: UserId) -> Contact | None:
        """What a user has to do with one other (somebody else): one of the same list."""
        ...

    async def list_friend_ids(self, user_id: UserId) -> tuple[UserId, ...]:
        """Friends' numbers, ascending."""
        ...

    async def list_group_ids(self, user_id: UserId) -> tuple[GroupId, ...]:
        """Groups that the user is a present member of, ascending."""
        ...

    async def list_groups(self, user_id: UserId) -> tuple[GroupInfo, ...]:
        """The same groups, with all that the list shows."""
        ...

    async def find_group(self, group_id: GroupId, viewer_id: UserId) -> GroupInfo | None:
        """One group as *viewer_id* sees it, also a dismissed one."""
        ...

    async def list_member_ids(self, group_id: GroupId) -> tuple[tuple[UserId, ...], Seq]:
        """Present members and the seq of the last membership entry that this list includes."""
        ...

    async def list_members(
        self, group_id: GroupId, after_user_id: UserId, limit: int
    ) -> MemberList:
        """A page of present members by number."""
        ...

    async def search_groups(
        self, query: str, after_group_id: GroupId, limit: int
    ) -> tuple[GroupInfo, ...]:
        """Groups by number, also dismissed ones, for administration: those whose number it is or
        whose name contains it (case-insensitive); empty: all."""
        ...

    async def list_join_requests(self, group_id: GroupId) -> tuple[JoinRequest, ...]:
        """Who waits at the door, the oldest first; expired ones are left out by the service."""
        ...

    async def list_invitations(self, user_id: UserId, limit: int) -> tuple[Invitation, ...]:
        """Invitations into groups on the user's list that are not answered, the latest first;
        expired ones are left out by the service."""
        ...


class AccountChanges(TypedDict, total=False):
    """Columns of an account that may change."""

    nickname: str
    password_hash: str
    recovery_hash: str
    signature: str
    avatar: str
    is_admin: bool
    is_disabled: bool
    must_change_password: bool
    allow_strangers: bool
    is_welcomed: bool
    deleted_at_ms: int
    last_seen_at_ms: int


class Seen(NamedTuple):
    """When a device, and with it its user, was here."""

    user_id: UserId
    device_id: DeviceId
    seen_at_ms: int


class AccountStore(Protocol):
    """Accounts, their devices, numbers and secrets."""

    async def create_account(self, account: Account, operation_id: OperationId) -> Account:
        """Store a new account; a repeat of *operation_id* returns the first one unchanged."""
        ...

    async def create_accounts(self, accounts: Iterable[Account], devices: Iterable[Device]) -> None:
        """Store many at once (load tests, demo); numbers must be free."""
        ...

    async def find_account(self, user_id: UserId) -> Account | None:
        """One account, also a deleted one."""
        ...

    async def find_accounts(self, user_ids: Sequence[UserId]) -> Mapping[UserId, Account]:
        """Several accounts by number; those that do not exist are absent."""
        ...

    async def search_accounts(self, query: str, limit: int) -> tuple[Account, ...]:
        """Usable accounts whose nickname contains *query* (case-insensitive), by number."""
        ...

    async def list_accounts(
        self, after_user_id: UserId, limit: int, query: str = ""
    ) -> tuple[Account, ...]:
        """All accounts by number, for administration; with a *query* those whose number it is or
        whose nickname contains it (case-insensitive)."""
        ...

    async def update_account(self, user_id: UserId, **changes: Unpack[AccountChanges]) -> bool:
        """Change columns; False when there is no such account."""
        ...

    async def put_device(self, device: Device) -> None:
        """Store a device, over an older row of the same user and device id."""
        ...

    async def find_device(self, user_id: UserId, device_id: DeviceId) -> Device | None:
        """One device."""
        ...

    async def find_device_by_refresh(self, refresh_hash: bytes) -> Device | None:
        """The device that holds this refresh token."""
        ...

    async def list_devices(self, user_id: UserId) -> tuple[Device, ...]:
        """Devices, the most recently seen first."""
        ...

    async def note_seen(self, seen: Sequence[Seen]) -> None:
        """Note when users and their devices were last here; one transaction for all. Later rows
        win; devices that are gone stay so."""
        ...

    async def delete_devices(
        self, user_id: UserId, *, only: DeviceId | None = None, keep: DeviceId | None = None
    ) -> tuple[DeviceId, ...]:
        """Forget devices (all; only one; all but one) and their tokens; returns which."""
        ...

    async def take_numbers(self, counter: str, count: int) -> int:
        """Take *count* consecutive numbers from a counter (``user``, ``group``, ``writer``);
        returns the first. Never given twice; gaps are possible. ``user`` and ``group`` start at
        10001."""
        ...

    async def get_secret(self, name: str, candidate: bytes) -> bytes:
        """The secret of that name; *candidate* becomes it if there is none yet (first writer
        wins)."""
        ...
