"""Moving windows: by account, by address, forgiven, forgotten."""

from __future__ import annotations

import pytest
from tests.support.accounts import narrow_throttle

from tinyqq.errors import ErrorCode, RateLimited
from tinyqq.model.ids import UserId
from tinyqq.services import throttle as module
from tinyqq.services.throttle import Rate, Throttle, ThrottleRates, network_of
from tinyqq.testing.clock import FakeClock

ANN, BOB = UserId(10001), UserId(10002)


def refused(throttle: Throttle, user_id: UserId, address: str) -> RateLimited:
    with pytest.raises(RateLimited) as caught:
        throttle.take_log_in(user_id, address)
    return caught.value


def test_take_log_in_when_the_account_had_its_share_then_refused_until_the_first_is_over() -> None:
    clock = FakeClock()
    throttle = narrow_throttle(clock)
    for second in range(3):
        throttle.take_log_in(ANN, f"address {second}")
        clock.advance(1)
    error = refused(throttle, ANN, "another")
    assert (error.code, error.retry_after_s) == (ErrorCode.TOO_MANY_LOG_INS, 57)
    clock.advance(57)
    throttle.take_log_in(ANN, "another")
    assert refused(throttle, ANN, "another").retry_after_s == 1


def test_take_log_in_when_the_address_had_its_share_then_refused_for_every_account() -> None:
    throttle = narrow_throttle(FakeClock())
    for number in range(6):
        throttle.take_log_in(UserId(20000 + number), "here")
    assert refused(throttle, ANN, "here").retry_after_s == 60
    throttle.take_log_in(ANN, "there")


def test_take_log_in_when_refused_then_not_counted() -> None:
    clock = FakeClock()
    throttle = narrow_throttle(clock)
    for _ in range(3):
        throttle.take_log_in(ANN, "here")
    for _ in range(10):
        refused(throttle, ANN, "here")
    for _ in range(3):
        throttle.take_log_in(BOB, "here")
    assert throttle.counters() == {"throttle_refused_total": 10}


def test_take_log_in_when_logged_in_already_then_only_the_account_counts() -> None:
    throttle = narrow_throttle(FakeClock())
    for number in range(10):
        throttle.take_log_in(UserId(20000 + number), "")
    throttle.take_log_in(ANN, "")


def test_forgive_log_in_when_right_then_only_that_attempt_is_forgotten() -> None:
    throttle = narrow_throttle(FakeClock())
    throttle.take_log_in(ANN, "attacker")
    throttle.take_log_in(ANN, "attacker")
    throttle.take_log_in(ANN, "owner")
    throttle.forgive_log_in(ANN)
    throttle.take_log_in(ANN, "attacker")
    refused(throttle, ANN, "attacker")


def test_forgive_log_in_when_nothing_was_counted_then_nothing() -> None:
    throttle = narrow_throttle(FakeClock())
    throttle.forgive_log_in(ANN)
    throttle.take_log_in(ANN, "here")


def test_take_registration_when_the_address_had_its_share_then_refused() -> None:
    clock = FakeClock()
    throttle = narrow_throttle(clock)
    for _ in range(3):
        throttle.take_registration("here")
    with pytest.raises(RateLimited) as caught:
        throttle.take_registration("here")
    assert caught.value.code is ErrorCode.TOO_MANY_REGISTRATIONS
    clock.advance(caught.value.retry_after_s)
    throttle.take_registration("here")


def test_take_log_in_when_the_rate_is_0_then_never_refused() -> None:
    free = Rate(0, 60)
    throttle = Throttle(clock=FakeClock(), rates=ThrottleRates(free, free, free))
    for _ in range(1000):
        throttle.take_log_in(ANN, "here")
        throttle.take_registration("here")


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.5", "203.0.113.5"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.5", "203.0.113.5"),
        ("fe80::1%eth0", "fe80::/64"),
        ("somewhere", "somewhere"),
        ("", ""),
    ],
)
def test_network_of_when_it_is_ipv6_then_its_64_bits_stand_for_it(
    address: str, network: str
) -> None:
    assert network_of(address) == network


def test_take_registration_when_the_address_moves_within_a_64_then_counted_together() -> None:
    throttle = narrow_throttle(FakeClock())
    for number in range(3):
        throttle.take_registration(f"2001:db8::{number}")
    with pytest.raises(RateLimited):
        throttle.take_registration("2001:db8::ffff:1")
    throttle.take_registration("2001:db8:0:1::1")


def test_windows_when_over_then_forgotten() -> None:
    clock = FakeClock()
    windows = module._Windows[str](Rate(3, 60))
    for number in range(100):
        windows.add(str(number), clock.monotonic())
    clock.advance(61)
    windows.add("new", clock.monotonic())
    assert len(windows) == 1


def test_windows_when_full_then_the_longest_unused_goes() -> None:
    windows = module._Windows[int](Rate(1, 60), max_keys=3)
    for key in (1, 2, 1, 3, 4):
        windows.add(key, 0.0)
    assert [windows.wait_s(key, 1.0) > 0 for key in (1, 2, 3, 4)] == [True, False, True, True]
