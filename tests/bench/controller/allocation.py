"""The pure decision, without any API server: all Services over all pools at once, and one more."""

import gc
import time
from dataclasses import replace
from ipaddress import ip_address

import msgspec

from bareway.decide.allocation.allocate import AllocationView, allocate
from bareway.decide.allocation.allocator import Allocator
from bareway.decide.allocation.verdicts import Allocation, Granted
from bareway.model.configuration import Configuration
from bareway.model.names import ServiceKey
from bareway.model.services import Port, Service
from bareway.runtime.program import GARBAGE_THRESHOLDS
from bench.controller.figures import Spread, spread
from bench.controller.servers import load
from support.builders import pool

SPARE = 1.5
"""So many times the addresses that are needed are in the pools."""
ONE_MORE = 200
"""So often one more is asked for."""


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """One trial."""

    services: int
    pools: int
    all_s: float
    """Each Service takes what it gets: the first pools fill up."""
    all_named_s: float
    """Each Service names its pool."""
    again_s: float
    """Every Service shows its address, as after a restart."""
    one_more_s: Spread
    one_less_s: Spread
    load: float


def measure_decision(services: int, pools: int) -> Decision:
    """So many Services over so many pools, with garbage collected as in the programs."""
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    configuration = _configuration(services, pools)
    waiting = [_service(number) for number in range(services)]
    named = [_service(number, f"pool-{number % pools}") for number in range(services)]
    all_s, allocation = _timed(configuration, waiting)
    all_named_s, _ = _timed(configuration, named)
    served = [_with_address(one, allocation) for one in waiting]
    again_s, _ = _timed(configuration, served)
    more, less = _one_by_one(configuration, served)
    return Decision(
        services=services,
        pools=pools,
        all_s=all_s,
        all_named_s=all_named_s,
        again_s=again_s,
        one_more_s=more,
        one_less_s=less,
        load=load(),
    )


def _timed(configuration: Configuration, services: list[Service]) -> tuple[float, Allocation]:
    begun = time.perf_counter()
    allocation = allocate(AllocationView(configuration=configuration, services=services))
    took_s = time.perf_counter() - begun
    without = sum(not isinstance(verdict, Granted) for verdict in allocation.verdicts.values())
    assert not without, f"{without} Services got no address"
    return round(took_s, 3), allocation


def _one_by_one(configuration: Configuration, services: list[Service]) -> tuple[Spread, Spread]:
    allocator = Allocator(configuration, namespaces={})
    for one in services:
        allocator.put(one)
    allocator.settle(now=0)
    more: list[float] = []
    less: list[float] = []
    for number in range(ONE_MORE):
        one = _service(len(services) + number)
        begun = time.perf_counter()
        allocator.put(one)
        allocator.settle(now=0)
        more.append(time.perf_counter() - begun)
        assert one.key in allocator.allocation.verdicts
        allocator.put(_with_address(one, allocator.allocation))
        allocator.settle(now=0)
        gone = services[number * 7 % len(services)].key
        begun = time.perf_counter()
        allocator.remove(gone)
        allocator.settle(now=0)
        less.append(time.perf_counter() - begun)
    return spread(more), spread(less)


def _configuration(services: int, pools: int) -> Configuration:
    each = int(services / pools * SPARE) + ONE_MORE
    start = int(ip_address("10.0.0.0"))
    ranges = [(start + 65_536 * number, start + 65_536 * number + each) for number in range(pools)]
    return Configuration(
        pools=tuple(
            pool(f"pool-{number}", f"{ip_address(first)}-{ip_address(last)}")
            for number, (first, last) in enumerate(ranges)
        )
    )


def _service(number: int, pool_name: str = "") -> Service:
    """Younger, the greater its number."""
    minutes, seconds = divmod(number, 60)
    hours, minutes = divmod(minutes, 60)
    return Service(
        key=ServiceKey(f"namespace-{number % 50}", f"service-{number}"),
        uid=f"uid-{number}",
        resource_version=str(number),
        created_at=f"2026-01-01T{hours:02}:{minutes:02}:{seconds:02}Z",
        is_load_balancer=True,
        cluster_addresses=(ip_address(int(ip_address("10.96.0.0")) + number),),
        ports=(Port(number=80),),
        annotations={"metallb.io/address-pool": pool_name} if pool_name else {},
    )


def _with_address(one: Service, allocation: Allocation) -> Service:
    verdict = allocation.verdicts[one.key]
    assert isinstance(verdict, Granted), f"{one.key} got no address"
    return replace(one, ingress=verdict.addresses)
