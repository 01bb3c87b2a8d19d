"""How many durable messages a second: pairs of friends, each sender with a window of sends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from tinyqq.errors import TinyQQError
from tinyqq.lab.connection import LoadConnection, check_alive, open_sessions
from tinyqq.lab.frames import SendTemplate
from tinyqq.lab.stage import Outcome, Stage, Stopwatch, new_salt, settle
from tinyqq.model.ids import direct_conversation


class _Receiver(LoadConnection):
    """Counts what comes."""

    __slots__ = ("delivered",)

    def __init__(self) -> None:
        super().__init__()
        self.delivered = 0

    def on_deliver(self, data: bytes, frame_at: int) -> None:
        """Count it."""
        self.delivered += 1


class WindowSender(_Receiver):
    """Keeps a window of sends under way: an answer to one is followed by the next."""

    __slots__ = ("_frame", "_stopped", "acked", "refusals", "sent")

    def __init__(self) -> None:
        super().__init__()
        self.acked = 0
        self.sent = 0
        self.refusals: list[TinyQQError] = []
        self._stopped = False
        self._frame: Callable[[int, int], bytes]

    def start(self, template: SendTemplate, window: int) -> None:
        """Send the first *window* messages."""
        self._frame = template.frame
        for _ in range(window):
            self._send_next()
        self.flush()

    def stop(self) -> None:
        """Send no more."""
        self._stopped = True

    def on_sent(self, request_id: int) -> None:
        """One is committed: the next, please."""
        self.acked += 1
        if not self._stopped:
            self.sent = number = self.sent + 1
            self.put(self._frame(number, number))

    def on_refused(self, request_id: int, error: TinyQQError) -> None:
        """Remembered, and not sent again: a refusal spoils the measurement."""
        self.refusals.append(error)

    def _send_next(self) -> None:
        self.sent += 1
        self.put(self._frame(self.sent, self.sent))


@dataclass(frozen=True, slots=True)
class OneToOne:
    """Closed loop: ``pairs`` senders with ``window`` sends each in flight. In a cluster nobody is
    on the unit of their friend."""

    pairs: int = 100
    window: int = 10
    text_bytes: int = 100
    warm_up_s: float = 1.0
    seconds: float = 5.0

    async def run(self, stage: Stage) -> Outcome:
        """Messages that were acknowledged in the measured time, all of them delivered."""
        people = stage.population.people[: 2 * self.pairs]
        receivers = await open_sessions(stage.far(), people[1::2], _Receiver)
        senders = await open_sessions(stage.near(), people[::2], WindowSender)
        salt = new_salt()
        for position, sender in enumerate(senders):
            one, other = people[2 * position], people[2 * position + 1]
            template = SendTemplate(
                direct_conversation(one.user_id, other.user_id),
                text_bytes=self.text_bytes,
                salt=salt,
            )
            sender.start(template, self.window)
        outcome = await _measure(stage, senders, self.warm_up_s, self.seconds)
        arrived = await settle(
            lambda: sum(one.delivered for one in receivers) >= sum(one.sent for one in senders)
        )
        check_alive([*senders, *receivers])
        lost = sum(one.sent for one in senders) - sum(one.delivered for one in receivers)
        outcome.figures["lost"] = 0 if arrived else lost
        outcome.figures["refused"] = sum(len(one.refusals) for one in senders)
        for connection in (*senders, *receivers):
            connection.close()
        return outcome


async def _measure(
    stage: Stage, senders: list[WindowSender], warm_up_s: float, seconds: float
) -> Outcome:
    await asyncio.sleep(warm_up_s)
    watch = Stopwatch(stage)
    watch.begin()
    before = sum(sender.acked for sender in senders)
    await asyncio.sleep(seconds)
    outcome = watch.end(sum(sender.acked for sender in senders) - before)
    for sender in senders:
        sender.stop()
    return outcome
