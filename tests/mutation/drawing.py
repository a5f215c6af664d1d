"""Which mutants are tried where there is no time for all: drawn by a seed, the same ones each time.

They are tried in the order in which they are drawn, so that what was stopped half way is a fair sample too,
and a greater sample begins with a smaller one.
"""

from collections.abc import Iterable
from random import Random
from typing import Final

SEED: Final = 1


def shuffled(names: Iterable[str]) -> list[str]:
    """All of them, in the order in which they are tried."""
    order = sorted(names)
    Random(SEED).shuffle(order)
    return order


def draw(names: Iterable[str], count: int | None) -> frozenset[str]:
    """``count`` of them; None = all."""
    return frozenset(shuffled(names)[:count])
