"""All measures of the controller, one after the other, and what is promised of each."""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from bench.controller.allocation import Decision, measure_decision
from bench.controller.change import Replacement, Single, measure_replacement, measure_single
from bench.controller.creation import Creation, measure_creation
from bench.controller.servers import embedded, real
from bench.controller.stage import Open
from bench.controller.start import Starts, measure_starts
from bench.controller.takeover import End, Takeover, measure_takeovers
from bench.trials import say
from lab.commands import LabError

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How much of everything."""

    open_server: Open
    some: int
    """Services of a cluster of middling size."""
    many: int
    """Of a large one."""
    replaced: int
    singles: int
    decided: int
    pools: int


FULL = Scale(open_server=real, some=1_000, many=5_000, replaced=100, singles=100, decided=50_000, pools=20)
QUICK = Scale(open_server=embedded, some=24, many=60, replaced=8, singles=3, decided=200, pools=4)
"""To see that everything works; its figures mean nothing."""


ENDS: Sequence[End] = ("crash", "clean stop")


class Measures(msgspec.Struct, frozen=True, kw_only=True):
    """Every trial of every measure; empty is what was not asked for."""

    decision: list[Decision] = []
    creation: list[Creation] = []
    starts_of_some: list[Starts] = []
    starts_of_many: list[Starts] = []
    replacement: list[Replacement] = []
    single: list[Single] = []
    takeover: list[Takeover] = []


NAMES: Sequence[str] = Measures.__struct_fields__


def measure_all(scale: Scale, trials: int, only: Collection[str] = NAMES) -> Measures:
    """One after the other: they would disturb each other side by side."""
    server, some, many = scale.open_server, scale.some, scale.many
    every: Mapping[str, Callable[[], list[Any]]] = {
        "decision": lambda: _repeat(trials, lambda: measure_decision(scale.decided, scale.pools)),
        "creation": lambda: _repeat(trials, lambda: _run(measure_creation(server, some))),
        "starts_of_some": lambda: _repeat(trials, lambda: _run(measure_starts(server, some))),
        "starts_of_many": lambda: _repeat(trials, lambda: _run(measure_starts(server, many))),
        "replacement": lambda: _repeat(
            trials, lambda: _run(measure_replacement(server, some, scale.replaced))
        ),
        "single": lambda: _repeat(1, lambda: _run(measure_single(server, scale.singles))),
        "takeover": lambda: _run(measure_takeovers(server, some, [*ENDS] * trials)),
    }
    return Measures(**{name: measure() for name, measure in every.items() if name in only})


def _repeat(trials: int, measure: Callable[[], T]) -> list[T]:
    done: list[T] = []
    for _ in range(trials):
        done.append(measure())
        say(f"  {msgspec.json.encode(done[-1]).decode()}")
    return done


def _run(measure: Coroutine[Any, Any, T]) -> T:
    try:
        return asyncio.run(measure)
    except* LabError as failures:
        raise LabError("; ".join(_sentences(failures))) from failures


def _sentences(failures: BaseExceptionGroup[LabError]) -> list[str]:
    found: list[str] = []
    for failure in failures.exceptions:
        found += _sentences(failure) if isinstance(failure, BaseExceptionGroup) else [str(failure)]
    return found
