"""Programs as bytes and the lookup they are made of, run by an interpreter of our own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareway.layer2 import bpf
from bareway.layer2.bpf import DROP, INSTRUCTION, Instruction, assemble, demand, look_up
from bareway.layer2.pages import staircase
from support.cbpf import run

ACCEPT = Instruction(bpf.RETURN, 0, 0, 64)
near = st.integers(0x0A00_0000, 0x0A00_0200)
anywhere = st.integers(0, 0xFFFF_FFFF)


@given(st.sets(near | anywhere, min_size=1, max_size=200), near | anywhere, st.sampled_from([0, 8]))
def test_a_number_is_found_if_and_only_if_it_is_in_the_set(ours: set[int], asked: int, at: int) -> None:
    program = (*look_up(at, staircase(ours, steps_max=1000), accept=ACCEPT), DROP)
    for number in {asked, min(ours), max(ours)}:
        frame = bytes(at) + number.to_bytes(4, "big")
        assert run(program, frame) == (len(frame) if number in ours else 0)


def test_what_follows_a_lookup_is_run_when_nothing_was_found() -> None:
    misses = look_up(0, staircase([7], steps_max=9), accept=DROP)
    finds = look_up(0, staircase([8], steps_max=9), accept=ACCEPT)
    assert run((*misses, *finds, DROP), (8).to_bytes(4, "big")) == 4
    assert run((*misses, *finds, DROP), (9).to_bytes(4, "big")) == 0
    assert run((*misses, ACCEPT), (7).to_bytes(4, "big")) == 0


def test_jumps_beyond_a_byte_are_made_in_two() -> None:
    ours = {64 * number + number % 32 for number in range(500)}
    program = (*look_up(0, staircase(ours, steps_max=5000), accept=ACCEPT), DROP)
    assert len(program) > 4 * 255
    assert {number for number in range(64 * 501) if run(program, number.to_bytes(4, "big"))} == ours
    assert max(max(one.if_true, one.if_false) for one in program) <= bpf.SKIP_MAX


@pytest.mark.parametrize(("value", "passes"), [(0x0800, True), (0x0801, False)])
def test_a_demand_drops_what_is_otherwise(value: int, passes: bool) -> None:
    program = (*demand(bpf.LOAD_HALF, 2, 0x0800), ACCEPT)
    assert bool(run(program, bytes(2) + value.to_bytes(2, "big"))) is passes


def test_a_program_is_assembled_as_the_kernel_reads_it() -> None:
    program = (Instruction(0x15, 1, 2, 0x01020304), ACCEPT)
    code = assemble(program)
    assert [INSTRUCTION.unpack_from(code, at) for at in (0, 8)] == list(program)
    assert assemble((DROP,)) == bytes.fromhex("0600 00 00 00000000")
