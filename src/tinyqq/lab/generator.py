"""The generator as a process: ``python -m tinyqq.lab.generator`` plays one scenario.

The harness writes one line of JSON to its standard input and reads lines of JSON from its standard
output: ``{"mark": "begin"}``, ``{"mark": "end"}``, and at last ``{"outcome": …}``.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from tinyqq.lab.drain import Drain
from tinyqq.lab.fan_out import FanOut
from tinyqq.lab.idle import Idle
from tinyqq.lab.latency import FixedRate
from tinyqq.lab.log_ins import LogIns
from tinyqq.lab.loop import new_event_loop
from tinyqq.lab.one_to_one import OneToOne
from tinyqq.lab.outage import Outage
from tinyqq.lab.population import Population, Target
from tinyqq.lab.stage import Outcome, Scenario, Stage

if sys.platform != "win32":
    import resource

_DESCRIPTORS: Final = 20_000
SCENARIOS: Final[dict[str, type[Any]]] = {
    "drain": Drain,
    "fan_out": FanOut,
    "fixed_rate": FixedRate,
    "idle": Idle,
    "log_ins": LogIns,
    "one_to_one": OneToOne,
    "outage": Outage,
}
"""Every scenario by name; its fields are the plan."""


def play(order: dict[str, Any]) -> Outcome:
    """Play the scenario that *order* names, in this process."""
    scenario: Scenario = SCENARIOS[order["scenario"]](**order["plan"])
    stage = Stage(
        targets=tuple(Target(host, port) for host, port in order["targets"]),
        population=Population.load(Path(order["population"])),
        mark=lambda name: _say({"mark": name}),
        directory=order["directory"],
    )
    # Reference cycles are not made on the hot path, and a collection would be a pause of ours.
    gc.freeze()
    gc.disable()
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(scenario.run(stage))


def main() -> None:
    """Read the order, play it, tell the outcome."""
    _raise_descriptor_limit()
    order = json.loads(sys.stdin.readline())
    _say({"outcome": asdict(play(order))})


def _say(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def _raise_descriptor_limit() -> None:
    """Thousands of connections need more than the usual soft limit."""
    if sys.platform != "win32":
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _DESCRIPTORS)
        with contextlib.suppress(ValueError):  # macOS names a hard limit that it does not grant
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


if __name__ == "__main__":
    main()
