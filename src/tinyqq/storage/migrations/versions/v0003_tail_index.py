"""The index by writer also says what kind of entry a row is, so that who tails the log sees a
change of members without looking at the row."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_NEW = "ix_message_tail"
_OLD = "ix_message_writer"


def upgrade() -> None:
    """Create the one and drop the other, unless an interrupted try has done so."""
    bind = op.get_bind()
    if bind.dialect.name != "mysql":
        return
    names = {index["name"] for index in sa.inspect(bind).get_indexes("message")}
    if _NEW not in names:
        op.create_index(_NEW, "message", ["writer", "writer_pos", "kind"])
    if _OLD in names:
        op.drop_index(_OLD, "message")
