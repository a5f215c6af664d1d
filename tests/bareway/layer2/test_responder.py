"""Who gets an answer, who does not and why, and what is a conflict."""

from ipaddress import IPv4Address

import pytest

from bareway.layer2 import arp
from bareway.layer2.arp import ArpPacket, Operation
from bareway.layer2.drops import DropReason
from bareway.layer2.ethernet import BROADCAST, MacAddress
from bareway.layer2.responder import Conflict, Reply, answer, conflict
from support.arp import ASKER_MAC, MY_MAC, STRANGER_MAC, VIP, packet

OTHER_VIP = IPv4Address("192.0.2.11")
FOREIGN = IPv4Address("192.0.2.99")
MY_OTHER_MAC = MacAddress.parse("02:00:00:00:01:01")
GROUP = MacAddress.parse("01:00:5e:00:00:01")


def judge(heard: ArpPacket, *, is_confirmed: bool = True) -> Reply | DropReason:
    return answer(heard, my_mac=MY_MAC, announced={VIP, OTHER_VIP}, may_answer=lambda _: is_confirmed)


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
    reply = judge(heard)
    assert isinstance(reply, Reply)
    assert reply.address == VIP
    assert arp.decode(reply.frame) == ArpPacket(
        destination=ASKER_MAC,
        operation=Operation.REPLY,
        sender_mac=MY_MAC,
        sender=VIP,
        target_mac=ASKER_MAC,
        target=heard.sender,
    )


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


def test_without_a_fresh_detector_nothing_is_answered() -> None:
    assert judge(packet(), is_confirmed=False) is DropReason.FENCED


def test_the_fence_is_asked_for_the_very_address_and_only_when_all_else_is_well() -> None:
    asked: list[IPv4Address] = []

    def may_answer(address: IPv4Address) -> bool:
        asked.append(address)
        return True

    for heard in (packet(FOREIGN), packet(operation=Operation.REPLY), packet(OTHER_VIP)):
        answer(heard, my_mac=MY_MAC, announced={VIP, OTHER_VIP}, may_answer=may_answer)
    assert asked == [OTHER_VIP]


@pytest.mark.parametrize(
    ("heard", "expected"),
    [
        pytest.param(
            packet(VIP, sender=VIP, sender_mac=STRANGER_MAC),
            Conflict(VIP, STRANGER_MAC, True),
            id="tells everybody",
        ),
        pytest.param(
            packet(FOREIGN, sender=VIP, sender_mac=STRANGER_MAC),
            Conflict(VIP, STRANGER_MAC, False),
            id="uses it to ask for another",
        ),
        pytest.param(
            packet(
                FOREIGN, sender=VIP, sender_mac=STRANGER_MAC, operation=Operation.REPLY, destination=MY_MAC
            ),
            Conflict(VIP, STRANGER_MAC, False),
            id="answers our question",
        ),
        pytest.param(packet(sender=FOREIGN, sender_mac=STRANGER_MAC), None, id="an address that is not ours"),
        pytest.param(packet(sender=IPv4Address(0)), None, id="a probe claims nothing yet"),
        pytest.param(packet(sender=VIP, sender_mac=MY_MAC), None, id="our own frame"),
        pytest.param(
            packet(sender=VIP, sender_mac=MY_OTHER_MAC), None, id="our other link on the same network"
        ),
        pytest.param(packet(sender=VIP, sender_mac=BROADCAST), None, id="nobody has that MAC"),
    ],
)
def test_a_conflict_is_another_station_with_our_address_as_its_own(
    heard: ArpPacket, expected: Conflict | None
) -> None:
    own_macs = {MY_MAC, MY_OTHER_MAC}
    assert conflict(heard, own_macs=own_macs, announced={VIP, OTHER_VIP}) == expected
