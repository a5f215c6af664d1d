"""A round of what we hold: now and then the link is asked for one of our addresses, each in its turn.

A station that answers beside us is otherwise not noticed: on a switched link its replies go to who asked,
and a kernel that answers for everything (kube-proxy in IPVS mode without strictARP) sends nothing unasked.
"""

from collections.abc import Collection
from dataclasses import dataclass
from math import inf
from typing import Final

from bareway.gossip.backlog import in_order
from bareway.gossip.events import Ask, Question
from bareway.model.names import IPAddress

ROUND_S: Final = 5.0
"""Between two questions: one broadcast in five seconds from each node, however many addresses there are."""
PROBES: Final = 1
"""A frame that is lost is asked for again in the next round."""


@dataclass(slots=True)
class Patrol:
    """Whose turn it is, and when."""

    deadline: float = inf
    _last: IPAddress | None = None

    def begin(self, *, now: float) -> None:
        """We hold something."""
        self.deadline = min(self.deadline, now + ROUND_S)

    def on_time(self, held: Collection[IPAddress], *, now: float) -> list[Ask]:
        """The question that is due; the rounds end with the last address."""
        if now < self.deadline:
            return []
        self.deadline = now + ROUND_S if held else inf
        order = in_order(held)
        if not order:
            return []
        later = [
            address for address in order if self._last is not None and _place(address) > _place(self._last)
        ]
        self._last = (later or order)[0]
        return [Ask(address=self._last, question=Question.DUPLICATE, probes=PROBES)]


def _place(address: IPAddress) -> tuple[int, int]:
    return (address.version, int(address))
