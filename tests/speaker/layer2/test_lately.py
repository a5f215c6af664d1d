"""What a driver tells of an address on its links: where it answers, when it told of it, when it was asked."""

from bareway.layer2.burst import REPEATS_S
from bareway.model.mac import MacAddress
from bareway.model.names import InterfaceName
from bareway.model.status import OnLinkStatus
from support.arp import VIP, frame
from support.layer2 import interface
from support.speaker import Speaker
from support.until import until

OTHER_MAC = MacAddress.parse("02:00:00:00:00:11")


def _now(speaker: Speaker) -> float:
    return speaker.driver._around.clock()


async def test_what_is_announced_was_told_in_that_moment_and_nobody_asked_yet(speaker: Speaker) -> None:
    at = _now(speaker)
    speaker.driver.announce([VIP])
    told = speaker.driver.on_link(VIP, now=at + 7.0)
    assert told.links == ("eth0",)
    assert told.last_unsolicited_s == 7.0 - (speaker.driver._around.lately.told[VIP] - at)
    assert told.last_answer_s is None


async def test_an_answer_is_remembered_with_its_time(speaker: Speaker) -> None:
    speaker.driver.announce([VIP])
    before = _now(speaker)
    speaker.eth0.hear(frame())
    await until(lambda: speaker.driver.counters.responses[VIP])
    lasted = speaker.driver.on_link(VIP, now=_now(speaker)).last_answer_s
    assert lasted is not None
    assert 0.0 <= lasted <= _now(speaker) - before


async def test_a_repeat_that_was_not_asked_for_counts_as_telling_anew(speaker: Speaker) -> None:
    speaker.driver.announce([VIP])
    first = speaker.driver._around.lately.told[VIP]
    await until(lambda: speaker.driver.counters.gratuitous[VIP] > 1)
    assert speaker.driver._around.lately.told[VIP] >= first + REPEATS_S[0]


async def test_what_the_fence_keeps_back_was_not_said(speaker: Speaker) -> None:
    speaker.fenced.add(VIP)
    speaker.driver.announce([VIP])
    speaker.eth0.hear(frame())
    await until(lambda: speaker.driver.counters.requests[VIP])
    assert speaker.driver.on_link(VIP, now=_now(speaker)) == OnLinkStatus(links=(InterfaceName("eth0"),))


async def test_all_links_that_answer_are_named_and_those_that_may_not_are_left_out(speaker: Speaker) -> None:
    speaker.barred.add((VIP + 1, "eth1"))
    speaker.route.change(interface(), interface(3, "eth1", mac=OTHER_MAC))
    await until(lambda: len(speaker.driver.links) == 2)
    speaker.driver.announce([VIP, VIP + 1])
    assert [speaker.driver.on_link(one, now=0.0).links for one in (VIP, VIP + 1)] == [
        ("eth0", "eth1"),
        ("eth0",),
    ]


async def test_what_is_withdrawn_is_forgotten(speaker: Speaker) -> None:
    speaker.driver.announce([VIP, VIP + 1])
    speaker.eth0.hear(frame())
    await until(lambda: speaker.driver.counters.responses[VIP])
    speaker.driver.withdraw([VIP])
    assert speaker.driver.on_link(VIP, now=_now(speaker)) == OnLinkStatus()
    assert speaker.driver._around.lately.told.keys() == {VIP + 1}
    assert not speaker.driver._around.lately.answered
