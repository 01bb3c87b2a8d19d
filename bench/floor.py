"""The floor alone: what this machine allows a server in Python that does only the unavoidable.

Below 55,000 one-to-one messages/s on an idle 2-core machine the floor itself is broken: find out
why before believing any ratio.
"""

from __future__ import annotations

from bench.rounds import run
from bench.run import ROWS

if __name__ == "__main__":
    run(tuple(row for row in ROWS if row.beside == "floor"), with_ours=False)
