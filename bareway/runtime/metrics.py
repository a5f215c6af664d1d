"""Writes metrics as text for Prometheus, in slices: ARP is answered on the same loop.

Nothing counts here. A program hands out its figures when it is asked (``bareway.runtime.figures``), so that
machines stay free of metrics; their names stand in ``bareway.runtime.families``.
"""

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from math import isinf
from typing import Final, TypeAlias

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector, generate_latest

from bareway.runtime.histograms import Measured

SLICE = 250  # samples written before the loop gets its turn again: about a millisecond
CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

Sample: TypeAlias = tuple[tuple[str, ...], float]
"""Values of the labels in their order, and the figure."""


class FamilyKind(StrEnum):
    """What a figure means over time."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """All figures of one name."""

    name: str
    text: str
    kind: FamilyKind
    labels: tuple[str, ...] = ()
    samples: Iterable[Sample] = ()
    """Read once, slice by slice; what they are made from must not change meanwhile."""
    measured: Measured | None = None
    """Of a histogram, which has no samples."""


class Exposition:
    """Writes families and the figures of the process itself as text."""

    def __init__(self) -> None:
        self._process = CollectorRegistry()
        ProcessCollector(registry=self._process)
        GCCollector(registry=self._process)

    async def text(self, families: Iterable[Family]) -> bytes:
        """The page; other tasks get their turn after every SLICE of samples."""
        parts = []
        for family in families:
            for lines in _slices(family):
                parts.append(lines.encode())
                await asyncio.sleep(0)
        return b"".join((*parts, generate_latest(self._process)))


def _slices(family: Family) -> Iterator[str]:
    yield f"# HELP {family.name} {family.text}\n# TYPE {family.name} {family.kind}\n"
    if family.measured is not None:
        yield _histogram(family.name, family.measured)
    begin = _beginning(family)
    samples = iter(family.samples)
    while piece := tuple(islice(samples, SLICE)):
        yield "".join([f"{begin % (*map(_escape, values),)} {float(value)!r}\n" for values, value in piece])


def _beginning(family: Family) -> str:
    """What a line of the family says before its figure, with a place for the value of each label."""
    labels = ",".join(f'{name}="%s"' for name in family.labels)
    return f"{family.name}{{{labels}}}" if labels else family.name


def _histogram(name: str, measured: Measured) -> str:
    """Counts up to each bound, then all there is."""
    lines = [
        f'{name}_bucket{{le="{"+Inf" if isinf(bound_s) else repr(bound_s)}"}} {float(count)!r}\n'
        for bound_s, count in measured.up_to.items()
    ]
    return "".join((*lines, f"{name}_sum {measured.sum_s!r}\n{name}_count {float(measured.count)!r}\n"))


def _escape(value: str) -> str:
    if "\\" in value or "\n" in value or '"' in value:
        return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
    return value
