"""Carries what gossip asks of the link there, and what the link says back.

Gossip speaks of groups by their keys, the link of addresses: a group answers when one of its addresses does.
A question that is one too many is dropped: gossip does without the answer.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NoReturn, Protocol

from bareway.gossip.events import Answered, Ask, Event, Question, Sighted
from bareway.model.mac import MacAddress
from bareway.model.names import IPAddress

QUESTIONS_MAX: Final = 20_000
"""Asked at a time: each address of a great cluster twice; beyond it the newest is dropped."""


class Prober(Protocol):
    """What asks on the wire."""

    def ask(self, address: IPAddress, probes: int) -> Awaitable[frozenset[MacAddress]]:
        """Who answers for ``address``, ourselves left out; takes 30 ms a probe."""


class Keys(Protocol):
    """Which addresses belong to a key."""

    def addresses_of(self, key: IPAddress) -> Sequence[IPAddress]:
        """Those that are announced under ``key``, or itself."""

    def key_of(self, address: IPAddress) -> IPAddress | None:
        """The key under which it is announced here."""


class Asking:
    """Questions on their way; ``run`` it in a TaskGroup."""

    def __init__(self, prober: Prober, keys: Keys, *, tell: Callable[[Event], None]) -> None:
        """``tell`` is how gossip is told."""
        self._prober = prober
        self._keys = keys
        self._tell = tell
        self._waiting: deque[Ask] = deque()
        self._wake = asyncio.Event()
        self._open = 0
        self.dropped = 0
        """Questions that were never asked."""

    def take(self, question: Ask) -> None:
        """Ask this, at once."""
        if self._open >= QUESTIONS_MAX:
            self.dropped += 1
            return
        self._open += 1
        self._waiting.append(question)
        self._wake.set()

    def sighted(self, address: IPAddress, mac: MacAddress, is_solicited: bool) -> None:  # noqa: FBT001 - of layer 2
        """Another station calls an address its own that we answer for."""
        key = self._keys.key_of(address)
        if key is not None:
            self._tell(Sighted(address=key, mac=mac, is_solicited=is_solicited))

    async def run(self) -> NoReturn:
        """Ask what there is to ask, until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._waiting:
                    question = self._waiting.popleft()
                    group.create_task(self._ask(question), name=f"question about {question.address}")

    async def _ask(self, question: Ask) -> None:
        macs: frozenset[MacAddress] = frozenset()
        try:
            for address in self._addresses(question):
                macs |= await self._prober.ask(address, question.probes)
        finally:
            self._open -= 1
        self._tell(Answered(address=question.address, question=question.question, macs=macs))

    def _addresses(self, question: Ask) -> Sequence[IPAddress]:
        """A stranger may have any address of a new group; a member that announces has them all."""
        every = self._keys.addresses_of(question.address)
        return every if question.question is Question.DUPLICATE else every[:1]
