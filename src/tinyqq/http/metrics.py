"""``/metrics``: what the parts of the process count, read when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from aiohttp import web
from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from tinyqq.http.metric_texts import METRIC_TEXTS

Counters = Callable[[], Mapping[str, int | float]]
"""Figures of one part: names that end in ``_total`` are counters, all others gauges. A name may
carry one label, as ``calls_total{node=unit-1}``."""


class PartsCollector(Collector):
    """Turns the counters of parts into metrics ``tinyqq_<part>_<name>``."""

    def __init__(self, parts: Mapping[str, Counters]) -> None:
        self._parts = parts

    def collect(self) -> Iterator[Metric]:
        """All metrics as of now."""
        for part, counters in self._parts.items():
            families: dict[str, CounterMetricFamily | GaugeMetricFamily] = {}
            for name, value in counters().items():
                plain, _, label = name.removesuffix("}").partition("{")
                key, _, label_value = label.partition("=")
                family = families.get(plain)
                if family is None:
                    family = families[plain] = _family(part, plain, [key] if key else [])
                family.add_metric([label_value] if key else [], value)
            yield from families.values()


def _family(part: str, name: str, labels: list[str]) -> CounterMetricFamily | GaugeMetricFamily:
    kind = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
    full_name = f"{part}_{name.removeprefix(f'{part}_')}"
    text = METRIC_TEXTS.get(full_name, f"{name} of {part}".replace("_", " "))
    return kind(f"tinyqq_{full_name}", text, labels=labels)


class Metrics:
    """Answers ``/metrics`` from a registry of its own: two apps in a process do not mix."""

    def __init__(self, parts: Mapping[str, Counters]) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)
        self._registry.register(PartsCollector(parts))

    async def answer(self, _: web.Request) -> web.Response:
        """All metrics as text."""
        body = generate_latest(self._registry)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})
