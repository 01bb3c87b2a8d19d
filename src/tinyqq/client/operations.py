"""Ids of operations: chosen here, so that a repeat can be told from a second wish."""

from __future__ import annotations

import os

from tinyqq.model.ids import OPERATION_ID_BYTES, OperationId


def new_operation_id() -> OperationId:
    """An id that nobody has had before."""
    return OperationId(os.urandom(OPERATION_ID_BYTES))
