"""Who takes part in a load: the accounts, friendships and groups that were made beforehand."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from tinyqq.model.account import DeviceKind
from tinyqq.model.ids import DeviceId, GroupId, UserId


@dataclass(frozen=True, slots=True)
class Target:
    """The server under load."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Person:
    """An account with one device and a token that logs it in."""

    user_id: UserId
    device_id: DeviceId
    token: str
    device_kind: DeviceKind = DeviceKind.DESKTOP


@dataclass(frozen=True, slots=True)
class PasswordCost:
    """Argon2id's cost of one check."""

    memory_kib: int = 19_456
    passes: int = 2


@dataclass(frozen=True, slots=True)
class Population:
    """Everybody: ``people[2 * i]`` and ``people[2 * i + 1]`` are friends for every *i* below
    ``pairs``; the first ``members`` people are the members of ``group_id``. All have the same
    ``password``."""

    people: tuple[Person, ...]
    pairs: int
    group_id: GroupId
    members: int
    password: str
    password_cost: PasswordCost = PasswordCost()

    def save(self, path: Path) -> None:
        """Write it down; the file holds tokens and is readable by its owner only."""
        path.touch(mode=0o600)
        rows = [
            (one.user_id, one.device_id.hex(), one.token, one.device_kind) for one in self.people
        ]
        path.write_text(
            json.dumps(
                {
                    "people": rows,
                    "pairs": self.pairs,
                    "group_id": self.group_id,
                    "members": self.members,
                    "password": self.password,
                    "memory_kib": self.password_cost.memory_kib,
                    "passes": self.password_cost.passes,
                }
            )
        )

    @classmethod
    def load(cls, path: Path) -> Population:
        """Read what :meth:`save` wrote."""
        saved = json.loads(path.read_text())
        return cls(
            people=tuple(
                Person(UserId(user_id), DeviceId(bytes.fromhex(device_id)), token, DeviceKind(kind))
                for user_id, device_id, token, kind in saved["people"]
            ),
            pairs=saved["pairs"],
            group_id=GroupId(saved["group_id"]),
            members=saved["members"],
            password=saved["password"],
            password_cost=PasswordCost(saved["memory_kib"], saved["passes"]),
        )
