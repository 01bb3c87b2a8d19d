"""How long a message takes from its sender to its receiver, at a fixed rate."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Final

from tinyqq.lab.connection import LoadConnection, check_alive, open_sessions
from tinyqq.lab.frames import NUMBER, SendTemplate
from tinyqq.lab.schedule import Schedule
from tinyqq.lab.stage import Outcome, Stage, Stopwatch, new_salt, settle
from tinyqq.model.histogram import Histogram
from tinyqq.model.ids import direct_conversation

_LEAD_NS: Final = 50_000_000


class _Sender(LoadConnection):
    """Counts answers, good and bad."""

    __slots__ = ("answered",)

    def __init__(self) -> None:
        super().__init__()
        self.answered = 0

    def on_sent(self, request_id: int) -> None:
        """Committed."""
        self.answered += 1


class _Receiver(LoadConnection):
    """Notes when a message came, by its number."""

    __slots__ = ("_arrived", "number_at")

    def __init__(self, arrived: Callable[[int, int], None]) -> None:
        super().__init__()
        self._arrived = arrived
        self.number_at = 0

    def on_deliver(self, data: bytes, frame_at: int) -> None:
        """Read the number where the sender put it."""
        (number,) = NUMBER.unpack_from(data, frame_at + self.number_at)
        self._arrived(number, time.perf_counter_ns())


class _Record:
    """Turns arrivals into durations since the message's time in the schedule."""

    def __init__(self, schedule: Schedule, first_counted: int) -> None:
        self.histogram = Histogram()
        self.arrived = 0
        self._schedule = schedule
        self._first_counted = first_counted

    def add(self, number: int, now_ns: int) -> None:
        """Message *number* is there."""
        self.arrived += 1
        if number >= self._first_counted:
            self.histogram.add(now_ns - self._schedule.due_ns(number))


@dataclass(frozen=True, slots=True)
class FixedRate:
    """Open loop: ``per_second`` messages over ``pairs`` pairs in turn, whatever the answers do."""

    per_second: float = 500
    pairs: int = 100
    text_bytes: int = 100
    warm_up_s: float = 1.0
    seconds: float = 5.0

    async def run(self, stage: Stage) -> Outcome:
        """Percentiles from the time when a message was to be sent to its arrival."""
        warming = int(self.per_second * self.warm_up_s)
        count = warming + int(self.per_second * self.seconds)
        record: _Record

        def arrived(number: int, now_ns: int) -> None:
            record.add(number, now_ns)

        people = stage.population.people[: 2 * self.pairs]
        receivers = await open_sessions(stage.far(), people[1::2], lambda: _Receiver(arrived))
        senders = await open_sessions(stage.near(), people[::2], _Sender)
        salt = new_salt()
        templates = [
            SendTemplate(
                direct_conversation(one.user_id, other.user_id),
                text_bytes=self.text_bytes,
                salt=salt,
            )
            for one, other in zip(people[::2], people[1::2], strict=True)
        ]
        for receiver, template in zip(receivers, templates, strict=True):
            receiver.number_at = template.number_at
        schedule = Schedule(time.perf_counter_ns() + _LEAD_NS, self.per_second, count)
        record = _Record(schedule, warming)
        watch = Stopwatch(stage)
        await _send_on_time(schedule, range(warming), senders, templates)
        watch.begin()
        await _send_on_time(schedule, range(warming, count), senders, templates)
        outcome = watch.end(count - warming)
        await settle(lambda: record.arrived >= count)
        check_alive([*senders, *receivers])
        latency = record.histogram.summary()
        outcome.figures.update(asdict(latency) | {"lost": count - record.arrived})
        for connection in (*senders, *receivers):
            connection.close()
        return outcome


async def _send_on_time(
    schedule: Schedule,
    numbers: range,
    senders: list[_Sender],
    templates: list[SendTemplate],
) -> None:
    """Send these messages at their times; those that are late go at once."""
    pairs = len(senders)
    waiting = iter(numbers)
    upcoming = numbers.start

    def send_due() -> None:
        nonlocal upcoming
        due = min(schedule.due_before(time.perf_counter_ns()), numbers.stop)
        touched = set()
        for number in itertools.islice(waiting, max(due - upcoming, 0)):
            sender = senders[number % pairs]
            sender.put(templates[number % pairs].frame(number // pairs + 1, number))
            touched.add(sender)
        upcoming = max(upcoming, due)
        for sender in touched:
            sender.flush()

    await asyncio.to_thread(_tick, schedule, numbers, asyncio.get_running_loop(), send_due)
    # The last tick may still wait for its turn in the loop.
    await asyncio.sleep(0)
    send_due()


def _tick(
    schedule: Schedule,
    numbers: range,
    loop: asyncio.AbstractEventLoop,
    action: Callable[[], None],
) -> None:
    """Call *action* in the loop when a message is due. In a thread, since the loop's own timers
    are no finer than a millisecond, and to spin would take the core from the disk's interrupts."""
    number = numbers.start
    while number < numbers.stop:
        wait_ns = schedule.due_ns(number) - time.perf_counter_ns()
        if wait_ns > 0:
            time.sleep(wait_ns / 1e9)
        loop.call_soon_threadsafe(action)
        number = max(number + 1, schedule.due_before(time.perf_counter_ns()))
