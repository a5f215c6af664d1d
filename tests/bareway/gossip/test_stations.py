"""Whose a hardware address is."""

from ipaddress import ip_address, ip_network

from bareway.gossip.member import Facts, LinkFact, Member, MemberState, Report
from bareway.gossip.stations import Stations
from bareway.model.mac import MacAddress
from bareway.model.names import InterfaceName, NodeName

ME, A = NodeName("m"), NodeName("a")
MACS = [MacAddress(bytes([2, 0, 0, 0, 0, number])) for number in range(4)]


def member(name: NodeName, *links: LinkFact, state: MemberState = MemberState.ALIVE) -> Member:
    report = Report(name=name, epoch=1, incarnation=0, state=state, facts=Facts(links=links), by=name)
    return Member(report=report, since=0.0)


def link(mac: MacAddress, *networks: str) -> LinkFact:
    return LinkFact(
        name=InterfaceName("eth0"), mac=mac, networks=tuple(ip_network(text) for text in networks)
    )


def test_each_link_belongs_to_its_member_also_of_the_dead() -> None:
    made = Stations(me=ME)
    made.see([member(ME, link(MACS[0])), member(A, link(MACS[1]), link(MACS[2]), state=MemberState.DEAD)])
    assert [made.owner(mac) for mac in MACS] == [ME, A, A, None]
    assert made.of(A) == {MACS[1], MACS[2]}
    made.see([member(ME, link(MACS[3]))])
    assert [made.owner(mac) for mac in MACS] == [None, None, None, ME]


def test_we_answer_with_the_link_in_the_addresss_subnet_else_with_the_first() -> None:
    made = Stations(me=ME)
    assert made.own_for(ip_address("192.0.2.1")) is None
    made.see([member(ME, link(MACS[0], "10.0.0.0/8"), link(MACS[1], "192.0.2.0/24"))])
    assert made.own_for(ip_address("192.0.2.1")) == MACS[1]
    assert made.own_for(ip_address("198.51.100.1")) == MACS[0]
    assert made.own_for(ip_address("2001:db8::1")) == MACS[0]
