"""A server's place in tests of the client's operations."""

from __future__ import annotations

from typing import Any

from tinyqq.errors import TinyQQError
from tinyqq.model.connection import Done
from tinyqq.wire.packets import OPERATIONS, PacketType


class Asked:
    """Takes requests, sees that each fits its packet type, and gives (or raises) the answers
    prepared."""

    def __init__(self, *answers: object) -> None:
        self.answers = list(answers)
        self.records: list[Any] = []
        self.repeats: list[bool] = []

    async def __call__(self, packet_type: PacketType, record: Any, *, repeat: bool = True) -> Any:
        operation = OPERATIONS[packet_type]
        assert isinstance(record, operation.request)
        answer = self.answers.pop(0) if self.answers else Done()
        if isinstance(answer, TinyQQError):
            raise answer
        assert isinstance(answer, operation.reply)
        self.records.append(record)
        self.repeats.append(repeat)
        return answer

    @property
    def facts(self) -> list[tuple[Any, ...]]:
        """The requests without their operation ids: (class, other fields)."""
        return [
            (
                type(record),
                *(
                    getattr(record, name)
                    for name in record.__dataclass_fields__
                    if name != "operation_id"
                ),
            )
            for record in self.records
        ]
