"""What the chat client reads and shows: lines in, lines out. Pure."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from tinyqq.cli.chat_files import shown_size
from tinyqq.cli.chat_texts import ChatTexts
from tinyqq.client import Change, Message
from tinyqq.client.media import StoredFile
from tinyqq.model.friend import Contact
from tinyqq.model.group import GroupInfo, Invitation, Member, Role
from tinyqq.model.ids import (
    ConversationId,
    ConversationType,
    GroupId,
    UserId,
    conversation_type,
    peer_of,
)
from tinyqq.model.message import Kind
from tinyqq.model.sync import Summary

_DIRECTION: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_TOLD_IN_OWN: Final = frozenset(
    {
        Kind.MEMBER_JOINED,
        Kind.MEMBER_REMOVED,
        Kind.JOIN_REQUESTED,
        Kind.JOIN_DECLINED,
        Kind.MEMBER_INVITED,
    }
)
"""Of what is told in the group and in the user's own conversation: shown from the latter."""


@dataclass(frozen=True, slots=True)
class Command:
    """A line that begins with a slash: ``/add 10002 hello`` has the name ``add``."""

    name: str
    argument: str = ""

    def number(self) -> tuple[int, str]:
        """The number that the argument begins with, and the rest; 0: it begins with none."""
        first, _, rest = self.argument.partition(" ")
        return (int(first), rest.strip()) if first.isascii() and first.isdigit() else (0, "")


def parse_line(line: str) -> Command | str:
    """What somebody typed: a command, or text to send. Two slashes: a text with one."""
    text = line.strip()
    if text.startswith("／"):  # the slash of Chinese input methods
        text = "/" + text[1:]
    if text.startswith("//"):
        return text[1:]
    if not text.startswith("/"):
        return text
    name, _, argument = text[1:].partition(" ")
    return Command(name.lower(), argument.strip())


def clean(text: str) -> str:
    """Text of others without what would move the cursor, colour the screen or turn direction."""
    return "".join(
        char
        if char == "\n" or (unicodedata.category(char) != "Cc" and char not in _DIRECTION)
        else " "
        for char in text
    )


@dataclass(slots=True)
class Names:
    """How people and groups are called here. ``me``: the user's own number."""

    me: UserId
    say: ChatTexts
    contacts: dict[UserId, Contact] = field(default_factory=dict)
    groups: dict[GroupId, GroupInfo] = field(default_factory=dict)
    nicknames: dict[UserId, str] = field(default_factory=dict)

    def knows(self, user_id: UserId) -> bool:
        """Whether there is a name for the user."""
        contact = self.contacts.get(user_id)
        return bool(contact and contact.nickname) or user_id in self.nicknames

    def user(self, user_id: UserId) -> str:
        """Remark or nickname, with the number; the number alone where no name is known."""
        contact = self.contacts.get(user_id)
        name = (contact.remark or contact.nickname) if contact else ""
        name = name or self.nicknames.get(user_id, "")
        return f"{clean(name)}({user_id})" if name else str(user_id)

    def group(self, group_id: GroupId, name: str = "") -> str:
        """The group's name, with its number."""
        known = self.groups.get(group_id)
        name = known.name if known else name
        return f"{clean(name)}({group_id})" if name else str(group_id)

    def conversation(self, conversation_id: ConversationId) -> str:
        """With whom a conversation is."""
        match conversation_type(conversation_id):
            case ConversationType.GROUP:
                return self.group(GroupId(conversation_id))
            case ConversationType.OWN:
                return self.say("peer.note")
            case ConversationType.DIRECT:
                return self.user(peer_of(conversation_id, self.me))


def show_time(time: datetime, now: datetime) -> str:
    """The time of day, with the date in front unless it is today."""
    return time.strftime("%H:%M" if time.date() == now.date() else "%Y-%m-%d %H:%M")


def show_message(message: Message, names: Names, now: datetime, *, file_number: int = 0) -> str:
    """A message as a line (or more, if it has more). ``file_number``: by which its file can be
    saved; 0: it cannot."""
    say = names.say
    if message.kind == Kind.RECALLED:
        body = say("message.recalled")
    else:
        body = _body(message, say, file_number)
    if message.content.quote is not None:
        body = f"「{clean(message.content.quote.excerpt)}」 {body}"
    body = body.replace("\n", "\n      ")
    return f"{show_time(message.time, now)} {_speaker(message, names)}: {body}"


def show_change(change: Change, names: Names, now: datetime) -> str | None:
    """A change as a line; None: it is not shown, because it is shown elsewhere or is unknown."""
    if not _is_shown(change, names.me):
        return None
    say = names.say
    key = f"change.{int(change.kind)}"
    if change.is_own and say.has(f"{key}.own"):
        key = f"{key}.own"
    if not say.has(key):
        return None
    notice = change.notice
    who = list(notice.user_ids) or [change.actor]
    peer = who[0] if change.is_own else change.actor
    group_id = change.group_id or notice.group_id
    text = say(
        key,
        actor=names.user(change.actor),
        actor_id=change.actor,
        who=", ".join(map(names.user, who)),
        peer=names.user(peer),
        group=names.group(group_id, notice.name),
        group_id=group_id,
        name=clean(notice.name),
        note=clean(notice.note),
    )
    return f"{show_time(change.time, now)} * {text}"


def show_summary(summary: Summary, names: Names) -> str:
    """A line of the conversation list."""
    name = names.conversation(summary.conversation_id)
    unread = f"  {names.say('list.unread', count=summary.unread)}" if summary.unread else ""
    return f"  {name}{unread}"


def show_stored(one: StoredFile, now: datetime, *, file_number: int) -> str:
    """A file of one's own on the server."""
    time = datetime.fromtimestamp(one.added_at_ms / 1000)
    name = clean(one.media.name) or one.media.blob_id[:12]
    size = shown_size(one.media.size_bytes)
    return f"  {file_number}  {show_time(time, now)}  {name} ({size})"


def show_contact(contact: Contact, names: Names) -> str:
    """A line of the list of friends."""
    say = names.say
    notes = []
    if contact.is_friend:
        notes.append(say("list.online" if contact.online else "list.offline"))
    if contact.request_received_at_ms:
        notes.append(f"{say('list.asks')} {clean(contact.note)}".rstrip())
    if contact.request_sent_at_ms:
        notes.append(say("list.asked"))
    if contact.is_blocked:
        notes.append(say("list.blocked"))
    return f"  {names.user(contact.user_id)}  {', '.join(notes)}"


def show_group(group: GroupInfo, names: Names) -> str:
    """A line of the list of groups."""
    members = names.say("list.members", count=group.members)
    return f"  {clean(group.name)}({group.group_id})  {members}{_role(group.role, names.say)}"


def show_invitation(invitation: Invitation, names: Names) -> str:
    """A line of the list of invitations."""
    group = f"{clean(invitation.name)}({invitation.group_id})"
    who = f"{clean(invitation.inviter)}({invitation.invited_by})"
    members = names.say("list.members", count=invitation.members)
    return f"  {group}  {members}, {names.say('list.invited', who=who)}"


def show_member(member: Member, names: Names) -> str:
    """A line of the list of members."""
    name = clean(member.card or member.nickname)
    return f"  {name}({member.user_id}){_role(member.role, names.say)}"


def _role(role: Role, say: ChatTexts) -> str:
    key = f"role.{int(role)}"
    return f"  {say(key)}" if say.has(key) else ""


def _speaker(message: Message, names: Names) -> str:
    if message.group_id is not None:
        return f"[{names.group(message.group_id)}] {names.user(message.sender)}"
    if conversation_type(message.conversation) is ConversationType.OWN:
        return names.say("message.note")
    if message.is_own:
        return names.say("message.own", peer=names.conversation(message.conversation))
    return names.user(message.sender)


def _body(message: Message, say: ChatTexts, file_number: int) -> str:
    text = clean(message.text)
    if message.kind == Kind.TEXT:
        return text
    key = f"message.{int(message.kind)}"
    label = say(key) if say.has(key) else say("message.kind", kind=int(message.kind))
    media = message.content.media
    name = clean(media.name) if media is not None else ""
    if text == name:
        text = ""
    if media is None or not file_number:
        return " ".join(part for part in (label, name, text) if part)
    size = shown_size(media.size_bytes)
    line = say("message.media", kind=label, name=name, size=size, number=file_number)
    return f"{text} {line}".strip()


def _is_shown(change: Change, me: UserId) -> bool:
    """What is told both in a conversation and in one's own is shown once."""
    is_about_me = me in change.notice.user_ids
    match conversation_type(change.conversation):
        case ConversationType.GROUP:
            return not (is_about_me and change.kind in _TOLD_IN_OWN)
        case ConversationType.DIRECT:
            return change.kind == Kind.RECALL
        case ConversationType.OWN:
            return change.group_id is None and (
                not change.notice.group_id or change.kind in _TOLD_IN_OWN
            )
