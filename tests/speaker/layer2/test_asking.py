"""Asking the link who has an address: by the driver's own question, and before each frame when isolated."""

import asyncio
from ipaddress import IPv4Address
from math import inf

import pytest

from bareway.layer2 import arp, ndp
from bareway.layer2.arp import Operation
from bareway.layer2.drops import DropReason
from bareway.layer2.ethernet import ETHERTYPE_ARP, ETHERTYPE_IPV6
from bareway.layer2.filter import ANY_ARP, NOTHING
from bareway.layer2.held import WAITING_MAX
from bareway.model.mac import MacAddress
from bareway.model.names import IPAddress
from support.arp import ASKER_MAC, MY_MAC, STRANGER_MAC, VIP, frame, packet
from support.cbpf import TO_GROUP, TO_HOST
from support.layer2 import FakePort, address, interface
from support.ndp import VIP6, advertisement, probe, solicitation
from support.speaker import Speaker, driver_with
from support.until import until

OTHER_MAC = MacAddress.parse("02:00:00:00:00:11")
NOBODY = frozenset[MacAddress]()


def asking(speaker: Speaker, name: str = "eth0", ethertype: int = ETHERTYPE_ARP) -> FakePort:
    """The port that asks."""
    return speaker.wire.port(name, ethertype, asks=True)


def reply(target: IPv4Address = VIP, mac: MacAddress = STRANGER_MAC) -> bytes:
    """A stranger's answer to our probe."""
    asked = packet(target, sender=IPv4Address(0), sender_mac=MY_MAC)
    return arp.reply(asked, my_mac=mac)


def now() -> float:
    return asyncio.get_running_loop().time()


@pytest.mark.looptime
@pytest.mark.parametrize("probes", [1, 3])
@pytest.mark.parametrize("asked", [VIP, VIP6], ids=["IPv4", "IPv6"])
async def test_nobody_answers_thirty_milliseconds_after_the_last_probe(asked: IPAddress, probes: int) -> None:
    async with driver_with() as speaker:
        began = now()
        assert await speaker.driver.ask(asked, probes) == NOBODY
        assert now() - began == pytest.approx(0.03 * probes)
        port = asking(speaker, ethertype=ETHERTYPE_ARP if asked is VIP else ETHERTYPE_IPV6)
        frame = arp.probe(VIP, my_mac=MY_MAC) if asked is VIP else ndp.probe(VIP6, my_mac=MY_MAC)
        assert port.frames == [frame] * probes
        assert port.programs[-1] == NOTHING


@pytest.mark.looptime
async def test_who_answers_is_told() -> None:
    async with driver_with() as speaker:
        answer = asyncio.ensure_future(speaker.driver.ask(VIP, 1))  # noqa: TID251 - awaited below
        await until(lambda: asking(speaker).frames)
        assert asking(speaker).hear(reply(), TO_HOST)
        assert asking(speaker).hear(arp.gratuitous(VIP, my_mac=ASKER_MAC, operation=Operation.REQUEST))
        assert not asking(speaker).hear(reply(VIP + 1), TO_HOST)
        assert await answer == {STRANGER_MAC, ASKER_MAC}


@pytest.mark.looptime
async def test_who_advertises_is_told() -> None:
    async with driver_with() as speaker:
        answer = asyncio.ensure_future(speaker.driver.ask(VIP6, 1))  # noqa: TID251 - awaited below
        port = asking(speaker, ethertype=ETHERTYPE_IPV6)
        await until(lambda: port.frames)
        assert port.hear(ndp.encode(advertisement()), TO_GROUP)
        assert port.hear(ndp.encode(probe()), TO_GROUP)  # somebody else asks too: that is no answer
        assert await answer == {STRANGER_MAC}


@pytest.mark.looptime
async def test_our_own_links_are_left_out_and_all_of_them_are_asked() -> None:
    async with driver_with() as speaker:
        speaker.route.change(interface(), interface(3, "eth1", mac=OTHER_MAC))
        await until(lambda: len(speaker.driver.links) == 2)
        answer = asyncio.ensure_future(speaker.driver.ask(VIP, 1))  # noqa: TID251 - awaited below
        await until(lambda: asking(speaker, "eth1").frames)
        assert asking(speaker, "eth1").frames == [arp.probe(VIP, my_mac=OTHER_MAC)]
        asking(speaker).hear(reply(mac=OTHER_MAC))
        asking(speaker).hear(reply(mac=MacAddress(b"\xff" * 6)))
        asking(speaker, "eth1").hear(reply(mac=STRANGER_MAC))
        assert await answer == {STRANGER_MAC}


@pytest.mark.looptime
async def test_a_link_that_is_not_allowed_is_not_asked() -> None:
    async with driver_with() as speaker:
        speaker.route.change(interface(), interface(3, "eth1", mac=OTHER_MAC))
        await until(lambda: len(speaker.driver.links) == 2)
        speaker.barred.add((VIP, "eth1"))
        await speaker.driver.ask(VIP)
        await speaker.driver.ask(VIP6)  # neither link speaks IPv6 now
        assert asking(speaker).frames
        assert not asking(speaker, "eth1").frames
        assert not asking(speaker, ethertype=ETHERTYPE_IPV6).frames


@pytest.mark.looptime
async def test_a_link_with_a_new_mac_asks_by_it() -> None:
    async with driver_with() as speaker:
        speaker.route.change(interface(mac=OTHER_MAC))
        await until(lambda: speaker.driver.links[0].mac == OTHER_MAC)
        await speaker.driver.ask(VIP)
        assert asking(speaker).frames == [arp.probe(VIP, my_mac=OTHER_MAC)]


@pytest.mark.looptime
async def test_without_any_link_nobody_answers() -> None:
    async with driver_with() as speaker:
        speaker.route.change(news=[interface()])
        await until(lambda: not speaker.driver.links)
        assert await speaker.driver.ask(VIP, 3) == NOBODY


@pytest.mark.looptime
async def test_a_link_that_appears_meanwhile_hears_the_answers() -> None:
    async with driver_with() as speaker:
        answer = asyncio.ensure_future(speaker.driver.ask(VIP, 3))  # noqa: TID251 - awaited below
        await until(lambda: asking(speaker).frames)
        speaker.route.change(interface(), interface(3, "eth1", mac=OTHER_MAC))
        await until(lambda: len(speaker.driver.links) == 2)
        await until(lambda: asking(speaker, "eth1").frames)
        assert asking(speaker, "eth1").hear(reply(), TO_HOST)
        assert await answer == {STRANGER_MAC}


@pytest.mark.looptime
async def test_a_thousand_questions_open_the_filter_wide_and_all_are_answered() -> None:
    async with driver_with() as speaker:
        many = [IPv4Address("10.0.0.0") + number for number in range(1000)]
        async with asyncio.TaskGroup() as group:
            answers = [group.create_task(speaker.driver.ask(one, 1)) for one in many]
            await until(lambda: asking(speaker).frames)
            assert asking(speaker).programs[-1] == ANY_ARP
            assert asking(speaker).hear(reply(many[7]), TO_HOST)
        assert [answer.result() for answer in answers] == [
            frozenset({STRANGER_MAC}) if one is many[7] else NOBODY for one in many
        ]
        assert len(asking(speaker).programs) < 30
        assert asking(speaker).programs[-1] == NOTHING


@pytest.mark.looptime
async def test_who_stops_waiting_harms_nobody() -> None:
    async with driver_with() as speaker:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.001):
                await speaker.driver.ask(VIP)
        assert await speaker.driver.ask(VIP) == NOBODY


# ------------------------------------------------------------ isolated


@pytest.mark.looptime
async def test_an_isolated_holder_asks_first_and_answers_all_who_asked() -> None:
    async with driver_with() as speaker:
        speaker.driver.announce([VIP])
        speaker.eth0.frames.clear()
        speaker.isolated.add(VIP)
        began = now()
        for mac in (ASKER_MAC, STRANGER_MAC, ASKER_MAC):
            speaker.eth0.hear(frame(sender_mac=mac))
        await until(lambda: asking(speaker).frames)
        assert not speaker.eth0.frames
        await until(lambda: speaker.eth0.frames)
        assert now() - began == pytest.approx(0.03, abs=0.005)
        assert [sent.destination for sent in speaker.eth0.sent] == [ASKER_MAC, STRANGER_MAC]
        assert asking(speaker).frames == [arp.probe(VIP, my_mac=MY_MAC)]
        assert speaker.driver.counters.requests[VIP] == 3


@pytest.mark.looptime
async def test_it_answers_nobody_if_another_station_answered_and_reports_that() -> None:
    async with driver_with() as speaker:
        speaker.driver.announce([VIP])
        speaker.eth0.frames.clear()
        speaker.isolated.add(VIP)
        for mac in (ASKER_MAC, MacAddress(bytes([2, 0, 0, 0, 0, 9]))):
            speaker.eth0.hear(frame(sender_mac=mac))
        await until(lambda: speaker.driver.counters.requests[VIP] == 2)
        asking(speaker).hear(reply(), TO_HOST)
        await until(lambda: speaker.sighted)
        assert speaker.sighted == [(VIP, STRANGER_MAC, True)]
        assert not speaker.eth0.frames
        assert speaker.driver.counters.drops[DropReason.HELD_ELSEWHERE] == 2
        assert speaker.driver.counters.conflicts[VIP] == 1


@pytest.mark.looptime
async def test_it_asks_anew_before_each_later_answer() -> None:
    async with driver_with() as speaker:
        speaker.driver.announce([VIP])
        speaker.isolated.add(VIP)
        for times in (1, 2):
            speaker.eth0.hear(frame())
            await asyncio.sleep(0.04)
            assert speaker.driver.counters.responses[VIP] == times
            assert len(asking(speaker).frames) == times


@pytest.mark.looptime
async def test_it_answers_a_probe_at_once_so_that_two_who_ask_each_other_both_hear() -> None:
    async with driver_with() as speaker:
        speaker.driver.announce([VIP, VIP6])
        speaker.eth0.frames.clear()
        speaker.eth0_ipv6.frames.clear()
        speaker.isolated |= {VIP, VIP6}
        speaker.eth0.hear(frame(sender=IPv4Address(0)))
        speaker.eth0_ipv6.hear(ndp.encode(probe()), TO_GROUP)
        await until(lambda: speaker.eth0.frames and speaker.eth0_ipv6.frames)
        assert speaker.eth0.frames == [arp.reply(packet(sender=IPv4Address(0)), my_mac=MY_MAC)]
        assert speaker.eth0_ipv6.frames == [ndp.reply(probe(), my_mac=MY_MAC, override=False)]
        assert not asking(speaker).frames


@pytest.mark.looptime
async def test_ipv6_waits_as_well() -> None:
    async with driver_with() as speaker:
        speaker.driver.announce([VIP6])
        speaker.eth0_ipv6.frames.clear()
        speaker.isolated.add(VIP6)
        speaker.eth0_ipv6.hear(ndp.encode(solicitation()), TO_GROUP)
        await until(lambda: asking(speaker, ethertype=ETHERTYPE_IPV6).frames)
        assert not speaker.eth0_ipv6.frames
        await until(lambda: speaker.eth0_ipv6.frames)
        assert speaker.eth0_ipv6.frames == [ndp.reply(solicitation(), my_mac=MY_MAC)]


@pytest.mark.looptime
async def test_what_is_told_unasked_waits_too_and_goes_if_nobody_answers() -> None:
    async with driver_with() as speaker:
        speaker.isolated.add(VIP)
        speaker.driver.announce([VIP])
        assert not speaker.eth0.frames
        await asyncio.sleep(0.2)
        assert [sent.operation for sent in speaker.eth0.sent] == [
            Operation.REQUEST, Operation.REQUEST, Operation.REPLY
        ]  # fmt: skip


@pytest.mark.looptime
async def test_what_was_withdrawn_while_it_was_asked_for_is_not_sent() -> None:
    async with driver_with() as speaker:
        speaker.isolated.add(VIP)
        speaker.driver.announce([VIP])
        speaker.driver.withdraw([VIP])
        speaker.fenced.add(VIP)
        await asyncio.sleep(1)
        assert not speaker.eth0.frames
        assert speaker.driver.counters.drops[DropReason.FENCED] == 1


@pytest.mark.looptime
async def test_a_link_that_goes_while_it_asks_sends_nothing() -> None:
    async with driver_with() as speaker:
        speaker.isolated.add(VIP)
        speaker.driver.announce([VIP])
        port = speaker.eth0
        speaker.route.change(news=[interface()])
        await until(lambda: not speaker.driver.links)
        await asyncio.sleep(1)
        assert not port.frames
        assert speaker.driver.counters.failures == {}


@pytest.mark.looptime
async def test_a_flood_of_askers_is_not_remembered() -> None:
    async with driver_with() as speaker:
        speaker.driver.announce([VIP])
        speaker.isolated.add(VIP)
        speaker.eth0.frames.clear()
        for number in range(WAITING_MAX + 5):
            speaker.eth0.hear(frame(sender_mac=MacAddress(bytes([2, 0, 0, 0, 1, number]))))
        await until(lambda: len(speaker.eth0.frames) == WAITING_MAX)
        assert speaker.driver.counters.drops[DropReason.TOO_MANY_WAIT] == 5


@pytest.mark.looptime
async def test_a_pool_s_links_alone_are_announced_on_and_a_change_is_followed() -> None:
    async with driver_with() as speaker:
        speaker.barred.add((VIP, "eth1"))
        there = (interface(3, "eth1", mac=OTHER_MAC), address("fe80::2/64", index=3))
        speaker.route.change(interface(), *there)
        await until(lambda: len(speaker.driver.links) == 2)
        speaker.driver.announce([VIP, VIP + 1])
        eth1 = speaker.wire["eth1"]
        assert [sent.target for sent in speaker.eth0.sent] == [VIP, VIP + 1]
        assert [sent.target for sent in eth1.sent] == [VIP + 1]
        eth1.hear(frame())
        await until(lambda: speaker.driver.counters.drops[DropReason.NOT_ANNOUNCED])
        speaker.barred = {(VIP, "eth0"), (VIP + 1, "eth1")}
        speaker.driver.reconsider()
        assert [sent.target for sent in eth1.sent] == [VIP + 1, VIP]
        assert len(speaker.eth0.frames) == 2
        eth1.hear(frame())
        await until(lambda: speaker.driver.counters.responses[VIP])
        speaker.eth0.hear(frame())
        await until(lambda: speaker.driver.counters.drops[DropReason.NOT_ANNOUNCED] == 2)
        assert speaker.driver.announced == (VIP, VIP + 1)


@pytest.mark.looptime
async def test_many_like_sightings_are_told_once_in_a_moment_and_counted_all() -> None:
    async with driver_with() as speaker:
        speaker.driver.announce([VIP])
        for _ in range(40):
            speaker.eth0.hear(arp.gratuitous(VIP, my_mac=STRANGER_MAC, operation=Operation.REPLY))
        await until(lambda: speaker.driver.counters.conflicts[VIP] == 40)
        assert speaker.sighted == [(VIP, STRANGER_MAC, False)]
        await asyncio.sleep(0.06)
        speaker.eth0.hear(arp.gratuitous(VIP, my_mac=STRANGER_MAC, operation=Operation.REPLY))
        await until(lambda: len(speaker.sighted) == 2)


@pytest.mark.looptime
async def test_another_interval_holds_for_links_of_today_and_tomorrow() -> None:
    async with driver_with() as speaker:
        speaker.driver.repeat_every(10)
        speaker.route.change(interface(), interface(3, "eth1", mac=OTHER_MAC))
        await until(lambda: len(speaker.driver.links) == 2)
        speaker.driver.announce([VIP])
        await asyncio.sleep(25)
        assert len(speaker.eth0.frames) == len(speaker.wire["eth1"].frames) == 1 + 2 * 7
        speaker.driver.repeat_every(inf)
        await asyncio.sleep(1000)  # what was due goes, and then no more
        assert len(speaker.eth0.frames) == len(speaker.wire["eth1"].frames) == 1 + 2 * 8
        speaker.driver.repeat_every(60)
        await asyncio.sleep(61)
        assert len(speaker.eth0.frames) == len(speaker.wire["eth1"].frames) == 1 + 2 * 9
