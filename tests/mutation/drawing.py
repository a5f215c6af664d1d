"""Which mutants are tried where there is no time for all: drawn by a seed, the same ones each time."""

from collections.abc import Iterable
from random import Random
from typing import Final

SEED: Final = 1


def draw(names: Iterable[str], count: int | None) -> frozenset[str]:
    """``count`` of them; None = all."""
    ordered = sorted(names)
    return frozenset(ordered if count is None else Random(SEED).sample(ordered, min(count, len(ordered))))
