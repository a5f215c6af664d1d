"""A set of numbers as a few words of 32 bits, for a program without tables (the kernel's filter).

A page is 32 numbers that differ in their last five bits only; a word says which of them are in the set. Pages
in order, of which neighbours with equal words are one step, are a staircase: a lookup halves it until one
step is left. Addresses of a pool are close together, so that this is small and exact: 5,000 addresses of one
range are 157 steps whichever of them are ours.

Where there would be too many steps, the bits next above the last five are ignored, one after the other: as
many numbers then look alike as that takes. A set is never made smaller by this, only greater.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

NUMBER_BITS: Final = 32
LOW_BITS: Final = 5
LOW: Final = (1 << LOW_BITS) - 1


class Step(NamedTuple):
    """From this page to before the next step's: which last bits are in the set."""

    page: int
    word: int


class Staircase(NamedTuple):
    """A set; the page of a number is what remains of it without its last ``shift`` bits."""

    shift: int
    steps: tuple[Step, ...]
    """The first one begins at page 0."""


def staircase(numbers: Iterable[int], *, steps_max: int) -> Staircase:
    """One of at most ``steps_max`` steps that holds all ``numbers``, and as few others as its form allows."""
    words: dict[int, int] = {}
    for number in numbers:
        page = number >> LOW_BITS
        words[page] = words.get(page, 0) | 1 << (number & LOW)
    shift = LOW_BITS
    while len(steps := tuple(_steps(words, NUMBER_BITS - shift))) > steps_max:
        shift += 1
        words = _folded(words)
    return Staircase(shift, steps)


def _folded(words: Mapping[int, int]) -> dict[int, int]:
    """The same, with two neighbouring pages in one."""
    folded: dict[int, int] = {}
    for page, word in words.items():
        folded[page >> 1] = folded.get(page >> 1, 0) | word
    return folded


def _steps(words: Mapping[int, int], page_bits: int) -> Iterator[Step]:
    """A step wherever the word changes; pages without a word have the word 0."""
    before, following = None, 0
    for page in sorted(words):
        if page != following and before != 0:
            yield Step(following, 0)
            before = 0
        if words[page] != before:
            yield Step(page, words[page])
            before = words[page]
        following = page + 1
    if before != 0 and following < 1 << page_bits:
        yield Step(following, 0)
