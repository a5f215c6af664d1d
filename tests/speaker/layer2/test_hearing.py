"""How much of what waits at a port is taken in one turn of the loop."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from itertools import groupby

import pytest

from bareway.layer2.bpf import Program
from speaker.layer2.counters import Counters
from speaker.layer2.hearing import DRAIN_MAX, DRAIN_S, Ear
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
    ear = Ear(port, take, Counters(), clock=clock)
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
