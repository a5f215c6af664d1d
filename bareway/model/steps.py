"""Work in steps: a generator that yields after a piece of work, and returns what it made in the end.

Who answers on a wire lets its loop turn between two steps (``bareway.runtime.turns``), so that thousands of
objects are never one long silence; everybody else calls ``finish``.
"""

from collections.abc import Generator, Iterable, Iterator
from typing import Final, TypeAlias, TypeVar

T = TypeVar("T")

Steps: TypeAlias = Generator[None, None, T]

PIECE: Final = 50
"""Objects looked at in one step, at some 20 microseconds each: about a millisecond."""


def finish(steps: Steps[T]) -> T:
    """All steps at once."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            made: T = end.value
            return made


def pieces(items: Iterable[T], size: int = PIECE) -> Iterator[list[T]]:
    """``items`` in their order, so many at a time."""
    piece: list[T] = []
    for item in items:
        piece.append(item)
        if len(piece) == size:
            yield piece
            piece = []
    if piece:
        yield piece
