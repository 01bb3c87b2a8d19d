"""Which servers there are to measure, by name, each on a fresh copy of data prepared once.

``ours``: a standalone node. ``floor``: see ``tinyqq.lab.floor_server``. ``1 unit``, ``4 units`` …:
a cluster of so many.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path

from bench.cluster import make_cluster_template, serve_units
from bench.prepare import PEOPLE, prepare_directory
from bench.server import RunningServer, serve
from tinyqq.lab.population import PasswordCost


class Shapes:
    """Serves them in a folder; what is not wanted is not prepared."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def serve(
        self, name: str, settings: Mapping[str, str]
    ) -> AbstractContextManager[RunningServer]:
        """A server by its name, until the end of the block; *settings* are for units."""
        if _is_cluster(name):
            return serve_units(int(name.split()[0]), settings, self._cluster, self._directory)
        return serve(name, self._standalone, self._directory)

    def population(self, name: str) -> Path:
        """The people who may log in there."""
        template = self._cluster if _is_cluster(name) else self._standalone
        return template / "population.json"

    @cached_property
    def _standalone(self) -> Path:
        print(f"Preparing {PEOPLE} accounts …", flush=True)
        template = self._directory / "template"
        asyncio.run(prepare_directory(template, people=PEOPLE, cost=PasswordCost()))
        return template

    @cached_property
    def _cluster(self) -> Path:
        print("Preparing a cluster's database …", flush=True)
        return make_cluster_template(self._directory / "cluster")


def _is_cluster(name: str) -> bool:
    return name.endswith(("unit", "units"))
