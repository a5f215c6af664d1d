"""How long the pure decision takes: 50,000 Services over 20 pools at once, then one more, again and again.

    python -m bench.allocate --trials 5

Needs no root, no cluster and no network. Processor time of this process: what runs beside it does not count.
"""

import sys
import time
from dataclasses import replace

import msgspec

from bareway.decide.allocation.allocator import Allocator
from bareway.model.configuration import Configuration
from bareway.model.services import Service
from bench.arguments import bench
from bench.summary import Figures, figures
from support.builders import configuration, pool, service

SERVICES = 50_000
POOLS = 20
NAMESPACES = 50
MORE = 200
ALL_MAX_S = 2.0
ONE_MORE_MAX_MS = 1.0


class Allocating(msgspec.Struct, frozen=True, kw_only=True):
    """Processor time of the decision."""

    services: int
    pools: int
    all_at_once_s: Figures
    one_more_ms: Figures
    all_at_once_s_trials: list[float]


def measure_allocating(trials: int) -> tuple[Allocating, bool]:
    """The pools end up full, but for the last addresses; each trial begins with nothing."""
    each = (SERVICES + MORE) // POOLS
    settings = configuration(
        *(pool(f"p{n}", f"10.{n}.0.0-10.{n}.{each // 256}.{each % 256}") for n in range(POOLS))
    )
    services = [_numbered(number) for number in range(SERVICES)]
    all_at_once_s: list[float] = []
    one_more_ms: list[float] = []
    for _ in range(trials):
        allocator, took_s = _decided(settings, services)
        all_at_once_s.append(round(took_s, 3))
        one_more_ms += [_one_more_ms(allocator, number) for number in range(MORE)]
    result = Allocating(
        services=SERVICES,
        pools=POOLS,
        all_at_once_s=figures(all_at_once_s),
        one_more_ms=figures(one_more_ms),
        all_at_once_s_trials=all_at_once_s,
    )
    return result, result.all_at_once_s.p50 <= ALL_MAX_S and result.one_more_ms.p50 <= ONE_MORE_MAX_MS


def _decided(settings: Configuration, services: list[Service]) -> tuple[Allocator, float]:
    begun = time.process_time()
    allocator = Allocator(settings, namespaces={})
    for one in services:
        allocator.put(one)
    allocator.settle(now=0)
    return allocator, time.process_time() - begun


def _one_more_ms(allocator: Allocator, number: int) -> float:
    """One Service is created, served, and its address written."""
    one = service(f"more/s{number}", created_at="2027-01-01T00:00:00Z")
    begun = time.process_time()
    allocator.put(one)
    allocator.settle(now=0)
    took_ms = (time.process_time() - begun) * 1000
    verdict = allocator.allocation.verdicts[one.key]
    allocator.put(replace(one, ingress=getattr(verdict, "addresses", ())))
    allocator.settle(now=0)
    return round(took_ms, 3)


def _numbered(number: int) -> Service:
    day, second = divmod(number, 86_400)
    at = f"2026-01-{1 + day:02d}T{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}Z"
    return service(f"n{number % NAMESPACES}/s{number}", created_at=at)


if __name__ == "__main__":
    sys.exit(bench(sys.argv[1:], __doc__, measure_allocating, trials=5))
