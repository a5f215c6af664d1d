"""The members of gossip, as all speakers that answered see them; where they disagree it is said.

A member's state is what most of the others say, and what is worse where they are equally many. What it
announces is its own word if it answered, else that of who knows most.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bareway.gossip.member import STRENGTH, MemberState
from bareway.model.cluster import Cluster
from bareway.model.names import NodeName
from bareway.model.status import MemberStatus, SpeakerStatus

TROUBLED = frozenset({MemberState.SUSPECT, MemberState.DEAD})
"""States that want a look; who left did so on purpose."""
GONE = frozenset({MemberState.DEAD, MemberState.LEFT})
UNKNOWN = "unknown"
RANK: Mapping[str, int] = {str(state): strength for state, strength in STRENGTH.items()}
WORST = len(RANK)
"""A state that only a newer speaker knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberView:
    """One member."""

    name: NodeName
    state: str
    since_s: float = 0.0
    """How long most have seen it so, by the one that has seen it longest."""
    address: str = ""
    seen_by: int = 0
    """Speakers that answered and say this state, itself left out."""
    asked: int = 0
    """Speakers that answered, itself left out."""
    dissent: tuple[str, ...] = ()
    """What others say, as ``Dead on n3``, or ``unknown on n4``."""
    announces: int = 0
    """Addresses on layer 2."""
    leaving: str = ""
    version: str = ""
    """Empty where its speaker was not asked, or did not answer."""

    @property
    def is_troubled(self) -> bool:
        """Whether somebody should look."""
        return self.state in TROUBLED or bool(self.dissent)


def members_of(cluster: Cluster) -> tuple[MemberView, ...]:
    """Everybody that any speaker knows, by name."""
    said: defaultdict[NodeName, dict[NodeName, MemberStatus]] = defaultdict(dict)
    for viewer, speaker in cluster.speakers.items():
        for member in speaker.members:
            said[member.name][viewer] = member
    announced = _announced(cluster)
    return tuple(
        _view(name, said[name], cluster, announced.get(name, 0))
        for name in sorted({*said, *cluster.speakers})
    )


def _view(name: NodeName, said: dict[NodeName, MemberStatus], cluster: Cluster, announced: int) -> MemberView:
    others = {viewer: one for viewer, one in said.items() if viewer != name}
    asked = [viewer for viewer in cluster.speakers if viewer != name]
    judged = others or said
    state = _state(judged)
    own = cluster.speakers.get(name)
    return MemberView(
        name=name,
        state=state,
        since_s=max((one.since_s for one in judged.values() if one.state == state), default=0.0),
        address=next((one.address for one in said.values() if one.address), ""),
        seen_by=sum(one.state == state for one in others.values()),
        asked=len(asked),
        dissent=tuple(_dissent(state, others, asked)),
        announces=_announced_by_itself(own) if own is not None else announced,
        leaving=own.leaving if own is not None else "",
        version=own.version if own is not None else "",
    )


def _state(said: dict[NodeName, MemberStatus]) -> str:
    counts = Counter(one.state for one in said.values())
    if not counts:
        return ""
    return max(counts, key=lambda state: (counts[state], RANK.get(state, WORST)))


def _dissent(state: str, others: dict[NodeName, MemberStatus], asked: list[NodeName]) -> Iterator[str]:
    """Who came after somebody was gone need not have heard of it."""
    for viewer in sorted(asked):
        seen = others[viewer].state if viewer in others else UNKNOWN
        if seen != state and (seen != UNKNOWN or state not in GONE):
            yield f"{seen} on {viewer}"


def _announced_by_itself(speaker: SpeakerStatus) -> int:
    return sum(one.announced_by == speaker.node for one in speaker.addresses if one.protocol == "layer2")


def _announced(cluster: Cluster) -> dict[NodeName, int]:
    """The most that anybody knows of each."""
    most: dict[NodeName, int] = {}
    for speaker in cluster.speakers.values():
        holders = Counter(
            one.announced_by
            for one in speaker.addresses
            if one.protocol == "layer2" and one.announced_by is not None
        )
        for name, count in holders.items():
            most[name] = max(count, most.get(name, 0))
    return most
