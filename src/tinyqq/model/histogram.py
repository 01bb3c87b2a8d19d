"""How long things took: a histogram of fixed relative precision."""

from __future__ import annotations

from dataclasses import dataclass

_PER_OCTAVE_BITS = 6


class Histogram:
    """Durations, each kept to within 1.6 %, in a few hundred counters.

    A value of 2ⁿ ns lies in one of 64 slots of its octave, so a percentile is found without keeping
    the values.
    """

    __slots__ = ("_counts", "count", "max_ns")

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}
        self.count = 0
        self.max_ns = 0

    def add(self, duration_ns: int) -> None:
        """Count one duration; a negative one counts as 0."""
        duration_ns = max(duration_ns, 0)
        slot = _slot(duration_ns)
        self._counts[slot] = self._counts.get(slot, 0) + 1
        self.count += 1
        self.max_ns = max(self.max_ns, duration_ns)

    def percentile(self, percent: float) -> int:
        """The duration in ns that *percent* of the values do not exceed; 0 without values."""
        wanted = self.count * percent / 100
        seen = 0
        for slot in sorted(self._counts):
            seen += self._counts[slot]
            if seen >= wanted:
                return min(_upper_edge(slot), self.max_ns)
        return 0

    def summary(self) -> Latency:
        """The percentiles that are reported."""
        return Latency(
            count=self.count,
            p50_ms=self.percentile(50) / 1e6,
            p99_ms=self.percentile(99) / 1e6,
            p999_ms=self.percentile(99.9) / 1e6,
            max_ms=self.max_ns / 1e6,
        )


@dataclass(frozen=True, slots=True)
class Latency:
    """What a histogram says in short."""

    count: int
    p50_ms: float
    p99_ms: float
    p999_ms: float
    max_ms: float


def _slot(value: int) -> int:
    shift = max(value.bit_length() - _PER_OCTAVE_BITS - 1, 0)
    return (shift << _PER_OCTAVE_BITS) + (value >> shift)


def _upper_edge(slot: int) -> int:
    shift = max((slot >> _PER_OCTAVE_BITS) - 1, 0)
    return ((slot - (shift << _PER_OCTAVE_BITS) + 1) << shift) - 1
