"""Which shards have not answered lately: asked again after a pause that grows, so that whoever
reads all of them waits only now and then for one that is away. A pause is counted in questions.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Final

logger = logging.getLogger(__name__)

LONGEST_PAUSE: Final = 16


@dataclass(slots=True)
class _Pause:
    questions: int
    left: int


class AwayShards:
    """See the module's docstring. Every :meth:`may_ask` that is granted is followed by
    :meth:`answered` or :meth:`failed`."""

    def __init__(self) -> None:
        self._pauses: dict[int, _Pause] = {}

    def is_away(self, shard: int) -> bool:
        """Whether it has not answered the last question."""
        return shard in self._pauses

    def may_ask(self, shard: int) -> bool:
        """Whether it is asked this time; one that is away mostly is not."""
        pause = self._pauses.get(shard)
        if pause is None or not pause.left:
            return True
        pause.left -= 1
        return False

    def answered(self, shard: int) -> None:
        """It is there."""
        if self._pauses.pop(shard, None) is not None:
            logger.info("shard.there", extra={"shard": shard + 1})

    def failed(self, shard: int, error: Exception) -> None:
        """It is not."""
        pause = self._pauses.get(shard)
        if pause is None:
            logger.warning("shard.away", extra={"shard": shard + 1, "error": repr(error)})
            pause = self._pauses[shard] = _Pause(1, 1)
        else:
            pause.questions = min(2 * pause.questions, LONGEST_PAUSE)
        pause.left = pause.questions
