"""Packets: the number of every packet type, the record it carries, and the bytes of that record.

The one place where a packet type, its protobuf message and its record meet. docs/protocol.md lists
the same numbers for other implementers; they are never reused.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from enum import IntEnum
from typing import Any, Final, NamedTuple, cast

from tinyqq._pb import client_pb2 as pb
from tinyqq.errors import TinyQQError, error_for
from tinyqq.model import account, connection, friend, group, message, sync
from tinyqq.model.ids import ConversationId, OperationId, Seq, UserId
from tinyqq.model.message import Entry, Sent
from tinyqq.wire.codec import Codec, parsed
from tinyqq.wire.framing import encode_frame

PROTOCOL_VERSION: Final = 1
REPLY_BIT: Final = 0x8000
PUSH_BIT: Final = 0x4000


class PacketType(IntEnum):
    """Requests below 0x4000; pushes from 0x4000; a reply is its request's number + 0x8000."""

    HELLO = 0x0001
    HEARTBEAT = 0x0002

    REGISTER = 0x0010
    LOG_IN = 0x0011
    RESUME = 0x0012
    RECOVER_PASSWORD = 0x0013
    LOG_OUT = 0x0014
    CHANGE_PASSWORD = 0x0015
    DELETE_ACCOUNT = 0x0016
    LIST_DEVICES = 0x0017
    REVOKE_DEVICE = 0x0018

    GET_PROFILE = 0x0020
    UPDATE_PROFILE = 0x0021
    SEARCH_USERS = 0x0022

    REQUEST_FRIEND = 0x0030
    ANSWER_FRIEND = 0x0031
    DELETE_FRIEND = 0x0032
    SET_BLOCKED = 0x0033
    SET_REMARK = 0x0034
    LIST_CONTACTS = 0x0035

    CREATE_GROUP = 0x0040
    JOIN_GROUP = 0x0041
    ANSWER_JOIN = 0x0042
    INVITE_MEMBER = 0x0043
    LEAVE_GROUP = 0x0044
    REMOVE_MEMBER = 0x0045
    SET_ROLE = 0x0046
    TRANSFER_GROUP = 0x0047
    DISMISS_GROUP = 0x0048
    UPDATE_GROUP = 0x0049
    SET_CARD = 0x004A
    GET_GROUP = 0x004B
    LIST_GROUPS = 0x004C
    LIST_MEMBERS = 0x004D
    LIST_JOIN_REQUESTS = 0x004E
    LIST_INVITATIONS = 0x004F

    SEND = 0x0060
    RECALL = 0x0061
    TYPING = 0x0062
    MARK = 0x0063
    MARK_MANY = 0x0064

    GET_OVERVIEW = 0x0070
    SYNC = 0x0071
    GET_HISTORY = 0x0072

    DELIVER = 0x4001
    CURSOR_MOVED = 0x4002
    TYPING_NOTICE = 0x4003
    PRESENCE_CHANGED = 0x4004
    GO_AWAY = 0x4005
    KICKED = 0x4006
    HEAD_HINT = 0x4007
    PROFILE_CHANGED = 0x4008

    ERROR = 0x8000


ONE_WAY: Final = frozenset({PacketType.MARK, PacketType.MARK_MANY, PacketType.TYPING})
"""Requests that may come with request id 0 and then get no reply."""

BEFORE_LOG_IN: Final = frozenset(
    {PacketType.REGISTER, PacketType.LOG_IN, PacketType.RESUME, PacketType.RECOVER_PASSWORD}
)


class Operation(NamedTuple):
    """What a request carries and what its reply carries."""

    request: type[Any]
    reply: type[Any]


OPERATIONS: Final[dict[PacketType, Operation]] = {
    PacketType.HELLO: Operation(connection.Hello, connection.Welcome),
    PacketType.HEARTBEAT: Operation(connection.Heartbeat, connection.Pulse),
    PacketType.REGISTER: Operation(account.Register, account.Registered),
    PacketType.LOG_IN: Operation(account.LogIn, account.LoggedIn),
    PacketType.RESUME: Operation(account.Resume, account.LoggedIn),
    PacketType.RECOVER_PASSWORD: Operation(account.RecoverPassword, account.Recovered),
    PacketType.LOG_OUT: Operation(account.LogOut, connection.Done),
    PacketType.CHANGE_PASSWORD: Operation(account.ChangePassword, connection.Done),
    PacketType.DELETE_ACCOUNT: Operation(account.DeleteAccount, connection.Done),
    PacketType.LIST_DEVICES: Operation(account.ListDevices, account.DeviceList),
    PacketType.REVOKE_DEVICE: Operation(account.RevokeDevice, connection.Done),
    PacketType.GET_PROFILE: Operation(account.GetProfile, account.Profile),
    PacketType.UPDATE_PROFILE: Operation(account.UpdateProfile, account.Profile),
    PacketType.SEARCH_USERS: Operation(account.SearchUsers, account.ProfileList),
    PacketType.REQUEST_FRIEND: Operation(friend.RequestFriend, connection.Done),
    PacketType.ANSWER_FRIEND: Operation(friend.AnswerFriend, connection.Done),
    PacketType.DELETE_FRIEND: Operation(friend.DeleteFriend, connection.Done),
    PacketType.SET_BLOCKED: Operation(friend.SetBlocked, connection.Done),
    PacketType.SET_REMARK: Operation(friend.SetRemark, connection.Done),
    PacketType.LIST_CONTACTS: Operation(friend.ListContacts, friend.ContactList),
    PacketType.CREATE_GROUP: Operation(group.CreateGroup, group.GroupCreated),
    PacketType.JOIN_GROUP: Operation(group.JoinGroup, group.JoinOutcome),
    PacketType.ANSWER_JOIN: Operation(group.AnswerJoin, connection.Done),
    PacketType.INVITE_MEMBER: Operation(group.InviteMember, connection.Done),
    PacketType.LEAVE_GROUP: Operation(group.LeaveGroup, connection.Done),
    PacketType.REMOVE_MEMBER: Operation(group.RemoveMember, connection.Done),
    PacketType.SET_ROLE: Operation(group.SetRole, connection.Done),
    PacketType.TRANSFER_GROUP: Operation(group.TransferGroup, connection.Done),
    PacketType.DISMISS_GROUP: Operation(group.DismissGroup, connection.Done),
    PacketType.UPDATE_GROUP: Operation(group.UpdateGroup, connection.Done),
    PacketType.SET_CARD: Operation(group.SetCard, connection.Done),
    PacketType.GET_GROUP: Operation(group.GetGroup, group.GroupInfo),
    PacketType.LIST_GROUPS: Operation(group.ListGroups, group.GroupList),
    PacketType.LIST_MEMBERS: Operation(group.ListMembers, group.MemberList),
    PacketType.LIST_JOIN_REQUESTS: Operation(group.ListJoinRequests, group.JoinRequestList),
    PacketType.LIST_INVITATIONS: Operation(group.ListInvitations, group.InvitationList),
    PacketType.SEND: Operation(Entry, Sent),
    PacketType.RECALL: Operation(message.Recall, connection.Done),
    PacketType.TYPING: Operation(message.Typing, connection.Done),
    PacketType.MARK: Operation(message.Mark, connection.Done),
    PacketType.MARK_MANY: Operation(message.MarkMany, connection.Done),
    PacketType.GET_OVERVIEW: Operation(sync.GetOverview, sync.Overview),
    PacketType.SYNC: Operation(sync.Sync, sync.Page),
    PacketType.GET_HISTORY: Operation(sync.GetHistory, sync.History),
}
"""Every request and its reply."""

PUSHES: Final[dict[PacketType, type[Any]]] = {
    PacketType.DELIVER: Entry,
    PacketType.CURSOR_MOVED: message.CursorMoved,
    PacketType.TYPING_NOTICE: message.Typing,
    PacketType.PRESENCE_CHANGED: friend.PresenceChanged,
    PacketType.GO_AWAY: connection.GoAway,
    PacketType.KICKED: connection.Kicked,
    PacketType.HEAD_HINT: connection.HeadHint,
    PacketType.PROFILE_CHANGED: account.ProfileChanged,
}
"""What the server sends by itself, with request id 0."""

HINT_TYPES: Final[dict[type[Any], PacketType]] = {
    PUSHES[number]: number
    for number in (
        PacketType.CURSOR_MOVED,
        PacketType.TYPING_NOTICE,
        PacketType.PRESENCE_CHANGED,
        PacketType.PROFILE_CHANGED,
    )
}
"""The pushes that tell of state: see :class:`tinyqq.ports.delivery.Hint`."""


# ---- the hot packets -----------------------------------------------------------------------------

# Tags of Sent's fields: number << 3 | 1 (fixed64). Fixed width, so that one struct call writes all.
_SENT_FIELDS: Final = struct.Struct("<BQBQBQ")
_SEQ, _ORDINAL, _SENT_AT = (number << 3 | 1 for number in (8, 9, 11))


class SendFields(NamedTuple):
    """What a client may say in a Send."""

    conversation_id: ConversationId
    client_message_id: OperationId
    kind: int
    content: bytes
    flight: int


def decode_send(body: bytes) -> SendFields:
    """The sender's fields of a Send; the server's are ignored, and so are unknown ones.

    Raises:
        ProtocolError: MALFORMED. Values are checked by the chat role.
    """
    entry = parsed(pb.Entry(), body)
    return SendFields(
        ConversationId(entry.conversation_id),
        OperationId(entry.client_message_id),
        entry.kind,
        entry.content,
        entry.flight,
    )


def encode_send(fields: SendFields) -> bytes:
    """The body of a Send."""
    return pb.Entry(
        conversation_id=fields.conversation_id,
        client_message_id=fields.client_message_id,
        kind=fields.kind,
        content=fields.content,
        flight=fields.flight,
    ).SerializeToString()


def encode_sent(seq: int, ordinal: int, sent_at_ms: int) -> bytes:
    """The body of a Send's reply."""
    return _SENT_FIELDS.pack(_SEQ, seq, _ORDINAL, ordinal, _SENT_AT, sent_at_ms)


def encode_entry(entry: Entry) -> bytes:
    """The body of a Deliver: what a page holds of the same entry, byte for byte.

    Made anew and not from the sender's own bytes, although forwarding them would save a
    microsecond: they may hold the server's fields under another wire type, which not every protobuf
    library tells from the real ones, and fields of a later version, which this one could not
    override.
    """
    return _entry_message(entry).SerializeToString()


def decode_entry(body: bytes) -> Entry:
    """The entry of a Deliver.

    Raises:
        ProtocolError: MALFORMED.
    """
    return _entry_record(parsed(pb.Entry(), body))


def _entry_message(entry: Entry) -> pb.Entry:
    return pb.Entry(
        conversation_id=entry.conversation_id,
        client_message_id=entry.client_message_id,
        kind=entry.kind,
        content=entry.body,
        seq=entry.seq,
        ordinal=entry.ordinal,
        sender_id=entry.sender_id,
        sent_at_ms=entry.sent_at_ms,
        through_seq=entry.through_seq,
    )


def _entry_record(entry: pb.Entry) -> Entry:
    return Entry(
        ConversationId(entry.conversation_id),
        Seq(entry.seq),
        entry.ordinal,
        UserId(entry.sender_id),
        OperationId(entry.client_message_id),
        entry.sent_at_ms,
        entry.kind,
        entry.content,
        Seq(entry.through_seq),
    )


class _EntryCodec(Codec[Entry]):
    """Entry is a tuple with a field of another name (``body``), so it has its own codec."""

    def __init__(self) -> None:
        self.record_class = Entry
        self.message_class = pb.Entry

    def to_message(self, record: Entry) -> pb.Entry:
        return _entry_message(record)

    def from_message(self, message: Any) -> Entry:
        return _entry_record(cast(pb.Entry, message))


# ---- everything else -----------------------------------------------------------------------------


_NESTED: Final[tuple[type[Any], ...]] = (
    sync.Position, sync.Known, account.DeviceInfo, account.Profile, friend.Contact,
    group.GroupInfo, group.Member, group.JoinRequest, group.Invitation, message.Mark,
    sync.Summary,
)  # fmt: skip
"""Records that fields of other records hold."""


def _compile(records: Iterable[type[Any]], *, strict: bool) -> dict[type[Any], Codec[Any]]:
    """Codecs of *records* and of what they hold; nested ones first."""
    codecs: dict[type[Any], Codec[Any]] = {Entry: _EntryCodec()}
    for record_class in (*_NESTED, *records):
        if record_class not in codecs:
            message_class = getattr(pb, record_class.__name__)
            codecs[record_class] = Codec(record_class, message_class, codecs, strict=strict)
    return codecs


_REQUESTS: Final = _compile((one.request for one in OPERATIONS.values()), strict=True)
_ANSWERS: Final = _compile(
    (*(one.reply for one in OPERATIONS.values()), *PUSHES.values()), strict=False
)
_CODECS: Final = _ANSWERS | _REQUESTS


def encode(record: object) -> bytes:
    """The body of a packet that carries *record*."""
    return _CODECS[type(record)].encode(record)


def decode_request(packet_type: int, body: bytes) -> Any:
    """The record of a request.

    Raises:
        ProtocolError: MALFORMED; InvalidRequest: a value outside what its field allows.
    """
    return _REQUESTS[OPERATIONS[PacketType(packet_type)].request].decode(body)


def decode_reply(request_type: int, body: bytes) -> Any:
    """The record of the reply to a request of *request_type*.

    Raises:
        ProtocolError: MALFORMED. Values are taken as they are, see ``codec.py``.
    """
    return _ANSWERS[OPERATIONS[PacketType(request_type)].reply].decode(body)


def decode_push(packet_type: int, body: bytes) -> Any:
    """The record of a push; raises like :func:`decode_reply`."""
    return _ANSWERS[PUSHES[PacketType(packet_type)]].decode(body)


def reply_frame(request_type: int, request_id: int, record: object) -> bytes:
    """A reply, ready to be written."""
    return encode_frame(request_type | REPLY_BIT, request_id, encode(record))


def push_frame(packet_type: PacketType, record: object) -> bytes:
    """A push, ready to be written."""
    return encode_frame(packet_type, 0, encode(record))


_MAX_RETRY_AFTER_S: Final = 24 * 3600.0


def encode_error(error: TinyQQError) -> bytes:
    """The body of an Error packet."""
    return pb.Error(
        code=error.code,
        name=error.code.name,
        text=str(error),
        retry_after_ms=round(min(max(error.retry_after_s, 0.0), _MAX_RETRY_AFTER_S) * 1000),
        fields={name: str(value) for name, value in error.fields.items()},
    ).SerializeToString()


def decode_error(body: bytes) -> TinyQQError:
    """The error that a server reported.

    Raises:
        ProtocolError: MALFORMED.
    """
    message_ = parsed(pb.Error(), body)
    fields = dict(message_.fields)
    fields.pop("retry_after_s", None)
    return error_for(message_.code, retry_after_s=message_.retry_after_ms / 1000, **fields)


def error_frame(request_id: int, error: TinyQQError) -> bytes:
    """An Error packet, ready to be written; request id 0: about the connection itself."""
    return encode_frame(PacketType.ERROR, request_id, encode_error(error))
