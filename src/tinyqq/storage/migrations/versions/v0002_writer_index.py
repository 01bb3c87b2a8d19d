"""An index by writer, on MySQL: how units find what others have written.

A database of a single process has no others, and its every row would pay for the index.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_NAME = "ix_message_writer"


def upgrade() -> None:
    """Create it, unless an interrupted try has done so."""
    bind = op.get_bind()
    if bind.dialect.name != "mysql":
        return
    if _NAME not in {index["name"] for index in sa.inspect(bind).get_indexes("message")}:
        op.create_index(_NAME, "message", ["writer", "writer_pos"])
