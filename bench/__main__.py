"""``python -m bench``: every question, one table."""

from __future__ import annotations

from bench.run import main

main()
