"""What an administrator does with accounts and groups. Nobody's rights are checked here: whoever
calls has checked them. Calls may raise Unavailable."""

from __future__ import annotations

from typing import Protocol

from tinyqq.model.account import Account, Device
from tinyqq.model.group import GroupInfo, MemberList
from tinyqq.model.ids import GroupId, OperationId, UserId


class AccountDesk(Protocol):
    """Accounts, disabled ones too."""

    async def find_users(self, query: str, after: UserId, limit: int) -> tuple[Account, ...]:
        """A page by number: those whose number it is or whose nickname contains it; empty:
        everybody. Deleted accounts are left out."""
        ...

    async def list_devices(self, user_id: UserId) -> tuple[Device, ...]:
        """The devices of an account, the most recently seen first. NotFound USER_NOT_FOUND."""
        ...

    async def reset_password(self, user_id: UserId) -> str:
        """Give the account a new password, which must be changed at the next log-in, and log out
        every device; returns it. NotFound USER_NOT_FOUND."""
        ...

    async def set_disabled(self, user_id: UserId, disabled: bool) -> None:
        """Shut an account out, or let it in again. NotFound USER_NOT_FOUND."""
        ...

    async def log_out(self, user_id: UserId) -> None:
        """Log out every device, and forget its tokens. NotFound USER_NOT_FOUND."""
        ...


class GroupDesk(Protocol):
    """Groups, dismissed ones too."""

    async def find_groups(self, query: str, after: GroupId, limit: int) -> tuple[GroupInfo, ...]:
        """A page by number: those whose number it is or whose name contains it; empty: all."""
        ...

    async def list_members(self, group_id: GroupId, after: UserId, limit: int) -> MemberList:
        """A page of present members by number. NotFound GROUP_NOT_FOUND."""
        ...

    async def dismiss(self, group_id: GroupId, by: UserId, operation_id: OperationId) -> None:
        """End the group for everybody; *by* is named as who did it. NotFound GROUP_NOT_FOUND,
        Conflict GROUP_DISMISSED."""
        ...
