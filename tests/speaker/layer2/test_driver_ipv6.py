"""The driver and IPv6 on a fake wire: who is answered, groups, and links that speak it or do not."""

import asyncio
import errno
from ipaddress import IPv6Address

import pytest

from bareway.layer2 import ipv6, ndp
from bareway.layer2.bpf import Program
from bareway.layer2.drops import DropReason
from bareway.layer2.ethernet import ETHERTYPE_IPV6
from bareway.layer2.filter import ANY_NDP, ndp_filter
from bareway.layer2.ndp import Advertisement, Solicitation
from bareway.model.mac import MacAddress
from speaker.layer2.counters import Counters
from speaker.layer2.groups import AGAIN_AFTER_S, Groups
from support.arp import MY_MAC, STRANGER_MAC, VIP
from support.cbpf import TO_GROUP, TO_HOST
from support.layer2 import FakeGroups, address, interface, link
from support.ndp import VIP6, advertisement, frame, probe, solicitation, unicast
from support.speaker import Speaker, driver_with
from support.until import until

OTHER_MAC = MacAddress.parse("02:00:00:00:00:11")
LOCAL = address("fe80::1/64")


async def test_an_announced_address_is_told_before_the_call_returns(speaker: Speaker) -> None:
    speaker.driver.announce([VIP6, VIP])
    assert speaker.eth0_ipv6.frames == [ndp.unsolicited(VIP6, my_mac=MY_MAC)]
    assert [sent.target for sent in speaker.eth0.sent] == [VIP]
    assert speaker.driver.counters.gratuitous == {VIP6: 1, VIP: 1}


@pytest.mark.parametrize(
    ("asked", "packet_type"),
    [
        pytest.param(solicitation(), TO_GROUP, id="to the group"),
        pytest.param(solicitation(link_address=None), TO_GROUP, id="to the group, without option"),
        pytest.param(unicast(), TO_HOST, id="to us, without option"),
        pytest.param(probe(), TO_GROUP, id="a probe"),
    ],
)
async def test_a_solicitation_is_answered(speaker: Speaker, asked: Solicitation, packet_type: int) -> None:
    speaker.driver.announce([VIP6])
    await speaker.narrowed()
    assert speaker.eth0_ipv6.hear(ndp.encode(asked), packet_type)
    await until(lambda: speaker.driver.counters.responses[VIP6])
    assert speaker.eth0_ipv6.frames[-1] == ndp.reply(asked, my_mac=MY_MAC)
    assert speaker.driver.counters.requests[VIP6] == 1


async def test_an_answer_is_fenced_at_its_own_moment(speaker: Speaker) -> None:
    speaker.driver.announce([VIP6])
    speaker.fenced.add(VIP6)
    speaker.eth0_ipv6.hear(frame(), TO_GROUP)
    await until(lambda: speaker.driver.counters.drops[DropReason.FENCED])
    assert speaker.driver.counters.responses[VIP6] == 0
    speaker.fenced.clear()
    speaker.eth0_ipv6.hear(frame(), TO_GROUP)
    await until(lambda: speaker.driver.counters.responses[VIP6])


async def test_the_filter_opens_at_once_and_is_exact_a_little_later(speaker: Speaker) -> None:
    speaker.driver.announce([VIP6])
    assert speaker.eth0_ipv6.programs[-1] == ANY_NDP
    await speaker.narrowed()
    assert speaker.eth0_ipv6.programs[-1] == ndp_filter([VIP6])
    assert not speaker.eth0_ipv6.hear(frame(VIP6 + 1), TO_GROUP)


async def test_each_family_leaves_the_other_s_filter_alone(speaker: Speaker) -> None:
    speaker.driver.announce([VIP6])
    await speaker.narrowed()
    before = len(speaker.eth0_ipv6.programs)
    speaker.driver.announce([VIP])
    speaker.driver.withdraw([VIP])
    await speaker.narrowed()
    assert len(speaker.eth0_ipv6.programs) == before


async def test_what_is_withdrawn_is_answered_no_more_from_that_call_on(speaker: Speaker) -> None:
    speaker.driver.announce([VIP6, VIP6 + 1])
    speaker.eth0_ipv6.hear(frame(), TO_GROUP)
    speaker.driver.withdraw([VIP6])
    speaker.eth0_ipv6.hear(frame(VIP6 + 1), TO_GROUP)
    await until(lambda: speaker.driver.counters.responses[VIP6 + 1])
    assert speaker.driver.counters.responses[VIP6] == 0


async def test_garbage_is_counted_by_its_reason(speaker: Speaker) -> None:
    speaker.driver.announce([VIP6])
    broken = frame()
    speaker.eth0_ipv6.hear(broken[:56] + b"\0\0" + broken[58:], TO_GROUP)
    await until(lambda: speaker.driver.counters.drops[DropReason.BAD_CHECKSUM])
    assert speaker.driver.counters.requests[VIP6] == 0


async def test_another_station_with_our_address_is_reported(speaker: Speaker) -> None:
    speaker.driver.announce([VIP6])
    speaker.eth0_ipv6.hear(ndp.encode(advertisement()), TO_GROUP)
    await until(lambda: speaker.sighted)
    assert speaker.sighted == [(VIP6, STRANGER_MAC, False)]


async def test_the_groups_of_all_addresses_are_joined_each_once(speaker: Speaker) -> None:
    alike = IPv6Address("2001:db8:1::10")  # the same last 24 bits
    many = [VIP6 + number for number in range(100)]
    speaker.driver.announce([*many, alike])
    (groups,) = speaker.wire.groups
    await until(lambda: len(groups.joined) == 100)
    assert set(groups.joined) == {ipv6.solicited_node(one) for one in many}
    speaker.driver.withdraw([VIP6, *many[1:]])
    await until(lambda: len(groups.joined) == 1)
    assert groups.joined == [ipv6.solicited_node(alike)]
    speaker.driver.withdraw([alike, alike])
    await until(lambda: not groups.joined)


async def test_to_announce_anew_joins_nothing_twice(speaker: Speaker) -> None:
    speaker.driver.announce([VIP6])
    speaker.driver.announce([VIP6, VIP6])
    (groups,) = speaker.wire.groups
    await until(lambda: groups.joined)
    speaker.driver.withdraw([VIP6])
    await until(lambda: not groups.joined)


@pytest.mark.looptime
async def test_a_group_that_the_kernel_refuses_is_asked_for_until_it_is_joined_or_wanted_no_more() -> None:
    port, counters = FakeGroups(link()), Counters()
    groups, other = Groups(port, counters), IPv6Address("2001:db8::9")
    port.fault = OSError(errno.EMFILE, "no descriptor left")
    groups.add([VIP6, other])
    await asyncio.sleep(AGAIN_AFTER_S * 1.5)
    assert (port.joined, counters.failures["EMFILE"]) == ([], 4)
    groups.remove([other])
    port.fault = None
    late = IPv6Address("2001:db8::7")
    groups.add([late])
    await asyncio.sleep(0.01)
    assert port.joined == [ipv6.solicited_node(late)], "it does not wait for the next attempt"
    await asyncio.sleep(AGAIN_AFTER_S)
    assert port.joined == [ipv6.solicited_node(late), ipv6.solicited_node(VIP6)]
    port.fault = OSError(errno.EMFILE, "no descriptor left")
    groups.add([other])
    await asyncio.sleep(0.01)
    groups.close()
    failures = counters.failures["EMFILE"]
    await asyncio.sleep(AGAIN_AFTER_S * 2)
    assert counters.failures["EMFILE"] == failures, "who has left asks no more"


async def test_first_frames_do_not_wait_for_the_groups(speaker: Speaker) -> None:
    speaker.driver.announce([VIP6])
    assert speaker.eth0_ipv6.frames
    assert not speaker.wire.groups[0].joined


async def test_a_group_that_the_kernel_refuses_is_counted_and_the_others_are_joined(speaker: Speaker) -> None:
    (groups,) = speaker.wire.groups
    groups.fault = OSError(errno.ENODEV, "no such device")
    speaker.driver.announce([VIP6])
    await until(lambda: speaker.driver.counters.failures["ENODEV"])
    groups.fault = None
    speaker.driver.announce([VIP6 + 1])
    await until(lambda: groups.joined)
    speaker.driver.withdraw([VIP6, VIP6 + 1])
    await until(lambda: not groups.joined)


async def test_a_link_that_appears_joins_the_groups_and_is_told_everything(speaker: Speaker) -> None:
    speaker.driver.announce([VIP6])
    there = (interface(3, "eth1", mac=OTHER_MAC), address("fe80::2/64", index=3))
    speaker.route.change(interface(), LOCAL, *there)
    await until(lambda: len(speaker.wire.groups) == 2)
    await until(lambda: speaker.wire.groups[1].joined)
    assert speaker.wire.groups[1].link.name == "eth1"
    assert speaker.wire.port("eth1", ETHERTYPE_IPV6).frames == [ndp.unsolicited(VIP6, my_mac=OTHER_MAC)]


async def test_a_link_without_ipv6_is_told_nothing_of_it(speaker: Speaker) -> None:
    speaker.route.change(interface(), address())
    await until(lambda: not speaker.driver.links[0].has_ipv6)
    speaker.driver.announce([VIP6, VIP])
    assert not speaker.eth0_ipv6.frames
    assert speaker.eth0.frames
    assert not speaker.wire.groups[0].joined


async def test_a_link_that_learns_ipv6_later_is_told_then(speaker: Speaker) -> None:
    """The link-local address comes a moment after the link."""
    speaker.route.change(interface())
    await until(lambda: not speaker.driver.links[0].has_ipv6)
    speaker.driver.announce([VIP6])
    speaker.route.change(interface(), LOCAL)
    await until(lambda: speaker.eth0_ipv6.frames)
    assert speaker.eth0_ipv6.frames == [ndp.unsolicited(VIP6, my_mac=MY_MAC)]
    await until(lambda: speaker.wire.groups[0].joined)


async def test_a_link_that_loses_ipv6_leaves_the_groups_and_keeps_ipv4(speaker: Speaker) -> None:
    speaker.driver.announce([VIP6, VIP])
    await until(lambda: speaker.wire.groups[0].joined)
    speaker.route.change(interface())
    await until(lambda: not speaker.wire.groups[0].joined)
    speaker.eth0_ipv6.hear(frame(), TO_GROUP)
    await until(lambda: speaker.driver.counters.drops[DropReason.NOT_ANNOUNCED])
    assert speaker.driver.announced == (VIP6, VIP)
    assert len(speaker.eth0.frames) == 1


async def test_a_new_mac_is_told_and_used(speaker: Speaker) -> None:
    speaker.driver.announce([VIP6])
    speaker.eth0_ipv6.frames.clear()
    speaker.route.change(interface(mac=OTHER_MAC), LOCAL)
    await until(lambda: speaker.eth0_ipv6.frames)
    assert speaker.eth0_ipv6.frames == [ndp.unsolicited(VIP6, my_mac=OTHER_MAC)]
    speaker.eth0_ipv6.hear(frame(), TO_GROUP)
    await until(lambda: speaker.driver.counters.responses[VIP6])
    (told,) = (
        one for one in speaker.eth0_ipv6.messages if isinstance(one, Advertisement) and one.is_solicited
    )
    assert told.mac == OTHER_MAC


async def test_what_was_announced_before_the_start_is_told_at_the_start() -> None:
    async with driver_with([VIP6]) as speaker:
        assert speaker.eth0_ipv6.frames == [ndp.unsolicited(VIP6, my_mac=MY_MAC)]


async def test_where_the_kernel_has_no_room_a_smaller_filter_is_tried(speaker: Speaker) -> None:
    port = speaker.eth0_ipv6
    scattered = [VIP6 + 64 * number + number % 31 for number in range(590)]
    sizes: list[int] = []
    attach = port.attach

    def with_little_room(program: Program) -> None:
        sizes.append(len(program))
        if len(program) > 2000:
            raise OSError(errno.ENOMEM, "no memory")
        attach(program)

    port.attach = with_little_room  # type: ignore[method-assign] # this kernel is an old one
    speaker.driver.announce(scattered)
    await speaker.narrowed()
    assert sizes[-2] > 2000 > sizes[-1] > 300
    assert port.hear(frame(scattered[-1]), TO_GROUP)
    assert speaker.driver.counters.failures["ENOMEM"] == 1
