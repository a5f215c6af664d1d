"""What others asked us to find out: whether we hear a member that they do not hear.

Only what we hear after the question counts: the next frame on our edge, or a fresh connection. Whoever asked
gets a no in time too: it tells that we and the path to us are well (Lifeguard's nack).
"""

from dataclasses import dataclass, field
from math import inf
from typing import Final

from bareway.gossip.edges import Edges
from bareway.gossip.events import Probe, Send
from bareway.gossip.message import PingAnswer, PingRequest
from bareway.model.names import NodeName

ERRANDS_MAX: Final = 64
"""At once, of all that ask: more than half a large group that suspects the other half through us."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """One question."""

    asker: NodeName
    number: int
    target: NodeName
    ends_at: float


@dataclass(slots=True, kw_only=True)
class Errands:
    """All that we run now."""

    edges: Edges
    _errands: dict[NodeName, list[Errand]] = field(default_factory=dict)
    """By whom they are about."""

    @property
    def deadline(self) -> float:
        """When the next one is to be answered with no."""
        if not self._errands:
            return inf
        return min((each.ends_at for some in self._errands.values() for each in some), default=inf)

    def take(self, asker: NodeName, request: PingRequest, *, now: float) -> list[Probe]:
        """Begin one; too many are not answered at all."""
        if sum(map(len, self._errands.values())) >= ERRANDS_MAX:
            return []
        target = request.target
        errand = Errand(asker=asker, number=request.number, target=target, ends_at=now + request.wait_s)
        about = self._errands.setdefault(target, [])
        about.append(errand)
        return [] if target in self.edges.open or len(about) > 1 else [Probe(peer=target)]

    def spoke(self, target: NodeName) -> list[Send]:
        """We heard it just now."""
        return [_answer(each, heard=True) for each in self._errands.pop(target, ())]

    def due(self, *, now: float) -> list[Send]:
        """The answers for which time is up."""
        if self.deadline > now:
            return []
        over = [each for some in self._errands.values() for each in some if each.ends_at <= now]
        left = {
            target: [each for each in some if each.ends_at > now] for target, some in self._errands.items()
        }
        self._errands = {target: some for target, some in left.items() if some}
        return [_answer(each, heard=False) for each in over]


def _answer(errand: Errand, *, heard: bool) -> Send:
    return Send(peer=errand.asker, message=PingAnswer(number=errand.number, heard=heard))
