"""Members with more links than they can publish: all judge them alike, and so does each of them itself."""

from collections.abc import Iterable, Mapping
from ipaddress import ip_address, ip_network

import pytest

from bareway.gossip.claims import Claim, ClaimTable
from bareway.gossip.events import ListsKnown, Wish
from bareway.gossip.member import Facts, LinkFact, Member, MemberState, Report, publishable
from bareway.gossip.ownership import Ownership
from bareway.model.mac import MacAddress
from bareway.model.names import InterfaceName, IPAddress, NodeName
from speaker.loop import Speaker
from speaker.settings import Settings, read_settings
from support.builders import names
from support.rig import FakeGossip, FakeRecorder, FakeWire, Rig, rig
from support.until import until

NINE, SEVENTEEN, ONE = NodeName("a"), NodeName("b"), NodeName("c")
LAST_OF_NINE, LAST_OF_SEVENTEEN = ip_address("2001:db8::1"), ip_address("192.0.2.1")
POOLS = """address-pools:
- {name: six, protocol: layer2, addresses: ["2001:db8::/64"], interfaces: [eth8]}
- {name: four, protocol: layer2, addresses: [192.0.2.0/24], interfaces: [eth16]}
"""
BOTH, ONLY_FOUR = ("fe80::/64", "198.51.100.0/24"), ("198.51.100.0/24",)
LONG_S = 30.0
STEP_S = 0.1


def links(count: int, *, last: Iterable[str] = BOTH) -> tuple[LinkFact, ...]:
    return tuple(
        LinkFact(
            name=InterfaceName(f"eth{number}"),
            mac=MacAddress(bytes((2, 0, 0, 0, count, number))),
            networks=tuple(map(ip_network, BOTH if number < count - 1 else last)),
        )
        for number in range(count)
    )


def facts(some: tuple[LinkFact, ...]) -> Facts:
    return Facts(started=True, able=True, links=publishable(some))


def member(name: NodeName, some: tuple[LinkFact, ...]) -> Member:
    report = Report(name=name, epoch=1, incarnation=1, state=MemberState.ALIVE, facts=facts(some), by=name)
    return Member(report=report, since=0.0)


async def wishes_of(
    name: NodeName, made: Rig, everybody: Mapping[NodeName, tuple[LinkFact, ...]]
) -> Mapping[IPAddress, Wish]:
    """What the speaker of one node tells its gossip."""
    settings = read_settings([f"--node-name={name}"], {})
    assert isinstance(settings, Settings)
    one = Speaker(settings, watch=made.watch, wire=FakeWire(), recorder=FakeRecorder())
    one.connect(FakeGossip(), lambda: [member(each, some) for each, some in everybody.items()])
    one.links_changed(everybody[name])
    await one.look()
    return one.wishes


def claimed(
    wishes: Mapping[NodeName, Mapping[IPAddress, Wish]], standings: Mapping[NodeName, Facts]
) -> list[Claim]:
    """All claims within LONG_S, if everybody hears each of them at once."""
    made: list[Claim] = []
    owners = [Ownership(me=name, table=ClaimTable(lives=lambda _: True)) for name in wishes]
    for owner in owners:
        owner.see(standings, {})
        owner.look(owner.want(wishes[owner.me], ListsKnown(), now=0.0), now=0.0)
    for turn in range(int(LONG_S / STEP_S)):
        now = turn * STEP_S
        for owner in owners:
            for address in owner.due(now=now):
                made.append(owner.claim_for(address))
                for each in owners:
                    each.table.hear(made[-1])
                    each.look([address], now=now)
    return made


@pytest.mark.parametrize(
    "last_of_nine",
    [
        pytest.param(BOTH, id="the ninth link speaks IPv6, of which there is no room to tell"),
        pytest.param(ONLY_FOUR, id="the ninth link does not, of which there is none either"),
    ],
)
async def test_members_with_more_than_they_can_tell_never_take_an_address_from_each_other(
    last_of_nine: tuple[str, ...],
) -> None:
    everybody = {NINE: links(9, last=last_of_nine), SEVENTEEN: links(17), ONE: links(1)}
    async with rig() as made:
        for number, name in enumerate(everybody, 1):
            await made.node(name, f"198.51.100.{number}")
        await made.config(POOLS)
        await made.service("four", str(LAST_OF_SEVENTEEN))
        await made.service("six", str(LAST_OF_NINE))
        await until(lambda: made.wanted and len(made.wanted) == 2)
        wishes = {name: await wishes_of(name, made, everybody) for name in everybody}
    for each in wishes.values():
        assert each[LAST_OF_NINE].tiers == (names(NINE, SEVENTEEN),)
        assert each[LAST_OF_SEVENTEEN].tiers == (names(SEVENTEEN),)
    claims = claimed(wishes, {name: facts(some) for name, some in everybody.items()})
    assert sorted(claim.address.version for claim in claims) == [4, 6], "each is claimed once"
