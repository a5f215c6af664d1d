"""Is a new address in use already? Asked by who claims it, before it is announced (RFC 5227 section 2.1.1).

Only addresses given a moment ago are asked for: what was announced before is known to be ours. While a
stranger has it, it is not announced, and the link is asked again every ten seconds; the controller may have
given another one by then. Who answers for everything (proxy ARP) does not count.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf
from typing import Final

from bareway.gossip.events import Ask, Question
from bareway.gossip.strangers import JUDGE_S, Strangers
from bareway.model.mac import MacAddress
from bareway.model.names import IPAddress

PROBES: Final = 3
PATIENCE_S: Final = 0.5
"""Nobody said what the link answered: then it is announced unchecked."""
ASK_AGAIN_S: Final = 10.0
CHECKS_MAX: Final = 256
"""Questions open at a time, the others wait: some thousands of frames a second."""


@dataclass(slots=True, kw_only=True)
class Duplicates:
    """The addresses under check; they are ours, and not answered for yet."""

    strangers: Strangers
    holds: Callable[[IPAddress], bool]
    """Whether an address is still ours."""
    changed: set[IPAddress] = field(default_factory=set)
    """No longer under check."""
    _until: dict[IPAddress, float] = field(default_factory=dict)
    """Asked for, and until when an answer is waited for."""
    _waiting: deque[IPAddress] = field(default_factory=deque)
    _queued: set[IPAddress] = field(default_factory=set)
    _in_use: dict[IPAddress, tuple[float, frozenset[MacAddress]]] = field(default_factory=dict)
    """When to ask again, and who has it."""

    def withholds(self, address: IPAddress) -> bool:
        """Whether it is not to be announced yet."""
        return address in self._until or address in self._queued or address in self._in_use

    @property
    def deadline(self) -> float:
        """When something is to be done."""
        if not (self._waiting or self._until or self._in_use):
            return inf
        if self._waiting and len(self._until) < CHECKS_MAX:
            return -inf
        return min(
            min(self._until.values(), default=inf),
            min((at for at, _ in self._in_use.values()), default=inf),
        )

    def begin(self, address: IPAddress, *, now: float) -> list[Ask]:
        """We claimed a new address."""
        if self.withholds(address):
            return []
        self._queued.add(address)
        self._waiting.append(address)
        return self._ask(now)

    def answered(self, address: IPAddress, strangers: frozenset[MacAddress], *, now: float) -> None:
        """Who answered for it, members left out."""
        if self._until.pop(address, None) is None:
            return
        if strangers and not self.strangers.are_proxies(strangers):
            # If more of its addresses are answered by the same station, that is known when it is judged.
            known = address in self._in_use
            self._in_use[address] = (now + (ASK_AGAIN_S if known else JUDGE_S), strangers)
        else:
            self._in_use.pop(address, None)
            self.changed.add(address)

    def on_time(self, *, now: float) -> list[Ask]:
        """Ask for those that wait; give up waiting for answers that do not come."""
        for address in [address for address, at in self._until.items() if at <= now]:
            del self._until[address]
            self._in_use.pop(address, None)
            self.changed.add(address)
        for address in [address for address, (at, _) in self._in_use.items() if at <= now]:
            self._look_again(address, now)
        return self._ask(now)

    def _ask(self, now: float) -> list[Ask]:
        asks: list[Ask] = []
        while self._waiting and len(self._until) < CHECKS_MAX:
            address = self._waiting.popleft()
            self._queued.discard(address)
            if self.holds(address):
                self._until[address] = now + PATIENCE_S
                asks.append(Ask(address=address, question=Question.DUPLICATE, probes=PROBES))
        return asks

    def _look_again(self, address: IPAddress, now: float) -> None:
        _, strangers = self._in_use[address]
        if not self.holds(address) or self.strangers.are_proxies(strangers):
            del self._in_use[address]
            self.changed.add(address)
            return
        self._in_use[address] = (now + ASK_AGAIN_S, strangers)
        self._queued.add(address)
        self._waiting.append(address)
