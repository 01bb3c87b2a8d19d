"""What it costs to bring one message to everybody in a group."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from tinyqq.lab.connection import check_alive, open_sessions
from tinyqq.lab.frames import SendTemplate
from tinyqq.lab.one_to_one import WindowSender
from tinyqq.lab.stage import Outcome, Stage, Stopwatch, new_salt, settle
from tinyqq.model.ids import group_conversation


@dataclass(frozen=True, slots=True)
class FanOut:
    """``members`` members are online, ``senders`` of them write with ``window`` in flight: every
    ``apart``-th member. With as many as there are units all senders are on the first."""

    members: int = 200
    senders: int = 8
    apart: int = 1
    window: int = 1
    text_bytes: int = 100
    warm_up_s: float = 1.0
    seconds: float = 5.0

    async def run(self, stage: Stage) -> Outcome:
        """Deliveries in the measured time; every message reaches everybody but its sender."""
        people = stage.population.people[: self.members]
        members = await open_sessions(stage.near(), people, WindowSender)
        salt = new_salt()
        template = SendTemplate(
            group_conversation(stage.population.group_id), text_bytes=self.text_bytes, salt=salt
        )
        senders = members[: self.senders * self.apart : self.apart]
        for sender in senders:
            sender.start(template, self.window)
        await asyncio.sleep(self.warm_up_s)
        watch = Stopwatch(stage)
        watch.begin()
        before = sum(member.delivered for member in members)
        await asyncio.sleep(self.seconds)
        outcome = watch.end(sum(member.delivered for member in members) - before)
        for sender in senders:
            sender.stop()
        await settle(lambda: _missing(members, senders) <= 0)
        check_alive(members)
        outcome.figures["lost"] = _missing(members, senders)
        outcome.figures["refused"] = sum(len(sender.refusals) for sender in senders)
        for member in members:
            member.close()
        return outcome


def _missing(members: list[WindowSender], senders: list[WindowSender]) -> int:
    sent = sum(sender.sent for sender in senders)
    return sent * (len(members) - 1) - sum(member.delivered for member in members)
