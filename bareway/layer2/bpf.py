"""Classic BPF: the instructions that our filters are made of, and what the kernel wants to be given.

By the kernel's documentation of socket filters; not covered: the instructions that no filter here uses.
"""

import struct
from collections.abc import Sequence
from typing import Final, NamedTuple

from bareway.layer2.pages import LOW, Staircase, Step


class Instruction(NamedTuple):
    """One instruction: the operation, how many to skip if true and if false, and its number."""

    code: int
    if_true: int
    if_false: int
    number: int


Program = tuple[Instruction, ...]

LOAD: Final = 0x00
"""Of the number itself."""
LOAD_WORD: Final = 0x20
LOAD_HALF: Final = 0x28
JUMP: Final = 0x05
IF_EQUAL: Final = 0x15
IF_GREATER: Final = 0x25
IF_GREATER_OR_EQUAL: Final = 0x35
IF_BIT: Final = 0x45
AND: Final = 0x54
SHIFT_RIGHT: Final = 0x74
SHIFT_RIGHT_BY_INDEX: Final = 0x7C
TO_INDEX: Final = 0x07
RETURN: Final = 0x06

SKIP_MAX: Final = 255
"""As far as a condition can jump."""
INSTRUCTION: Final = struct.Struct("=HBBI")
DROP: Final = Instruction(RETURN, 0, 0, 0)


def assemble(program: Program) -> bytes:
    """The program as the kernel takes it (struct sock_filter, in this machine's byte order)."""
    return b"".join(INSTRUCTION.pack(*instruction) for instruction in program)


def demand(load: int, where: int, wanted: int) -> list[Instruction]:
    """Drop what does not have ``wanted`` there."""
    return [Instruction(load, 0, 0, where), Instruction(IF_EQUAL, 1, 0, wanted), DROP]


def look_up(where: int, ours: Staircase, *, accept: Instruction) -> list[Instruction]:
    """Accept if the word at ``where`` is in the set; else go on with what follows."""
    search = _search(ours.steps)
    found = [  # each step's end jumps here, with its word loaded
        Instruction(SHIFT_RIGHT_BY_INDEX, 0, 0, 0),
        Instruction(IF_BIT, 0, 1, 1),
        accept,
    ]
    return [
        Instruction(LOAD_WORD, 0, 0, where),
        Instruction(AND, 0, 0, LOW),
        Instruction(TO_INDEX, 0, 0, 0),
        Instruction(LOAD_WORD, 0, 0, where),
        Instruction(SHIFT_RIGHT, 0, 0, ours.shift),
        *(
            Instruction(JUMP, 0, 0, len(search) - at - 1) if instruction is _TO_THE_END else instruction
            for at, instruction in enumerate(search)
        ),
        *found,
    ]


_TO_THE_END: Final = Instruction(JUMP, 0, 0, 0)


def _search(steps: Sequence[Step]) -> list[Instruction]:
    """Load the word of the step that the page is on, by halving."""
    if len(steps) == 1:
        return [Instruction(LOAD, 0, 0, steps[0].word), _TO_THE_END]
    middle = len(steps) // 2
    below, above = _search(steps[:middle]), _search(steps[middle:])
    first = steps[middle].page
    if len(below) <= SKIP_MAX:
        return [Instruction(IF_GREATER_OR_EQUAL, len(below), 0, first), *below, *above]
    far = [Instruction(IF_GREATER_OR_EQUAL, 0, 1, first), Instruction(JUMP, 0, 0, len(below))]
    return [*far, *below, *above]
