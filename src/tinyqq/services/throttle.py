"""How often somebody may try to log in or to register.

Moving windows in memory, by account and by network address. The number of keys is bounded: the one
that was used longest ago is forgotten first.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass
from ipaddress import IPv6Network, ip_address
from typing import Final, Generic, TypeVar

from tinyqq.clock import Clock
from tinyqq.errors import ErrorCode, RateLimited
from tinyqq.model.ids import UserId

MAX_KEYS: Final = 100_000
_K = TypeVar("_K")


@dataclass(frozen=True, slots=True)
class Rate:
    """At most ``count`` in any ``period_s`` seconds; ``count`` 0: no limit."""

    count: int
    period_s: float


@dataclass(frozen=True, slots=True)
class ThrottleRates:
    """What the throttle allows.

    Successful log-ins don't count against the account. The address's rate is wide because a whole
    school may sit behind one address.
    """

    log_ins_per_account: Rate = Rate(10, 300)
    log_ins_per_address: Rate = Rate(100, 60)
    registrations_per_address: Rate = Rate(60, 3600)


class Throttle:
    """Counts attempts and refuses what is too much."""

    def __init__(self, *, clock: Clock, rates: ThrottleRates) -> None:
        self._clock = clock
        self._accounts = _Windows[UserId](rates.log_ins_per_account)
        self._addresses = _Windows[str](rates.log_ins_per_address)
        self._registrations = _Windows[str](rates.registrations_per_address)
        self._refused = 0

    def take_log_in(self, user_id: UserId, address: str) -> None:
        """Count an attempt. An empty *address* (the user is logged in already) is not counted.

        Raises:
            RateLimited: TOO_MANY_LOG_INS; the attempt is not counted then.
        """
        now = self._clock.monotonic()
        network = network_of(address)
        wait_s = self._accounts.wait_s(user_id, now)
        if network:
            wait_s = max(wait_s, self._addresses.wait_s(network, now))
        if wait_s > 0:
            raise self._refusal(ErrorCode.TOO_MANY_LOG_INS, wait_s)
        self._accounts.add(user_id, now)
        if network:
            self._addresses.add(network, now)

    def forgive_log_in(self, user_id: UserId) -> None:
        """The attempt just counted was right: the account's window forgets it."""
        self._accounts.drop_last(user_id)

    def take_registration(self, address: str) -> None:
        """Count a registration.

        Raises:
            RateLimited: TOO_MANY_REGISTRATIONS; it is not counted then.
        """
        now = self._clock.monotonic()
        network = network_of(address)
        wait_s = self._registrations.wait_s(network, now)
        if wait_s > 0:
            raise self._refusal(ErrorCode.TOO_MANY_REGISTRATIONS, wait_s)
        self._registrations.add(network, now)

    def counters(self) -> dict[str, int | float]:
        """What was done so far, for the metrics."""
        return {"throttle_refused_total": self._refused}

    def _refusal(self, code: ErrorCode, wait_s: float) -> RateLimited:
        self._refused += 1
        return RateLimited(code, retry_after_s=wait_s)


def network_of(address: str) -> str:
    """What stands for an address when attempts are counted: of IPv6 its /64, because whoever has
    one address of that has them all."""
    try:
        ip = ip_address(address)
    except ValueError:
        return address
    if ip.version == 4:
        return address
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(IPv6Network((int(ip) >> 64 << 64, 64)))


class _Windows(Generic[_K]):
    """The moving windows of one rate: by key, the times of what was counted."""

    def __init__(self, rate: Rate, *, max_keys: int = MAX_KEYS) -> None:
        self._rate = rate
        self._max_keys = max_keys
        self._times: OrderedDict[_K, deque[float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._times)

    def wait_s(self, key: _K, now: float) -> float:
        """Seconds until one more may be counted; 0: now."""
        times = self._times.get(key)
        if times is None:
            return 0.0
        while times and times[0] <= now - self._rate.period_s:
            times.popleft()
        if len(times) < self._rate.count:
            return 0.0
        return times[0] + self._rate.period_s - now

    def add(self, key: _K, now: float) -> None:
        if not self._rate.count:
            return
        self._times.setdefault(key, deque()).append(now)
        self._times.move_to_end(key)
        self._forget(now)

    def drop_last(self, key: _K) -> None:
        times = self._times.get(key)
        if times:
            times.pop()

    def _forget(self, now: float) -> None:
        """The key at the front was used longest ago, so only it can be over."""
        while self._times:
            times = self._times[next(iter(self._times))]
            is_over = not times or times[-1] <= now - self._rate.period_s
            if not is_over and len(self._times) <= self._max_keys:
                return
            self._times.popitem(last=False)
