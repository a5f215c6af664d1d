"""Addresses that somebody announces, by the word of any speaker that answered."""

from typing import Final

from bareway.decide.answers.checks.view import DoctorView
from bareway.gossip.member import MemberState
from bareway.model.names import IPAddress, NodeName
from bareway.model.status import SpeakerStatus

GONE: Final = frozenset({MemberState.DEAD, MemberState.LEFT})


def announced_addresses(view: DoctorView) -> frozenset[IPAddress]:
    """Who is dead or has left announces nothing, whatever it claimed last."""
    found: set[IPAddress] = set()
    for speaker in view.cluster.speakers.values():
        nobody = {None, *_gone(speaker)}
        found |= {one.address for one in speaker.addresses if one.announced_by not in nobody}
    return frozenset(found)


def _gone(speaker: SpeakerStatus) -> frozenset[NodeName]:
    """Members that announce nothing by its word; of itself it knows better."""
    return frozenset(one.name for one in speaker.members if one.state in GONE and one.name != speaker.node)
