"""Asking a server's unit directory, ``GET /v1/units``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import aiohttp

from tinyqq.client.addresses import Address, Directory, Unit, parse_url
from tinyqq.client.trust import Trust
from tinyqq.errors import ErrorCode, InvalidRequest, Unavailable

_MAX_WAIT_S: Final = 120.0


@dataclass(frozen=True, slots=True)
class Listing:
    """What a directory answered. ``units``: the best one first; ``wait_s``: how long this client
    is asked to wait before it connects, so that not all come at once."""

    units: tuple[Unit, ...]
    wait_s: float = 0.0


async def fetch_listing(directory: Directory, *, trust: Trust, timeout_s: float) -> Listing:
    """The units that take log-ins.

    Raises:
        Unavailable: CONNECTION_LOST when the directory cannot be reached or its answer not read.
        InvalidRequest: *trust* names what is no certificate.
    """
    tls = trust.for_http() if directory.tls else True
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=timeout_s)) as http,
            http.get(f"{directory}/v1/units", ssl=tls, raise_for_status=True) as answer,
        ):
            return parse_listing(await answer.json())
    except (OSError, TimeoutError, aiohttp.ClientError, ValueError, InvalidRequest) as exc:
        reason = str(exc) or type(exc).__name__
        raise Unavailable(ErrorCode.CONNECTION_LOST, address=str(directory), reason=reason) from exc


def parse_listing(answer: Any) -> Listing:
    """The directory's JSON.

    Raises:
        ValueError: it is something else.
    """
    try:
        wait_s = min(
            max(0.0, float(answer.get("wait_ms", 0)) / 1000), _MAX_WAIT_S
        )  # 0.0: also of NaN
        return Listing(tuple(Unit(_addresses(unit)) for unit in answer["units"]), wait_s)
    except (TypeError, KeyError, AttributeError) as exc:
        raise ValueError("not a list of units") from exc


def _addresses(unit: dict[str, Any]) -> tuple[Address, ...]:
    """The ways to a unit, TCP before WebSocket: it is the cheaper one."""
    found = [parse_url(url) for name in ("tcp", "websocket") if (url := unit.get(name))]
    return tuple(address for address in found if isinstance(address, Address))
