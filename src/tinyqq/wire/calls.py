"""Which role answers which request, by the names of ``ports.services``: for whoever hands requests
on, to this process or another."""

from __future__ import annotations

from typing import Final, NamedTuple

from tinyqq.wire.packets import PacketType


class Target(NamedTuple):
    """A method of a role.

    ``may_repeat``: asking twice has the effect of asking once, so a call whose outcome is unknown
    may be made again elsewhere: it reads, sets what it says, or carries an operation id.
    """

    role: str
    method: str
    may_repeat: bool = True


CALLS: Final[dict[int, Target]] = {
    PacketType.LOG_OUT: Target("user", "log_out"),
    PacketType.CHANGE_PASSWORD: Target("user", "change_password", may_repeat=False),
    PacketType.DELETE_ACCOUNT: Target("user", "delete_account", may_repeat=False),
    PacketType.LIST_DEVICES: Target("user", "list_devices"),
    PacketType.REVOKE_DEVICE: Target("user", "revoke_device"),
    PacketType.GET_PROFILE: Target("user", "get_profile"),
    PacketType.UPDATE_PROFILE: Target("user", "update_profile"),
    PacketType.SEARCH_USERS: Target("user", "search_users"),
    PacketType.REQUEST_FRIEND: Target("friend", "request_friend"),
    PacketType.ANSWER_FRIEND: Target("friend", "answer_friend"),
    PacketType.DELETE_FRIEND: Target("friend", "delete_friend"),
    PacketType.SET_BLOCKED: Target("friend", "set_blocked"),
    PacketType.SET_REMARK: Target("friend", "set_remark"),
    PacketType.LIST_CONTACTS: Target("friend", "list_contacts"),
    PacketType.CREATE_GROUP: Target("group", "create_group"),
    PacketType.JOIN_GROUP: Target("group", "join_group"),
    PacketType.ANSWER_JOIN: Target("group", "answer_join"),
    PacketType.INVITE_MEMBER: Target("group", "invite_member"),
    PacketType.LEAVE_GROUP: Target("group", "leave_group"),
    PacketType.REMOVE_MEMBER: Target("group", "remove_member"),
    PacketType.SET_ROLE: Target("group", "set_role"),
    PacketType.TRANSFER_GROUP: Target("group", "transfer_group"),
    PacketType.DISMISS_GROUP: Target("group", "dismiss_group"),
    PacketType.UPDATE_GROUP: Target("group", "update_group"),
    PacketType.SET_CARD: Target("group", "set_card"),
    PacketType.GET_GROUP: Target("group", "get_group"),
    PacketType.LIST_GROUPS: Target("group", "list_groups"),
    PacketType.LIST_MEMBERS: Target("group", "list_members"),
    PacketType.LIST_JOIN_REQUESTS: Target("group", "list_join_requests"),
    PacketType.LIST_INVITATIONS: Target("group", "list_invitations"),
    PacketType.RECALL: Target("chat", "recall"),
    PacketType.GET_OVERVIEW: Target("offline", "get_overview"),
    PacketType.SYNC: Target("offline", "get_page"),
    PacketType.GET_HISTORY: Target("offline", "get_history"),
}
"""Requests of somebody who has logged in, with (caller, record) → record or None."""

NOTES: Final[dict[int, Target]] = {
    PacketType.MARK: Target("offline", "mark"),
    PacketType.MARK_MANY: Target("offline", "mark_many"),
    PacketType.TYPING: Target("offline", "typing"),
}
"""Requests that are done at once, with nothing to wait for."""

ENTRANCES: Final[dict[int, Target]] = {
    PacketType.REGISTER: Target("user", "register"),
    PacketType.LOG_IN: Target("user", "log_in"),
    PacketType.RESUME: Target("user", "resume"),
    PacketType.RECOVER_PASSWORD: Target("user", "recover_password", may_repeat=False),
}
"""Requests before log-in: the role is told the address too."""
