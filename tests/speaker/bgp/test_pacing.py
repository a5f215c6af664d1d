"""How much of our time a peer gets that talks without end."""

import asyncio
from collections.abc import Callable

import pytest

from bareway.bgp.events import ConnectionId
from speaker.bgp.transport import BUSY_S, PAUSE_FACTOR, Wire


class FakeTransport(asyncio.Transport):
    """It remembers whether it is read."""

    def __init__(self) -> None:
        super().__init__()
        self.is_read = True

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        assert high == 0

    def is_closing(self) -> bool:
        return False

    def pause_reading(self) -> None:
        assert self.is_read
        self.is_read = False

    def resume_reading(self) -> None:
        assert not self.is_read
        self.is_read = True


class FakeLoop:
    """Its time passes when a test says so, and while the owner works."""

    def __init__(self) -> None:
        self.now = 100.0
        self.later: list[tuple[float, Callable[[], None]]] = []

    def time(self) -> float:
        return self.now

    def call_later(self, delay_s: float, act: Callable[[], None]) -> asyncio.TimerHandle:
        self.later.append((delay_s, act))
        return asyncio.TimerHandle(self.now + delay_s, act, (), asyncio.get_running_loop())


class Owner:
    """So long it works on each portion."""

    def __init__(self, loop: FakeLoop, work_s: float) -> None:
        self.loop = loop
        self.work_s = work_s

    def received(self, connection: ConnectionId, data: bytes) -> None:
        self.loop.now += self.work_s

    def closed(self, connection: ConnectionId) -> None: ...

    def writable(self, connection: ConnectionId) -> None: ...

    def gone(self, wire: Wire) -> None: ...


@pytest.mark.parametrize(
    ("work_s", "portions"), [(BUSY_S * 0.26, 4), (BUSY_S * 3, 1)], ids=["small", "large"]
)
async def test_after_some_work_a_peer_waits_four_times_as_long(work_s: float, portions: int) -> None:
    loop, transport = FakeLoop(), FakeTransport()
    wire = Wire(ConnectionId(1), Owner(loop, work_s))
    wire._loop = loop  # type: ignore[assignment]  # what of it is used
    wire.connection_made(transport)
    for _ in range(2):
        for number in range(portions):
            assert transport.is_read, number
            wire.buffer_updated(len(wire.get_buffer(-1)))
        assert not transport.is_read
        ((delay_s, resume),) = loop.later
        assert delay_s == pytest.approx(PAUSE_FACTOR * work_s * portions)
        loop.later.clear()
        resume()
        assert transport.is_read
