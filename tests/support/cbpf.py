"""Runs classic BPF programs as the kernel does, for tests: an independent reading of the instruction set.

Written from the kernel's filter documentation, for the instructions that a program here may use; any
other is an error, as are a jump out of the program and its end without a verdict, which the kernel's
own checker refuses when such a program is attached.
"""

import operator

from bareway.layer2.bpf import Program

TO_HOST, TO_BROADCAST, TO_GROUP, TO_ANOTHER_HOST, OUTGOING = range(5)
"""What the kernel says of a frame's destination (PACKET_HOST and so on)."""

COMPARE = {0x15: operator.eq, 0x25: operator.gt, 0x35: operator.ge, 0x45: operator.and_}
ARITHMETIC = {0x54: operator.and_, 0x74: operator.rshift}
LOADS = {0x20: 4, 0x28: 2}


def run(program: Program, frame: bytes, packet_type: int = TO_BROADCAST) -> int:
    """How many bytes of ``frame`` the program lets through; 0 drops it."""
    accumulator = index = at = 0
    for _ in program:  # there are no jumps back, so that no program runs longer than it is long
        code, if_true, if_false, number = program[at]
        at += 1
        if code in COMPARE:  # jeq, jgt, jge, jset
            at += if_true if COMPARE[code](accumulator, number) else if_false
        elif code == 0x05:  # ja
            at += number
        elif code == 0x06:  # ret
            return min(number, len(frame))
        elif code in LOADS:  # ld [k], ldh [k]
            loaded = _load(LOADS[code], number, frame, packet_type)
            if loaded is None:
                return 0
            accumulator = loaded
        elif code == 0x07:  # tax
            index = accumulator
        else:
            accumulator = _computed(code, accumulator, index, number)
    raise AssertionError("the program ends without a verdict")


def _computed(code: int, accumulator: int, index: int, number: int) -> int:
    match code:
        case 0x00:  # ld #k
            return number
        case 0x54 | 0x74:  # and #k, rsh #k
            return int(ARITHMETIC[code](accumulator, number))
        case 0x7C:  # rsh x
            return accumulator >> index
        case _:
            raise AssertionError(f"no such instruction: {code:#x}")


def _load(width: int, at: int, frame: bytes, packet_type: int) -> int | None:
    """A number from the frame, or what the kernel knows beside it; None beyond the frame's end."""
    if at == 0xFFFF_F004:
        return packet_type
    loaded = frame[at : at + width]
    return int.from_bytes(loaded, "big") if len(loaded) == width else None
