"""How much of what waits at a port is taken in one turn of the loop."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from itertools import groupby

import pytest

from bareway.layer2.bpf import Program
from speaker.layer2.counters import Counters
from speaker.layer2.hearing import DRAIN_MAX, DRAIN_S, Ear, Turns
from support.until import until

WAITING = 2 * DRAIN_MAX


class Port:
    """Frames that wait; it is readable for as long as there are some."""

    def __init__(self) -> None:
        self._reading, self._writing = socket.socketpair()
        self._reading.setblocking(False)
        self._writing.send(b"\0" * WAITING)

    def fileno(self) -> int:
        return self._reading.fileno()

    def receive(self) -> bytes | None:
        try:
            return self._reading.recv(1)
        except BlockingIOError:
            return None

    def send(self, frame: bytes) -> None:
        raise AssertionError(frame)

    def attach(self, program: Program) -> None:
        raise AssertionError(program)

    def close(self) -> None:
        self._reading.close()
        self._writing.close()


@pytest.fixture(name="port")
def opened() -> Iterator[Port]:
    port = Port()
    yield port
    port.close()


async def turns(port: Port, *, frame_s: float) -> list[int]:
    """How many frames are taken in each turn, if each takes so long."""
    now, taken = [0.0], list[int]()
    turn = [0]

    def next_turn() -> None:
        turn[0] += 1
        asyncio.get_running_loop().call_soon(next_turn)

    def take(_: bytes) -> None:
        now[0] += frame_s
        taken.append(turn[0])

    clock: Callable[[], float] = lambda: now[0]  # noqa: E731 - typed
    ear = Ear(port, take, Counters(), clock=clock, turns=Turns())
    next_turn()
    await until(lambda: len(taken) == WAITING)
    ear.close()
    return [len([*some]) for _, some in groupby(taken)]


async def test_frames_that_cost_nothing_are_taken_many_at_a_time(port: Port) -> None:
    assert await turns(port, frame_s=0.0) == [DRAIN_MAX, DRAIN_MAX]


async def test_frames_that_cost_much_leave_every_turn_to_the_rest_of_the_program(port: Port) -> None:
    assert await turns(port, frame_s=0.6 * DRAIN_S) == [2] * (WAITING // 2)


async def test_a_frame_that_takes_longer_than_a_turn_may_is_taken_alone(port: Port) -> None:
    assert await turns(port, frame_s=2 * DRAIN_S) == [1] * WAITING


async def taken_by_turns(*costs_s: float) -> list[list[int]]:
    """How many frames each port gives in each turn, if they take so long, until the first has no more."""
    ports = [Port() for _ in costs_s]
    now, turn, shared = [0.0], [0], Turns()
    taken = [list[int]() for _ in ports]

    def next_turn() -> None:
        turn[0] += 1
        asyncio.get_running_loop().call_soon(next_turn)

    def taking(number: int) -> Callable[[bytes], None]:
        def take(_: bytes) -> None:
            now[0] += costs_s[number]
            taken[number].append(turn[0])

        return take

    clock: Callable[[], float] = lambda: now[0]  # noqa: E731 - typed
    ears = [Ear(port, taking(n), Counters(), clock=clock, turns=shared) for n, port in enumerate(ports)]
    next_turn()
    await until(lambda: any(len(some) == WAITING for some in taken))
    for ear, port in zip(ears, ports, strict=True):
        ear.close()
        port.close()
    first, last = min(map(min, taken)), min(map(max, taken))
    return [[some.count(each) for some in taken] for each in range(first, last)]


async def test_ports_that_have_much_to_say_share_the_time_of_a_turn_and_each_has_its_part() -> None:
    frame_s = DRAIN_S / 20
    _, *counts = await taken_by_turns(*[frame_s] * 4)
    assert counts == [[5, 5, 5, 5]] * len(counts)


async def test_all_ports_together_take_no_longer_than_one_may_but_a_frame_each() -> None:
    costs_s = [DRAIN_S / 20, DRAIN_S / 3, DRAIN_S / 20, 2 * DRAIN_S, DRAIN_S / 50]
    counts = await taken_by_turns(*costs_s)
    assert min(map(min, counts)) >= 1, "nobody is left out"
    for some in counts:
        spent_s = sum((count - 1) * cost_s for count, cost_s in zip(some, costs_s, strict=True))
        assert spent_s <= DRAIN_S


async def test_a_port_that_is_alone_again_has_all_the_time() -> None:
    shared = Turns()
    assert shared.until(1.0) == 1.0 + DRAIN_S
    for _ in range(4):
        shared.took_some(1.0)
    assert shared.until(1.0 + DRAIN_S / 2) == 1.0 + DRAIN_S, "the end of the turn's"
    await asyncio.sleep(0)
    assert shared.until(2.0) == 2.0 + DRAIN_S / 4
    shared.took_some(2.0)
    await asyncio.sleep(0)
    assert shared.until(3.0) == 3.0 + DRAIN_S
