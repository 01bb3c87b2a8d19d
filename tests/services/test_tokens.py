"""Access tokens: genuine, forged, expired; refresh tokens: random and hashed."""

from __future__ import annotations

import jwt
import pytest
from tests.support.accounts import MemoryAccounts

from tinyqq.errors import ErrorCode, Unauthenticated
from tinyqq.model.ids import DeviceId, UserId
from tinyqq.services.tokens import (
    AccessClaims,
    AccessTokens,
    is_access_token,
    new_refresh_token,
    open_access_tokens,
    refresh_hash,
)

KEY = b"k" * 32
NOW_MS = 1_700_000_000_000
CLAIMS = AccessClaims(UserId(10001), DeviceId(bytes(range(16))), 1_699_999_999_123)
PAYLOAD = {
    "sub": "10001",
    "did": "00" * 16,
    "gen": 1,
    "iat": NOW_MS // 1000,
    "exp": NOW_MS // 1000 + 900,
}


def code_of(token: str, *, now_ms: int = NOW_MS) -> ErrorCode:
    with pytest.raises(Unauthenticated) as caught:
        AccessTokens(key=KEY).read(token, now_ms=now_ms)
    return caught.value.code


def test_read_when_issued_by_us_then_the_claims() -> None:
    tokens = AccessTokens(key=KEY, lifetime_s=60)
    token, expires_at_ms = tokens.issue(CLAIMS, now_ms=NOW_MS)
    assert tokens.read(token, now_ms=NOW_MS) == CLAIMS
    assert tokens.read(token, now_ms=expires_at_ms - 1) == CLAIMS
    assert expires_at_ms == NOW_MS + 60_000


def test_read_when_its_time_is_over_then_expired() -> None:
    token, expires_at_ms = AccessTokens(key=KEY).issue(CLAIMS, now_ms=NOW_MS)
    assert code_of(token, now_ms=expires_at_ms) is ErrorCode.TOKEN_EXPIRED


def test_read_when_signed_with_another_key_then_invalid() -> None:
    token, _ = AccessTokens(key=b"x" * 32).issue(CLAIMS, now_ms=NOW_MS)
    assert code_of(token) is ErrorCode.TOKEN_INVALID


@pytest.mark.parametrize("algorithm", ["HS384", "none"])
def test_read_when_signed_by_another_algorithm_then_invalid(algorithm: str) -> None:
    key = "k" * 48 if algorithm != "none" else ""
    token = jwt.encode(PAYLOAD, key, algorithm=algorithm)
    assert code_of(token) is ErrorCode.TOKEN_INVALID


@pytest.mark.parametrize("missing", ["sub", "did", "gen", "exp"])
def test_read_when_a_claim_is_missing_then_invalid(missing: str) -> None:
    payload = {name: value for name, value in PAYLOAD.items() if name != missing}
    assert code_of(jwt.encode(payload, KEY, algorithm="HS256")) is ErrorCode.TOKEN_INVALID


@pytest.mark.parametrize(("name", "value"), [("did", "zz"), ("did", 7), ("gen", "x"), ("sub", "x")])
def test_read_when_a_claim_makes_no_sense_then_invalid(name: str, value: object) -> None:
    token = jwt.encode({**PAYLOAD, name: value}, KEY, algorithm="HS256")
    assert code_of(token) is ErrorCode.TOKEN_INVALID


@pytest.mark.parametrize("token", ["a.b.c", "..", "\u00e4.\u00f6.\u00fc", "x" * 5000 + "."])
def test_read_when_it_is_no_token_then_invalid(token: str) -> None:
    assert code_of(token) is ErrorCode.TOKEN_INVALID


async def test_open_access_tokens_when_opened_twice_then_one_key() -> None:
    accounts = MemoryAccounts()
    one = await open_access_tokens(accounts)
    other = await open_access_tokens(accounts, lifetime_s=60)
    assert other.read(one.issue(CLAIMS, now_ms=NOW_MS)[0], now_ms=NOW_MS) == CLAIMS


def test_new_refresh_token_when_made_then_random_hashed_and_told_apart() -> None:
    (one, one_hash), (other, _) = new_refresh_token(), new_refresh_token()
    assert one != other
    assert len(one) == 43
    assert one_hash == refresh_hash(one)
    assert one not in one_hash.hex()
    access, _ = AccessTokens(key=KEY).issue(CLAIMS, now_ms=NOW_MS)
    assert (is_access_token(one), is_access_token(access)) == (False, True)
