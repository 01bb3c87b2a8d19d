"""Friends, requests, blocks: the nouns, and what is asked and answered about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tinyqq.model.ids import OperationId, UserId

MAX_NOTE_CHARS: Final = 200
MAX_REMARK_CHARS: Final = 32
REQUEST_LIFETIME_MS: Final = 30 * 24 * 3600 * 1000
"""An unanswered request (friendship, joining a group) or invitation expires after 30 days."""


@dataclass(frozen=True, slots=True)
class RequestFriend:
    """Ask a user for friendship; when the other asked already, this accepts."""

    operation_id: OperationId
    user_id: UserId
    note: str = ""


@dataclass(frozen=True, slots=True)
class AnswerFriend:
    """Accept or decline a user's request."""

    operation_id: OperationId
    user_id: UserId
    accept: bool


@dataclass(frozen=True, slots=True)
class DeleteFriend:
    """End a friendship, for both; the other is not told."""

    operation_id: OperationId
    user_id: UserId


@dataclass(frozen=True, slots=True)
class SetBlocked:
    """Block or unblock a user: no messages, no requests; the other is told only when refused."""

    operation_id: OperationId
    user_id: UserId
    blocked: bool


@dataclass(frozen=True, slots=True)
class SetRemark:
    """The name under which the caller sees this user; empty: the nickname."""

    user_id: UserId
    remark: str


@dataclass(frozen=True, slots=True)
class ListContacts:
    """Ask for friends, open requests and blocked users."""


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody whom the user is connected with: friend, asker, asked, or blocked.

    ``request_received_at_ms`` and ``request_sent_at_ms`` are 0 without an open request.
    """

    user_id: UserId
    nickname: str = ""
    remark: str = ""
    is_friend: bool = False
    is_blocked: bool = False
    request_received_at_ms: int = 0
    request_sent_at_ms: int = 0
    note: str = ""
    online: bool = False
    last_seen_at_ms: int = 0
    is_bot: bool = False
    avatar: str = ""


@dataclass(frozen=True, slots=True)
class ContactList:
    """All contacts, by number."""

    contacts: tuple[Contact, ...]


@dataclass(frozen=True, slots=True)
class PresenceChanged:
    """A friend came (``online``) or went."""

    user_id: UserId
    online: bool
    last_seen_at_ms: int = 0
