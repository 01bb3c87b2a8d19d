"""Asking a server's unit directory, ``GET /v1/units``."""

from __future__ import annotations

from typing import Any

import aiohttp

from tinyqq.client.addresses import Address, Directory, Unit, parse_url
from tinyqq.client.trust import Trust
from tinyqq.errors import ErrorCode, InvalidRequest, Unavailable


async def fetch_units(directory: Directory, *, trust: Trust, timeout_s: float) -> list[Unit]:
    """The units that take log-ins.

    Raises:
        Unavailable: CONNECTION_LOST when the directory cannot be reached or its answer not read.
    """
    tls: Any = True
    if directory.tls:
        tls = aiohttp.Fingerprint(trust.digest) if trust.digest else trust.context()
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=timeout_s)) as http,
            http.get(f"{directory}/v1/units", ssl=tls, raise_for_status=True) as answer,
        ):
            return parse_units(await answer.json())
    except (OSError, TimeoutError, aiohttp.ClientError, ValueError, InvalidRequest) as exc:
        reason = str(exc) or type(exc).__name__
        raise Unavailable(ErrorCode.CONNECTION_LOST, address=str(directory), reason=reason) from exc


def parse_units(answer: Any) -> list[Unit]:
    """The directory's JSON as units.

    Raises:
        ValueError: it is something else.
    """
    try:
        return [
            Unit(load=float(unit.get("load", 0.0)), addresses=_addresses(unit))
            for unit in answer["units"]
        ]
    except (TypeError, KeyError, AttributeError) as exc:
        raise ValueError("not a list of units") from exc


def _addresses(unit: dict[str, Any]) -> tuple[Address, ...]:
    """The ways to a unit, TCP before WebSocket: it is the cheaper one."""
    found = [parse_url(url) for name in ("tcp", "websocket") if (url := unit.get(name))]
    return tuple(address for address in found if isinstance(address, Address))
