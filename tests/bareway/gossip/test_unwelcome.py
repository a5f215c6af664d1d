"""A member that the others turn away starts only if it is wanted by as many as do not want it."""

from ipaddress import ip_address
from random import Random

import pytest

from bareway.gossip.events import Announce, DialFailed, Event, Opened, OwnFacts, PeersKnown, Tick
from bareway.gossip.machine import GossipMachine
from bareway.gossip.profile import PROFILES, ProfileName
from bareway.model.names import NodeName
from support.builders import names
from support.wishes import wanted as wanting

A, B, C, ME = (NodeName(name) for name in ("a", "b", "c", "m"))
ADDRESS = ip_address("192.0.2.1")


def announced_after(*events: Event, peers: frozenset[NodeName] = names("a", "b")) -> bool:
    """Whether the machine took the address within ten seconds of these events."""
    machine = GossipMachine(me=ME, epoch=1, profile=PROFILES[ProfileName.DEFAULT], rng=Random("u"), now=0.0)
    told = (PeersKnown(peers=peers), wanting({ADDRESS: None}), OwnFacts(ready=True, able=True))
    outputs = [output for event in (*told, *events) for output in machine.handle(event, now=0.01)]
    for step in range(1, 500):
        outputs += machine.handle(Tick(), now=0.01 + step * 0.02)
    return any(isinstance(output, Announce) for output in outputs)


def away(peer: NodeName) -> DialFailed:
    return DialFailed(peer=peer, refused=False, turned_away=True)


def dead(peer: NodeName, *, refused: bool) -> DialFailed:
    return DialFailed(peer=peer, refused=refused)


@pytest.mark.parametrize(
    ("events", "starts"),
    [
        pytest.param((away(A), away(B)), False, id="all turn it away"),
        pytest.param((away(A), dead(B, refused=True)), False, id="one turns it away, the other is no more"),
        pytest.param((dead(A, refused=True), dead(B, refused=False)), True, id="nobody is there"),
        pytest.param((away(A), dead(A, refused=True), dead(B, refused=True)), True, id="who did died since"),
    ],
)
def test_who_is_turned_away_does_not_announce_beside_the_others(
    events: tuple[Event, ...], starts: bool
) -> None:
    assert announced_after(*events) is starts


def test_it_says_who_turns_it_away() -> None:
    machine = GossipMachine(me=ME, epoch=1, profile=PROFILES[ProfileName.DEFAULT], rng=Random("u"), now=0.0)
    machine.handle(PeersKnown(peers=names("a", "c")), now=0.0)
    machine.handle(away(C), now=0.1)
    assert list(machine.turned_away_by) == [C]
    machine.handle(Opened(peer=C), now=0.2)
    assert list(machine.turned_away_by) == []
