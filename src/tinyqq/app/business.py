"""The business roles, wired: the lane and what stands on it, and who answers for a role that is
not in this process.

Every node has the parts of all roles, which cost nothing while nobody calls them; ``roles`` decides
which of them answer, here and to other nodes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from tinyqq.app.ground import Enter, Ground
from tinyqq.app.media import open_media
from tinyqq.app.peers import Peers
from tinyqq.app.settings import MEMORY, AccountSettings, Settings
from tinyqq.http.metrics import Counters
from tinyqq.model.ids import HELPER_ID
from tinyqq.ports.delivery import Delivery, UnitLink
from tinyqq.ports.media import Bearers, MediaApi
from tinyqq.ports.services import Services
from tinyqq.services.admin import AccountAdmin
from tinyqq.services.bearers import AccessBearers
from tinyqq.services.chat import ChatService
from tinyqq.services.delivery import DeliveryService
from tinyqq.services.friends import FriendService
from tinyqq.services.group_admin import GroupAdmin
from tinyqq.services.groups import GroupService
from tinyqq.services.helper import Helper, HelperInbox
from tinyqq.services.lane import Lane, LaneLimits
from tinyqq.services.lanes import AnyLane, Lanes
from tinyqq.services.offline import OfflineService
from tinyqq.services.overhearing import Overhearing
from tinyqq.services.passwords import PasswordPool
from tinyqq.services.throttle import Rate, Throttle, ThrottleRates
from tinyqq.services.timing import Timing
from tinyqq.services.tokens import open_access_tokens
from tinyqq.services.users import AccountPolicy, Registration, UserService

_LOOK_EVERY_S: Final = 0.25


@dataclass(frozen=True, slots=True)
class Business:
    """The business roles, and the operator's desk beside them.

    ``services``: for this node's clients, each role here or at other nodes. ``own``: the roles of
    this process, for other nodes. ``incoming``: takes what other nodes deliver. ``admin``,
    ``groups``: do what operators decide. ``commits``: how long the lanes' commits took.
    """

    services: Services
    own: Services
    admin: AccountAdmin
    groups: GroupAdmin
    commits: Timing
    media: MediaApi
    bearers: Bearers
    delivery: Delivery
    incoming: UnitLink
    counters: Mapping[str, Counters]


async def open_business(enter: Enter, settings: Settings, ground: Ground, peers: Peers) -> Business:
    """Open the lane and the roles."""
    clock = ground.clock
    storage = ground.storage
    accounts, conversations = storage.accounts, storage.conversations
    has_helper = settings.helper.enabled

    inbox = HelperInbox(ground.unit)
    delivery = await enter(_delivery(ground, inbox if has_helper else ground.unit, peers))
    offline = await enter(
        OfflineService(
            reader=storage.log_reader, conversations=conversations, delivery=delivery, clock=clock
        )
    )
    commits = Timing()
    lane: AnyLane = await enter(_lane(settings, ground, delivery, peers, commits))
    media = await open_media(enter, settings, ground)
    chat = ChatService(
        lane=lane,
        reader=storage.log_reader,
        max_text_chars=settings.limits.max_text_chars,
        on_sent=offline.note_sent,
        media=media.sends,
    )
    friends = _friends(ground, lane, delivery, has_helper=has_helper)
    groups = GroupService(
        lane=lane,
        accounts=accounts,
        conversations=conversations,
        log_reader=storage.log_reader,
        clock=clock,
        member_limit=settings.groups.member_limit,
    )
    helper = Helper(inbox=inbox, lane=lane, accounts=accounts, friends=friends, clock=clock)
    if has_helper:
        await helper.ensure_account()
        await enter(helper)
    passwords = await enter(_password_pool(settings.accounts))
    throttle = Throttle(clock=clock, rates=_rates(settings.accounts))
    tokens = await open_access_tokens(
        accounts, lifetime_s=settings.accounts.access_token_lifetime_s
    )
    users = UserService(
        accounts=accounts,
        friends=friends,
        groups=groups,
        delivery=delivery,
        passwords=passwords,
        tokens=tokens,
        throttle=throttle,
        clock=clock,
        policy=_account_policy(settings.accounts),
        welcome=helper.welcome if has_helper else None,
    )
    own = Services(user=users, friend=friends, group=groups, chat=chat, offline=offline)
    return Business(
        services=_nearest(settings.roles, own, peers.services),
        own=own,
        admin=AccountAdmin(accounts=accounts, passwords=passwords, delivery=delivery, clock=clock),
        groups=GroupAdmin(lane=lane, conversations=conversations),
        commits=commits,
        media=media.api,
        bearers=AccessBearers(accounts=accounts, tokens=tokens, clock=clock),
        delivery=delivery,
        incoming=Overhearing(unit=ground.unit, lane=lane),
        counters={
            **peers.counters,
            **media.counters,
            "delivery": delivery.counters,
            "lane": lane.counters,
            "offline": offline.counters,
            "password": passwords.counters,
            "throttle": throttle.counters,
            "helper": helper.counters,
        },
    )


def _delivery(ground: Ground, local: UnitLink, peers: Peers) -> DeliveryService:
    return DeliveryService(
        own=ground.me.unit_id,
        local=local,
        presence=ground.presence,
        link=peers.link,
        peers=peers.others,
        clock=ground.clock,
    )


def _friends(
    ground: Ground, lane: AnyLane, delivery: Delivery, *, has_helper: bool
) -> FriendService:
    return FriendService(
        lane=lane,
        accounts=ground.storage.accounts,
        conversations=ground.storage.conversations,
        presence=ground.presence,
        delivery=delivery,
        clock=ground.clock,
        house_accounts=frozenset({HELPER_ID} if has_helper else ()),
    )


def _lane(
    settings: Settings, ground: Ground, delivery: Delivery, peers: Peers, commits: Timing
) -> AnyLane:
    """One lane per shard of the log: a statement never names two of them."""
    storage = ground.storage
    limits = LaneLimits(
        max_batch_bytes=storage.max_batch_bytes,
        look_every_s=0.0 if settings.registry == MEMORY else _LOOK_EVERY_S,
    )
    lanes = [
        Lane(
            log=storage.log_writer,
            delivery=delivery,
            clock=ground.clock,
            limits=limits,
            commits=commits,
            find_home=peers.find_home,
        )
        for _ in range(storage.shards)
    ]
    return Lanes(lanes=lanes, shard_of=storage.shard_of) if len(lanes) > 1 else lanes[0]


def _nearest(roles: Collection[str], own: Services, others: Services | None) -> Services:
    """Each role in this process if it is to answer here, else at another node."""
    if others is None:
        return own
    names = (field.name for field in dataclasses.fields(Services))
    return Services(**{name: getattr(own if name in roles else others, name) for name in names})


def _password_pool(accounts: AccountSettings) -> PasswordPool:
    return PasswordPool(memory_kib=accounts.argon2_memory_kib, passes=accounts.argon2_passes)


def _rates(accounts: AccountSettings) -> ThrottleRates:
    return ThrottleRates(
        log_ins_per_address=Rate(accounts.log_ins_per_address_per_minute, 60),
        registrations_per_address=Rate(accounts.registrations_per_address_per_hour, 3600),
    )


def _account_policy(accounts: AccountSettings) -> AccountPolicy:
    return AccountPolicy(
        registration=Registration(accounts.registration),
        invite_code=accounts.invite_code.get_secret_value(),
        refresh_lifetime_s=accounts.refresh_token_lifetime_s,
    )
