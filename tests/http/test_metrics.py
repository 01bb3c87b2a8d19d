"""What parts count, as metrics."""

from __future__ import annotations

from aiohttp.test_utils import make_mocked_request
from prometheus_client.parser import text_string_to_metric_families

from tinyqq.http.metrics import Metrics, PartsCollector


def test_collect_when_asked_then_counters_and_gauges_by_their_names() -> None:
    parts = {"gateway": lambda: {"sends_total": 7, "open_connections": 2.5}}
    metrics = {one.name: one for one in PartsCollector(parts).collect()}
    assert metrics["tinyqq_gateway_sends"].type == "counter"
    assert metrics["tinyqq_gateway_open_connections"].type == "gauge"
    assert metrics["tinyqq_gateway_open_connections"].samples[0].value == 2.5
    assert metrics["tinyqq_gateway_sends"].documentation == "Messages that clients handed in."


async def test_answer_when_scraped_then_the_figures_of_now() -> None:
    counts = {"sends_total": 1}
    metrics = Metrics({"gateway": lambda: counts})
    counts["sends_total"] = 3
    answer = await metrics.answer(make_mocked_request("GET", "/metrics"))
    assert isinstance(answer.body, bytes)
    families = {one.name: one for one in text_string_to_metric_families(answer.body.decode())}
    assert families["tinyqq_gateway_sends"].samples[0].value == 3
    assert "python_info" in families
    assert answer.headers["Content-Type"].startswith("text/plain")


def test_collect_when_names_carry_a_label_then_one_family_with_a_sample_each() -> None:
    parts = {
        "dispatch": lambda: {"calls_total{node=a}": 1, "retries_total": 0, "calls_total{node=b}": 2}
    }
    families = {one.name: one for one in PartsCollector(parts).collect()}
    assert set(families) == {"tinyqq_dispatch_calls", "tinyqq_dispatch_retries"}
    samples = families["tinyqq_dispatch_calls"].samples
    assert [(one.labels, one.value) for one in samples] == [({"node": "a"}, 1), ({"node": "b"}, 2)]
