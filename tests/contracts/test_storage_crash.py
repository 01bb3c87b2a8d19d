"""What was acknowledged is there after a kill, whole batches only."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest
from tests.support.logs import GROUP, GROUP_ID
from tests.support.storage_crasher import BATCH, CONVERSATIONS, batch_of

from tinyqq.model.ids import Seq
from tinyqq.storage.open import Storage, open_storage

_ROOT = Path(__file__).parents[2]


async def append_and_die(url: str, after_batches: int) -> int:
    """Run the crasher and kill it; returns the last batch that was acknowledged."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.storage_crasher", url,
        cwd=_ROOT, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    acknowledged = 0
    async with asyncio.timeout(60):
        while acknowledged < after_batches:
            acknowledged = int(await process.stdout.readline())
        process.kill()
        rest = await process.stdout.read()
        await process.wait()
    lines = rest.decode().split("\n")[:-1]
    return int(lines[-1]) if lines else acknowledged


async def check_log(storage: Storage, acknowledged: int) -> int:
    """Whole batches, at least the acknowledged ones, with their effects; returns how many."""
    states = await storage.log_writer.load(CONVERSATIONS)
    heads = {state.head_seq for state in states.values()}
    assert len(heads) == 1
    batches, rest = divmod(heads.pop(), BATCH)
    assert rest == 0
    assert batches in (acknowledged, acknowledged + 1)
    group = states[GROUP].group
    assert group is not None
    assert group.name == str(batches)
    members, _ = await storage.conversations.list_member_ids(GROUP_ID)
    assert members == tuple(range(20_001, 20_001 + batches))
    return batches


@pytest.mark.slow
async def test_kill_when_in_the_middle_of_appends_then_every_acknowledged_one_is_there(
    storage_url: str,
) -> None:
    acknowledged = await append_and_die(storage_url, after_batches=50)
    async with open_storage(storage_url) as storage:
        batches = await check_log(storage, acknowledged)
        expected = [one for number in range(1, batches + 1) for one in batch_of(number)]
        for key in CONVERSATIONS:
            found = [
                await storage.log_reader.find_entry(key, Seq(seq))
                for seq in range(1, BATCH * batches + 1)
            ]
            assert found == [one for one in expected if one.conversation_id == key]
