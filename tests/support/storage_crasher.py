"""A process that appends until it is killed, and says what was acknowledged.

``python -m tests.support.storage_crasher URL``: batches of ten entries to each of three
conversations, a membership change with every tenth batch; one line per acknowledged batch.
"""

from __future__ import annotations

import asyncio
import sys

from tests.support.logs import ANN_BOB, ANN_OWN, GROUP, entry, in_group, put_group, put_member

from tinyqq.model.ids import OperationId, UserId
from tinyqq.model.message import Entry
from tinyqq.storage.open import open_storage

CONVERSATIONS = (GROUP, ANN_OWN, ANN_BOB)
BATCH = 10


def batch_of(number: int) -> list[Entry]:
    """The entries of a batch, the first of which has number 1."""
    seqs = range(BATCH * (number - 1) + 1, BATCH * number + 1)
    return [
        entry(seq, key, body=b"%d" % seq, operation_id=OperationId(seq.to_bytes(16, "big")))
        for key in CONVERSATIONS
        for seq in seqs
    ]


async def main(url: str) -> None:
    """Append for ever."""
    async with open_storage(url) as storage:
        number = 0
        while True:
            number += 1
            effects = in_group(put_group(name=str(number)), put_member(UserId(20_000 + number)))
            await storage.log_writer.append(batch_of(number), effects)
            sys.stdout.write(f"{number}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
