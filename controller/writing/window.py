"""How many writes are under way at once: fewer while the API server is slow, so that answers come in time.

A server that has too little time for all that is asked of it answers each request late; those that come after
their limit were in vain, and the renewal of the Lease waits among them. So the number halves when an answer
comes late or not at all, and grows by one for each round of answers that come in time.
"""

import asyncio
from collections import deque
from typing import Final

LATE_S: Final = 0.5
"""Half of what a write, and a renewal of the Lease, may take."""


class Window:
    """Lets a number of writes begin, and learns from how long they take."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._width = most
        self._in_time = 0
        """Answers since the width changed last."""
        self._narrowed_at = 0.0
        self._under_way = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def width(self) -> int:
        """How many may be under way now."""
        return self._width

    async def enter(self) -> float:
        """Return once a write may begin: when that is, for ``leave``."""
        while self._under_way >= self._width:
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            await turn
        self._under_way += 1
        return asyncio.get_running_loop().time()

    def leave(self, begun_s: float, *, is_answered: bool) -> None:
        """The write that began then has ended."""
        self._under_way -= 1
        now_s = asyncio.get_running_loop().time()
        if is_answered and now_s - begun_s < LATE_S:
            self._widen()
        elif begun_s >= self._narrowed_at:  # the others of that moment tell of the same
            self._width, self._in_time = max(1, self._width // 2), 0
            self._narrowed_at = now_s
        for _ in range(min(len(self._waiting), self._width - self._under_way)):
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)

    def _widen(self) -> None:
        self._in_time += 1
        if self._in_time >= self._width:
            self._width, self._in_time = min(self._most, self._width + 1), 0
