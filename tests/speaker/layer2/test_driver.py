"""The driver on a fake wire: who is answered, what is told unasked, and links that come and go."""

import asyncio
import errno
from ipaddress import IPv4Address
from itertools import pairwise

import pytest

from bareway.layer2 import arp
from bareway.layer2.arp import Operation
from bareway.layer2.burst import FIRST_AT_ONCE, REPEATS_S
from bareway.layer2.drops import DropReason
from bareway.layer2.filter import ANY_ARP, NOTHING, arp_filter
from bareway.layer2.forms import FORMS
from bareway.model.mac import MacAddress
from speaker.layer2.sockets import MissingCapability
from support.arp import MY_MAC, STRANGER_MAC, VIP, frame, packet
from support.layer2 import address, interface
from support.speaker import Speaker, driver_with
from support.until import until

OTHER_MAC = MacAddress.parse("02:00:00:00:00:11")


def vips(count: int) -> list[IPv4Address]:
    return [IPv4Address("10.0.0.0") + i for i in range(count)]


async def test_an_announced_address_is_told_before_the_call_returns(speaker: Speaker) -> None:
    speaker.driver.announce([VIP])
    assert speaker.eth0.frames == [arp.gratuitous(VIP, my_mac=MY_MAC, operation=Operation.REQUEST)]
    assert speaker.driver.counters.gratuitous[VIP] == 1
    assert speaker.driver.announced == (VIP,)


async def test_a_request_is_answered_on_the_link_that_asked_with_its_mac(speaker: Speaker) -> None:
    speaker.route.change(interface(), interface(3, "eth1", mac=OTHER_MAC))
    await until(lambda: len(speaker.driver.links) == 2)
    speaker.driver.announce([VIP])
    for port in speaker.wire.opened:
        port.frames.clear()
    assert speaker.wire["eth1"].hear(frame())
    await until(lambda: speaker.wire["eth1"].frames)
    assert speaker.wire["eth1"].frames == [arp.reply(packet(), my_mac=OTHER_MAC)]
    assert not speaker.eth0.frames
    assert speaker.driver.counters.requests[VIP] == speaker.driver.counters.responses[VIP] == 1


async def test_requests_for_all_addresses_are_heard_as_soon_as_announce_returns(speaker: Speaker) -> None:
    many = vips(1000)
    speaker.driver.announce(many)
    assert all(speaker.eth0.hear(frame(vip)) for vip in (many[0], many[-1]))
    await until(lambda: speaker.driver.counters.responses[many[-1]])


async def test_foreign_requests_do_not_wake_us_once_the_filter_is_exact(speaker: Speaker) -> None:
    speaker.driver.announce([VIP])
    assert speaker.eth0.programs[-1] == ANY_ARP
    await speaker.narrowed()
    assert speaker.eth0.programs[-1] == arp_filter([VIP])
    assert not speaker.eth0.hear(frame(VIP + 1))
    assert speaker.eth0.hear(frame(VIP))


async def test_many_changes_in_a_row_cost_one_exact_filter(speaker: Speaker) -> None:
    for vip in vips(100):
        speaker.driver.announce([vip])
    await speaker.narrowed()
    assert len([program for program in speaker.eth0.programs if program not in (ANY_ARP, NOTHING)]) == 1


async def test_what_is_withdrawn_is_answered_no_more_from_that_call_on(speaker: Speaker) -> None:
    speaker.driver.announce([VIP, VIP + 1])
    await speaker.narrowed()
    speaker.eth0.hear(frame(VIP))  # waits in the socket while we withdraw
    speaker.driver.withdraw([VIP])
    speaker.eth0.hear(frame(VIP + 1))
    await until(lambda: speaker.driver.counters.responses[VIP + 1])
    assert speaker.driver.counters.responses[VIP] == 0
    assert speaker.driver.counters.drops[DropReason.NOT_ANNOUNCED] == 1
    assert speaker.driver.announced == (VIP + 1,)
    await until(lambda: speaker.eth0.programs[-1] == arp_filter([VIP + 1]))


async def test_each_answer_is_fenced_at_its_own_moment(speaker: Speaker) -> None:
    speaker.driver.announce([VIP, VIP + 1])
    speaker.fenced.add(VIP)
    speaker.eth0.hear(frame(VIP))
    speaker.eth0.hear(frame(VIP + 1))
    await until(lambda: speaker.driver.counters.responses[VIP + 1])
    counters = speaker.driver.counters
    assert (counters.requests[VIP], counters.responses[VIP], counters.drops[DropReason.FENCED]) == (1, 0, 1)
    speaker.fenced.clear()
    speaker.eth0.hear(frame(VIP))
    await until(lambda: counters.responses[VIP])


async def test_nothing_is_told_unasked_of_a_fenced_address(speaker: Speaker) -> None:
    speaker.fenced.add(VIP)
    speaker.driver.announce([VIP, VIP + 1])
    assert [sent.target for sent in speaker.eth0.sent] == [VIP + 1]
    assert speaker.driver.counters.drops[DropReason.FENCED] == 1


@pytest.mark.looptime
async def test_while_many_are_told_of_the_loop_has_its_turns_for_others() -> None:
    async with driver_with() as speaker:
        many, loop, sent = vips(FIRST_AT_ONCE), asyncio.get_running_loop(), list[int]()
        speaker.frame_takes_s = 0.001

        def other() -> None:
            sent.append(len(speaker.eth0.frames))
            if sent[-1] < len(many):
                loop.call_soon(other)

        other()
        speaker.driver.announce(many)
        await until(lambda: sent[-1] >= len(many))
        speaker.frame_takes_s = 0.0
        assert max(later - earlier for earlier, later in pairwise(sent)) <= 2 * 5, "5 ms, and what is due now"
        assert [packet.target for packet in speaker.eth0.sent[: len(many)]] == many


@pytest.mark.looptime
async def test_what_waits_for_its_turn_and_is_withdrawn_is_not_told() -> None:
    async with driver_with() as speaker:
        many = vips(FIRST_AT_ONCE)
        speaker.frame_takes_s = 0.001
        speaker.driver.announce(many)
        assert len(speaker.eth0.frames) < len(many)
        speaker.driver.withdraw(many[-1:])
        await until(lambda: len(speaker.eth0.frames) >= len(many) - 1)
        speaker.frame_takes_s = 0.0
        await asyncio.sleep(10)
        assert {packet.target for packet in speaker.eth0.sent} == set(many[:-1])


@pytest.mark.looptime
async def test_the_rounds_follow_the_schedule_and_stop_on_withdrawal() -> None:
    async with driver_with() as speaker:
        begin = asyncio.get_running_loop().time()
        speaker.driver.announce([VIP])
        await asyncio.sleep(65)
        assert speaker.driver.counters.gratuitous[VIP] == 1 + 2 * 6
        assert [round(at - begin, 2) for at in speaker.asked_at] == [
            0, *(at for at in (0.1, 0.3, 1.0, 2.0, 4.0, 64.0) for _ in range(2))
        ]  # fmt: skip
        speaker.driver.withdraw([VIP])
        await asyncio.sleep(1000)
        assert speaker.driver.counters.gratuitous[VIP] == 13


@pytest.mark.looptime
async def test_a_thousand_addresses_are_told_in_sixty_milliseconds() -> None:
    async with driver_with() as speaker:
        many = vips(1000)
        speaker.driver.announce(many)
        assert len(speaker.eth0.frames) == FIRST_AT_ONCE
        await asyncio.sleep(0.06)
        assert {sent.target for sent in speaker.eth0.sent} == set(many)


async def test_another_station_with_our_address_is_reported(speaker: Speaker) -> None:
    speaker.driver.announce([VIP])
    speaker.eth0.hear(arp.gratuitous(VIP, my_mac=STRANGER_MAC, operation=Operation.REPLY))
    await until(lambda: speaker.sighted)
    assert speaker.sighted == [(VIP, STRANGER_MAC, False)]
    assert speaker.driver.counters.conflicts[VIP] == 1


async def test_our_other_link_on_the_same_network_is_no_stranger(speaker: Speaker) -> None:
    speaker.route.change(interface(), interface(3, "eth1", mac=OTHER_MAC))
    await until(lambda: len(speaker.driver.links) == 2)
    speaker.driver.announce([VIP])
    speaker.eth0.hear(arp.gratuitous(VIP, my_mac=OTHER_MAC, operation=Operation.REQUEST))
    speaker.eth0.hear(frame())
    await until(lambda: speaker.driver.counters.responses[VIP])
    assert not speaker.sighted


async def test_garbage_that_passes_the_wide_filter_is_counted_by_its_reason(speaker: Speaker) -> None:
    speaker.driver.announce([VIP])
    speaker.eth0.hear(frame()[:30])
    speaker.eth0.hear(frame())
    await until(lambda: speaker.driver.counters.responses[VIP])
    assert speaker.driver.counters.drops[DropReason.TRUNCATED] == 1
    assert speaker.driver.counters.frames == 2


async def test_a_storm_leaves_the_loop_its_turns(speaker: Speaker) -> None:
    speaker.driver.announce([VIP])
    for _ in range(150):
        speaker.eth0.hear(frame())
    seen: set[int] = set()
    while len(speaker.eth0.frames) < 151:
        await asyncio.sleep(0)
        seen.add(speaker.driver.counters.responses[VIP])
    turns = [after - before for before, after in pairwise(sorted({0, *seen}))]
    assert sum(turns) == 150
    assert max(turns) <= 64, "fewer where 64 take too long"


async def test_a_link_that_appears_is_told_everything(speaker: Speaker) -> None:
    speaker.driver.announce([VIP, VIP + 1])
    speaker.route.change(interface(), interface(3, "eth1", mac=OTHER_MAC))
    await until(lambda: len(speaker.wire.opened) == 8)
    assert [(sent.target, sent.sender_mac) for sent in speaker.wire["eth1"].sent] == [
        (VIP, OTHER_MAC),
        (VIP + 1, OTHER_MAC),
    ]
    assert speaker.told_of_links == [("eth0",), ("eth0", "eth1")]


async def test_what_is_announced_without_any_link_is_told_when_one_comes(speaker: Speaker) -> None:
    speaker.route.change(news=[interface()])
    await until(lambda: not speaker.driver.links)
    assert speaker.eth0.is_closed
    speaker.driver.announce([VIP])
    speaker.route.change(interface())
    await until(lambda: speaker.driver.links)
    assert [sent.target for sent in speaker.eth0.sent] == [VIP]
    assert speaker.eth0.hear(frame())
    await until(lambda: speaker.driver.counters.responses[VIP])


async def test_a_new_mac_is_told_and_used_without_leaving_the_link(speaker: Speaker) -> None:
    speaker.driver.announce([VIP])
    speaker.eth0.frames.clear()
    speaker.route.change(interface(mac=OTHER_MAC))
    await until(lambda: speaker.eth0.frames)
    assert speaker.eth0.frames == [arp.gratuitous(VIP, my_mac=OTHER_MAC, operation=Operation.REQUEST)]
    speaker.eth0.frames.clear()
    speaker.eth0.hear(frame())
    await until(lambda: speaker.eth0.frames)
    assert speaker.eth0.frames == [arp.reply(packet(), my_mac=OTHER_MAC)]
    assert len(speaker.wire.opened) == 4


@pytest.mark.looptime
async def test_a_new_mac_is_told_as_often_as_a_new_address() -> None:
    async with driver_with() as speaker:
        speaker.driver.announce([VIP])
        await asyncio.sleep(10)
        speaker.eth0.frames.clear()
        speaker.route.change(interface(mac=OTHER_MAC))
        await until(lambda: speaker.eth0.frames)
        await asyncio.sleep(5)
        assert len(speaker.eth0.frames) == 1 + len(REPEATS_S) * len(FORMS[4])


async def test_a_new_subnet_is_noted_without_a_word(speaker: Speaker) -> None:
    speaker.driver.announce([VIP])
    sent = len(speaker.eth0.frames)
    speaker.route.change(interface(), address("198.51.100.1/24"))
    await until(lambda: len(speaker.told_of_links) == 2)
    assert [str(subnet) for subnet in speaker.driver.links[0].subnets] == ["198.51.100.1/24"]
    assert len(speaker.eth0.frames) == sent


async def test_interfaces_that_will_not_do_are_named(speaker: Speaker) -> None:
    speaker.route.change(interface(), interface(3, "eth1", enslaved=True))
    await until(lambda: speaker.driver.refused)
    assert dict(speaker.driver.refused) == {"eth1": "Enslaved"}


@pytest.mark.looptime
async def test_a_link_that_cannot_be_opened_is_tried_again_each_second() -> None:
    async with driver_with([VIP]) as speaker:
        speaker.wire.fault = OSError(errno.EMFILE, "too many open files")
        speaker.route.change(interface(3, "eth1"))
        await until(lambda: not speaker.driver.links)
        await asyncio.sleep(2.5)
        assert speaker.driver.counters.failures["EMFILE"] == 3
        speaker.wire.fault = None
        await until(lambda: speaker.driver.links)
        assert [sent.target for sent in speaker.wire["eth1"].sent] == [VIP]
        assert speaker.told_of_links == [("eth0",), (), ("eth1",)]


async def test_frames_that_the_kernel_does_not_take_are_counted_and_forgotten(speaker: Speaker) -> None:
    speaker.eth0.send_fault = OSError(errno.ENETDOWN, "down")
    speaker.driver.announce([VIP])
    speaker.eth0.hear(frame())
    await until(lambda: speaker.driver.counters.failures["ENETDOWN"] == 2)
    assert speaker.driver.counters.requests[VIP] == 1
    assert speaker.driver.counters.responses[VIP] == speaker.driver.counters.gratuitous[VIP] == 0


async def test_a_link_that_goes_down_while_it_is_read_is_read_on_when_it_is_up(speaker: Speaker) -> None:
    speaker.driver.announce([VIP])
    speaker.eth0.receive_fault = OSError(errno.ENETDOWN, "down")
    speaker.eth0.hear(frame())
    await until(lambda: speaker.driver.counters.responses[VIP])
    assert speaker.driver.counters.failures["ENETDOWN"] == 1


async def test_without_memory_for_an_exact_filter_the_wide_one_stays(speaker: Speaker) -> None:
    speaker.driver.announce([VIP])
    speaker.eth0.attach_fault = OSError(errno.ENOMEM, "no memory")
    await until(lambda: speaker.driver.counters.failures["ENOMEM"])
    assert speaker.eth0.hear(frame())
    await until(lambda: speaker.driver.counters.responses[VIP])


async def test_what_was_announced_before_the_start_is_told_at_the_start() -> None:
    async with driver_with([VIP]) as speaker:
        assert [sent.target for sent in speaker.eth0.sent] == [VIP]


async def test_without_the_right_to_raw_sockets_the_driver_ends_and_says_why() -> None:
    speaker = Speaker()
    speaker.wire.fault = MissingCapability("the speaker needs CAP_NET_RAW")
    with pytest.raises(MissingCapability, match="CAP_NET_RAW"):
        await speaker.driver.run()
    assert speaker.route.is_closed


@pytest.mark.looptime
async def test_the_end_leaves_no_timer_behind() -> None:
    async with driver_with([VIP]) as speaker:
        pass
    before = len(speaker.eth0.frames)
    await asyncio.sleep(100)
    assert len(speaker.eth0.frames) == before
    assert speaker.driver.counters.failures == {}


@pytest.mark.looptime
async def test_a_link_needs_one_timer_however_often_it_is_told() -> None:
    async with driver_with() as speaker:
        for vip in vips(50):
            speaker.driver.announce([vip])
        await speaker.narrowed()
        scheduled = asyncio.get_running_loop()._scheduled  # type: ignore[attr-defined] # the loop's heap
        assert len([timer for timer in scheduled if not timer.cancelled()]) == 1
