"""Operation ids."""

from __future__ import annotations

from tinyqq.client.operations import new_operation_id


def test_new_operation_id_when_made_twice_then_differs_and_fits() -> None:
    one, other = new_operation_id(), new_operation_id()
    assert one != other
    assert len(one) == len(other) == 16
