"""TinyQQ: a self-hosted, QQ-like instant-messaging system.

People have numbers, friends and groups; a message that was acknowledged is on disk, and reaches
whoever may see it once and in order. The packages, from the top down: ``cli`` and ``app``; ``lab``,
``tui`` and ``bot``; ``gateway``, ``http``, ``services``, ``storage``, ``presence``, ``registry``
and ``client``; ``wire``; ``ports``; ``model``. docs/architecture.md has the picture.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Final

__version__: Final = version("tinyqq")
