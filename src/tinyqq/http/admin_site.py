"""The admin API as a whole: the parts list of what is behind its door."""

from __future__ import annotations

from aiohttp import web

from tinyqq.http.admin import AdminDoor, AdminRouter
from tinyqq.http.admin_cluster import ClusterView
from tinyqq.http.admin_live import AdminLive
from tinyqq.http.admin_people import AdminGroups, AdminUsers
from tinyqq.ports.admin import AccountDesk, GroupDesk
from tinyqq.ports.media import Bearers
from tinyqq.ports.presence import Presence
from tinyqq.ports.services import UserApi


class AdminSite:
    """Answers ``/v1/admin/…``.

    Args:
        bearers: say who holds a token.
        users: says who is an administrator.
        view: the cluster.
        accounts, groups: do what administrators decide.
        presence: says where people are.
    """

    def __init__(
        self,
        *,
        bearers: Bearers,
        users: UserApi,
        view: ClusterView,
        accounts: AccountDesk,
        groups: GroupDesk,
        presence: Presence,
    ) -> None:
        self._door = AdminDoor(bearers, users)
        self._live = AdminLive(view, self._door)
        self._users = AdminUsers(accounts, presence)
        self._groups = AdminGroups(groups)

    def add_to(self, app: web.Application) -> None:
        """Take the paths; streams end when the application is shut down."""
        router = AdminRouter(app.router, self._door)
        for part in (self._live, self._users, self._groups):
            part.add_to(router)
        app.on_shutdown.append(self._close)

    async def _close(self, _: web.Application) -> None:
        self._live.close()
