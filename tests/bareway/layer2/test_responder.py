"""Who gets an answer, who does not and why, and what is a sighting."""

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareway.layer2 import arp, ipv6, ndp
from bareway.layer2.arp import ArpPacket, Operation
from bareway.layer2.drops import DropReason
from bareway.layer2.ethernet import BROADCAST
from bareway.layer2.ndp import Advertisement, Solicitation
from bareway.layer2.responder import Packet, Question, Sighting, claimed, question, sighting
from bareway.model.mac import MacAddress
from bareway.model.names import IPAddress
from support.arp import ASKER_MAC, MY_MAC, STRANGER_MAC, VIP, packet
from support.ndp import ASKER6, VIP6, advertisement, probe, solicitation, unicast

OTHER_VIP = IPv4Address("192.0.2.11")
FOREIGN = IPv4Address("192.0.2.99")
FOREIGN6 = IPv6Address("2001:db8::99")
MY_OTHER_MAC = MacAddress.parse("02:00:00:00:01:01")
GROUP = MacAddress.parse("01:00:5e:00:00:01")
OURS: set[IPAddress] = {VIP, OTHER_VIP, VIP6}


def judge(heard: Packet) -> Question | DropReason:
    return question(heard, my_mac=MY_MAC, announced=OURS)


@pytest.mark.parametrize(
    "heard",
    [
        pytest.param(packet(), id="by broadcast"),
        pytest.param(packet(destination=MY_MAC), id="to our MAC, as caches confirm what they have"),
        pytest.param(packet(sender=IPv4Address(0)), id="a probe"),
        pytest.param(packet(target_mac=BROADCAST), id="with ones where nothing is known"),
        pytest.param(packet(target_mac=STRANGER_MAC), id="with an old answer in the target field"),
        pytest.param(packet(sender=OTHER_VIP), id="by who uses another of our addresses"),
    ],
)
def test_a_request_for_our_address_is_answered_to_the_asker_alone(heard: ArpPacket) -> None:
    asked = judge(heard)
    assert asked == Question(VIP, heard)
    for is_sure in (True, False):
        assert arp.decode(asked.reply(my_mac=MY_MAC, is_sure=is_sure)) == ArpPacket(
            destination=ASKER_MAC,
            operation=Operation.REPLY,
            sender_mac=MY_MAC,
            sender=VIP,
            target_mac=ASKER_MAC,
            target=heard.sender,
        )


@pytest.mark.parametrize(
    "heard",
    [
        pytest.param(solicitation(), id="to the group"),
        pytest.param(solicitation(link_address=None), id="to the group, without source option"),
        pytest.param(unicast(), id="to us, without source option"),
        pytest.param(unicast(link_address=ASKER_MAC), id="to us"),
        pytest.param(solicitation(to=ipv6.ALL_NODES), id="to all nodes"),
        pytest.param(solicitation(frame_destination=MY_MAC), id="to the group, in a frame to us"),
    ],
)
def test_a_solicitation_for_our_address_is_answered_to_the_asker_alone(heard: Solicitation) -> None:
    asked = judge(heard)
    assert asked == Question(VIP6, heard)
    assert not asked.is_probe
    told = ndp.decode(asked.reply(my_mac=MY_MAC))
    assert told == advertisement(mac=MY_MAC, link_address=MY_MAC, is_solicited=True)._replace(
        frame_destination=ASKER_MAC, destination=ASKER6
    )


@pytest.mark.parametrize("is_sure", [True, False], ids=["sure", "unsure"])
def test_a_probe_for_ipv6_is_answered_to_everybody_and_overrides_only_if_we_are_sure(is_sure: bool) -> None:
    asked = judge(probe())
    assert isinstance(asked, Question)
    assert asked.is_probe
    told = ndp.decode(asked.reply(my_mac=MY_MAC, is_sure=is_sure))
    assert told == advertisement(mac=MY_MAC, link_address=MY_MAC)._replace(overrides=is_sure)


@pytest.mark.parametrize(
    ("heard", "is_probe"),
    [
        pytest.param(packet(sender=IPv4Address(0)), True, id="probe"),
        pytest.param(packet(), False, id="request"),
        pytest.param(packet(sender=IPv4Address(0), operation=Operation.REPLY), False, id="reply by nobody"),
    ],
)
def test_an_arp_probe_is_a_request_by_nobody(heard: ArpPacket, is_probe: bool) -> None:
    assert heard.is_probe is is_probe


@pytest.mark.parametrize(
    ("heard", "reason"),
    [
        pytest.param(packet(destination=STRANGER_MAC), DropReason.NOT_FOR_US, id="to another MAC"),
        pytest.param(packet(destination=GROUP), DropReason.NOT_FOR_US, id="to a group"),
        pytest.param(
            packet(operation=Operation.REPLY, destination=MY_MAC), DropReason.NOT_A_REQUEST, id="a reply"
        ),
        pytest.param(packet(sender=VIP), DropReason.GRATUITOUS, id="gratuitous request"),
        pytest.param(packet(sender_mac=BROADCAST), DropReason.BAD_SENDER, id="reply would go to everybody"),
        pytest.param(packet(sender_mac=GROUP), DropReason.BAD_SENDER, id="reply would go to a group"),
        pytest.param(packet(sender_mac=MacAddress(bytes(6))), DropReason.BAD_SENDER, id="no sender"),
        pytest.param(packet(sender_mac=MY_MAC), DropReason.BAD_SENDER, id="our own MAC"),
        pytest.param(packet(FOREIGN), DropReason.NOT_ANNOUNCED, id="for an address that is not ours"),
    ],
)
def test_what_gets_no_answer_has_a_reason(heard: ArpPacket, reason: DropReason) -> None:
    assert judge(heard) is reason


@pytest.mark.parametrize(
    ("heard", "reason"),
    [
        pytest.param(advertisement(), DropReason.NOT_A_REQUEST, id="an advertisement"),
        pytest.param(
            solicitation(frame_destination=STRANGER_MAC), DropReason.NOT_FOR_US, id="in a frame to another"
        ),
        pytest.param(solicitation(to=FOREIGN6, frame_destination=MY_MAC), DropReason.NOT_FOR_US, id="routed"),
        pytest.param(solicitation(link_address=BROADCAST), DropReason.BAD_SENDER, id="for everybody"),
        pytest.param(
            solicitation(link_address=None, frame_source=GROUP), DropReason.BAD_SENDER, id="from a group"
        ),
        pytest.param(solicitation(link_address=MacAddress(bytes(6))), DropReason.BAD_SENDER, id="for nobody"),
        pytest.param(solicitation(link_address=MY_MAC), DropReason.BAD_SENDER, id="our own MAC"),
        pytest.param(solicitation(FOREIGN6), DropReason.NOT_ANNOUNCED, id="for an address that is not ours"),
    ],
)
def test_a_message_that_gets_no_answer_has_a_reason(heard: Packet, reason: DropReason) -> None:
    assert judge(heard) is reason


@pytest.mark.parametrize(
    ("heard", "expected"),
    [
        pytest.param(
            packet(VIP, sender=VIP, sender_mac=STRANGER_MAC),
            Sighting(VIP, STRANGER_MAC, is_solicited=False),
            id="tells everybody",
        ),
        pytest.param(
            packet(FOREIGN, sender=VIP, sender_mac=STRANGER_MAC),
            Sighting(VIP, STRANGER_MAC, is_solicited=True),
            id="uses it to ask for another",
        ),
        pytest.param(
            packet(
                FOREIGN, sender=VIP, sender_mac=STRANGER_MAC, operation=Operation.REPLY, destination=MY_MAC
            ),
            Sighting(VIP, STRANGER_MAC, is_solicited=True),
            id="answers our question",
        ),
        pytest.param(packet(sender=FOREIGN, sender_mac=STRANGER_MAC), None, id="an address that is not ours"),
        pytest.param(packet(sender=IPv4Address(0)), None, id="a probe claims nothing yet"),
        pytest.param(packet(sender=VIP, sender_mac=MY_MAC), None, id="our own frame"),
        pytest.param(
            packet(sender=VIP, sender_mac=MY_OTHER_MAC), None, id="our other link on the same network"
        ),
        pytest.param(packet(sender=VIP, sender_mac=BROADCAST), None, id="nobody has that MAC"),
        pytest.param(
            advertisement(), Sighting(VIP6, STRANGER_MAC, is_solicited=False), id="tells everybody by IPv6"
        ),
        pytest.param(
            advertisement(is_solicited=True),
            Sighting(VIP6, STRANGER_MAC, is_solicited=True),
            id="answers by IPv6",
        ),
        pytest.param(
            advertisement(mac=STRANGER_MAC, link_address=None),
            Sighting(VIP6, STRANGER_MAC, is_solicited=False),
            id="without an option it is where the frame came from",
        ),
        pytest.param(
            advertisement(mac=MY_MAC, link_address=STRANGER_MAC),
            Sighting(VIP6, STRANGER_MAC, is_solicited=False),
            id="a proxy tells of another station",
        ),
        pytest.param(
            solicitation(FOREIGN6, source=VIP6, link_address=STRANGER_MAC),
            Sighting(VIP6, STRANGER_MAC, is_solicited=True),
            id="uses it to ask by IPv6",
        ),
        pytest.param(advertisement(FOREIGN6), None, id="an IPv6 address that is not ours"),
        pytest.param(advertisement(mac=MY_MAC, link_address=MY_MAC), None, id="our own message"),
        pytest.param(probe(), None, id="a probe by IPv6 claims nothing yet"),
    ],
)
def test_a_sighting_is_another_station_with_our_address_as_its_own(
    heard: Packet, expected: Sighting | None
) -> None:
    assert sighting(heard, own_macs={MY_MAC, MY_OTHER_MAC}, announced=OURS) == expected


some_macs = st.sampled_from([MY_MAC, ASKER_MAC, STRANGER_MAC, BROADCAST, GROUP, MacAddress(bytes(6))])
some4 = st.sampled_from([VIP, OTHER_VIP, FOREIGN, IPv4Address(0)])
some6 = st.sampled_from([VIP6, FOREIGN6, ASKER6, ipv6.UNSPECIFIED, ipv6.solicited_node(VIP6)])
ends = (some_macs, some_macs, some6, some6, some6, st.none() | some_macs)
packets = (
    st.builds(ArpPacket, some_macs, st.sampled_from(Operation), some_macs, some4, some_macs, some4)
    | st.builds(Solicitation, *ends)
    | st.builds(Advertisement, *ends, st.booleans(), st.booleans(), st.booleans())
)


@given(packets, st.booleans())
def test_whatever_comes_an_answer_goes_to_one_station_about_an_address_of_ours(
    heard: Packet, is_sure: bool
) -> None:
    verdict = judge(heard)
    if isinstance(verdict, Question):
        frame = verdict.reply(my_mac=MY_MAC, is_sure=is_sure)
        assert frame[6:12] == MY_MAC
        assert verdict.address in OURS
        assert MacAddress(frame[:6]).is_host or (frame[:6] == ndp.ALL_NODES_MAC and verdict.is_probe)
        assert frame[:6] != MY_MAC


@given(packets)
def test_whatever_comes_a_sighting_is_of_one_station_that_is_none_of_ours(heard: Packet) -> None:
    seen = sighting(heard, own_macs={MY_MAC, MY_OTHER_MAC}, announced=OURS)
    if seen is not None:
        assert seen.address in OURS
        assert seen.mac.is_host
        assert seen.mac not in (MY_MAC, MY_OTHER_MAC)


def test_what_a_frame_claims_is_its_sender_s_address() -> None:
    assert claimed(packet()).address == packet().sender
    assert claimed(solicitation()) == Sighting(ASKER6, ASKER_MAC, is_solicited=True)
    assert claimed(solicitation(link_address=None)).mac == ASKER_MAC


@pytest.mark.parametrize("mac", ["02:01:01:01:01:01", "02:ff:ff:ff:ff:ff"])
def test_a_solicitation_to_another_stations_mac_is_not_for_us_whatever_its_other_bytes(mac: str) -> None:
    to_another = solicitation(frame_destination=MacAddress.parse(mac))
    assert question(to_another, my_mac=MY_MAC, announced={VIP6}) is DropReason.NOT_FOR_US
