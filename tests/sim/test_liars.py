"""One of the group lies, by a fault or on purpose: it may hold what it likes, and stops no others."""

from dataclasses import replace
from ipaddress import ip_address

import pytest

from bareway.gossip.claims import Claim
from bareway.gossip.events import Received
from bareway.gossip.findings import Finding, FindingWord
from bareway.gossip.member import Side
from bareway.gossip.message import Heartbeat, Message, News
from bareway.gossip.parts import NUMBER_MAX
from bareway.model.mac import MacAddress
from bareway.model.names import NodeName
from sim.stories import busiest, held_by, settled
from sim.world import World

SOON_S = 2.0


def says(world: World, liar: NodeName, message: Message) -> None:
    """It tells all others."""
    for name in world.names:
        if name != liar:
            world.give(world.hosts[name], Received(peer=liar, message=message))


@pytest.mark.parametrize(
    ("generation", "count"),
    [
        pytest.param(NUMBER_MAX, 1, id="the greatest generation"),
        pytest.param(0, NUMBER_MAX, id="the greatest count"),
        pytest.param(NUMBER_MAX, NUMBER_MAX, id="both"),
    ],
)
def test_a_claim_that_nobody_could_beat_takes_nothing(generation: int, count: int) -> None:
    world = settled(1)
    before, liar = world.owners(), world.names[0]
    claims = tuple(Claim(address=key, generation=generation, count=count, node=liar) for key in world.wanted)
    says(world, liar, News(claims=claims))
    beat = Heartbeat(
        sequence=1,
        interval_ms=100,
        generation=generation,
        view_digest=0,
        claims_digest=0,
        side=Side(3, liar),
    )
    says(world, liar, beat)
    world.run(SOON_S)
    assert world.owners() == before
    world.power_off(victim := busiest(world))
    world.run(SOON_S)
    assert not held_by(world, victim)
    assert all(len(names) == 1 for names in world.owners().values())


def test_two_speakers_of_one_name_flood_nobody_and_it_is_told() -> None:
    world = settled(2)
    honest, other = world.names[:2]
    process = world.hosts[honest].process
    assert process is not None
    before = dict(world.transport.sent)
    for _ in range(400):
        twin = replace(process.own, incarnation=process.own.incarnation + 1)
        world.give(world.hosts[honest], Received(peer=other, message=News(reports=(twin,))))
        world.run(0.005)
    sent = {name: count - before[name] for name, count in world.transport.sent.items()}
    assert max(sent.values()) < 100, "in two seconds; 40 of them are heartbeats"
    world.run(0.1)
    assert not process.problems
    for _ in range(3):
        twin = replace(process.own, incarnation=process.own.incarnation + 1)
        world.give(world.hosts[honest], Received(peer=other, message=News(reports=(twin,))))
        world.run(1.1)
    assert [problem.path for problem in process.problems] == ["--node-name"]


def test_findings_without_end_are_passed_on_within_bounds() -> None:
    world = settled(3)
    liar = world.names[0]
    before = dict(world.transport.sent)
    for number in range(200):
        mac = MacAddress(bytes([2, 1, 0, 0, *divmod(number, 256)]))
        some = tuple(
            Finding(
                address=ip_address(f"192.0.2.{last}"),
                word=FindingWord.ADDRESS_IN_USE,
                mac=mac,
                node=None,
                by=liar,
            )
            for last in range(1, 21)
        )
        says(world, liar, News(findings=some, relay=True))
        world.run(0.005)
    sent = [count - before[name] for name, count in world.transport.sent.items() if name != liar]
    assert max(sent) < 40 + 2 * (1024 // 20 + 1), "heartbeats of a second, and as much as may be passed on"
