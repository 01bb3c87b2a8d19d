"""The floor's accounts: everybody in memory, one password, checked at the real cost."""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import Future, ThreadPoolExecutor

from argon2 import PasswordHasher

from tinyqq._pb import client_pb2 as pb
from tinyqq.lab.population import Population


class FloorAccounts:
    """Finds users by token and checks passwords in as many threads as there are cores."""

    def __init__(self, population: Population) -> None:
        cost = population.password_cost
        hasher = PasswordHasher(cost.passes, cost.memory_kib, 1)
        self._verify = hasher.verify
        self._password_hash = hasher.hash(population.password)
        self._users = {
            hashlib.sha256(one.token.encode()).digest(): int(one.user_id)
            for one in population.people
        }
        self._pool = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="floor-password")

    def find_by_token(self, body: bytes) -> int:
        """The user whom a Resume logs in; KeyError for an unknown token."""
        resume = pb.Resume()
        resume.ParseFromString(body)
        return self._users[hashlib.sha256(resume.token.encode()).digest()]

    def check_password(self, body: bytes) -> Future[int]:
        """The user whom a LogIn logs in; the future fails when the password is wrong."""
        request = pb.LogIn()
        request.ParseFromString(body)
        return self._pool.submit(self._check, request.user_id, request.password)

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown()

    def _check(self, user_id: int, password: str) -> int:
        self._verify(self._password_hash, password)
        return user_id
