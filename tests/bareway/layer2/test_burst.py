"""The schedule of gratuitous frames: the rounds, the two rates, and who is heard no more."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address
from itertools import pairwise
from math import inf
from typing import NamedTuple

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bareway.layer2.burst import (
    FIRST_AT_ONCE,
    FIRST_PER_S,
    REPEAT_PER_S,
    REPEATS_ANEW_S,
    REPEATS_S,
    STALE_MAX,
    Announced,
    Burst,
    Tick,
    Withdrawn,
)
from bareway.layer2.forms import Form
from bareway.model.names import IPAddress

START = 5_000_000.0
VIP = IPv4Address("192.0.2.10")
VIP6 = IPv6Address("2001:db8::10")


class Sent(NamedTuple):
    """One frame and when it went."""

    at: float
    address: IPAddress
    form: Form


class Link:
    """Keeps the machine's deadlines and writes down what it sends."""

    def __init__(self, *, interval_s: float = 60.0) -> None:
        self.now = START
        self.burst = Burst(interval_s=interval_s, now=START)
        self.sent: list[Sent] = []
        self.wake_ups = 0

    def announce(self, *addresses: IPAddress) -> None:
        self._handle(Announced(addresses))

    def withdraw(self, *addresses: IPAddress) -> None:
        self._handle(Withdrawn(addresses))

    def run(self, seconds: float) -> None:
        until = self.now + seconds
        while self.burst.deadline <= until:
            self.now = max(self.now, self.burst.deadline)
            self.wake_ups += 1
            self._handle(Tick())
        self.now = until

    def times(self, address: IPAddress = VIP) -> list[float]:
        """When each round went, in seconds after the start."""
        return sorted({round(sent.at - START, 6) for sent in self.sent if sent.address == address})

    def _handle(self, event: Announced | Withdrawn | Tick) -> None:
        self.sent += [Sent(self.now, *frame) for frame in self.burst.handle(event, now=self.now)]


def addresses(count: int) -> list[IPv4Address]:
    return [IPv4Address("10.0.0.0") + i for i in range(count)]


def busiest_second(times: Sequence[float]) -> int:
    """The greatest number of frames in any one second."""
    most = begin = 0
    for end, at in enumerate(times):
        while times[begin] <= at - 1:
            begin += 1
        most = max(most, end - begin + 1)
    return most


def test_the_first_frame_is_a_request_and_goes_at_once() -> None:
    link = Link()
    link.announce(VIP)
    assert link.sent == [Sent(START, VIP, Form.REQUEST)]


def test_both_forms_are_repeated_at_growing_distances_and_then_every_interval() -> None:
    link = Link(interval_s=60)
    link.announce(VIP)
    link.run(200)
    assert link.times() == [0, 0.1, 0.3, 1, 2, 4, 64, 124, 184]
    by_time: defaultdict[float, list[Form]] = defaultdict(list)
    for sent in link.sent[1:]:
        by_time[sent.at].append(sent.form)
    assert all(forms == [Form.REQUEST, Form.REPLY] for forms in by_time.values())


def test_ipv6_has_one_form_and_the_same_rounds() -> None:
    link = Link(interval_s=60)
    link.announce(VIP6)
    link.run(70)
    assert [sent.at - START for sent in link.sent] == pytest.approx([0, 0.1, 0.3, 1, 2, 4, 64])
    assert {sent.form for sent in link.sent} == {Form.ADVERTISEMENT}


def test_both_families_take_turns() -> None:
    link = Link()
    many = [address for number in range(500) for address in (VIP + number, VIP6 + number)]
    link.announce(*many)
    link.run(0.06)
    assert [sent.address for sent in link.sent] == many
    link.run(9)
    assert len(link.sent) == 1000 + len(REPEATS_S) * (2 * 500 + 500)


@pytest.mark.parametrize(
    ("before", "after", "rounds"),
    [
        pytest.param(60, 7, [4, 12, 19, 26], id="shorter"),
        pytest.param(7, 60, [4, 11, 71], id="longer"),
        pytest.param(7, inf, [4, 11], id="none any more"),
        pytest.param(inf, 7, [4, 12, 19, 26], id="some again"),
    ],
)
def test_a_new_interval_holds_at_once(before: float, after: float, rounds: list[float]) -> None:
    link = Link(interval_s=before)
    link.announce(VIP)
    link.run(5)
    link.burst.repeat_every(after, now=link.now)
    link.run(67)
    assert link.times()[5:][: len(rounds)] == rounds
    assert len(link.times()) >= 5 + len(rounds)
    assert after < inf or link.burst.deadline == inf


def test_the_interval_is_the_user_s() -> None:
    link = Link(interval_s=10)
    link.announce(VIP)
    link.run(25)
    assert link.times()[-2:] == [14, 24]


def test_what_is_withdrawn_stops_at_once() -> None:
    link = Link()
    link.announce(VIP)
    link.run(0.5)
    before = len(link.sent)
    link.withdraw(VIP, IPv4Address("192.0.2.77"))  # the second was never announced
    link.run(1000)
    assert len(link.sent) == before


def test_what_waits_for_its_first_frame_can_be_withdrawn_too() -> None:
    link = Link()
    many = addresses(3 * FIRST_AT_ONCE)
    link.announce(*many)
    link.withdraw(many[-1])
    link.run(100)
    assert many[-1] not in {sent.address for sent in link.sent}
    assert many[-2] in {sent.address for sent in link.sent}


def test_what_is_announced_anew_begins_anew() -> None:
    link = Link()
    link.announce(VIP)
    link.run(2.5)
    link.announce(VIP)
    link.run(5.5)
    assert link.times() == [0, 0.1, 0.3, 1, 2, 2.5, 3.6, 6.5]


def test_what_is_announced_anew_at_once_keeps_its_early_repeats() -> None:
    link = Link()
    link.announce(VIP)
    link.run(0.2)
    link.announce(VIP)
    link.run(5.0)
    assert link.times() == [0, 0.1, 0.2, 0.3, 1, 1.3, 4.2]


@pytest.mark.parametrize("each_s", [0.01, 0.2, 1.0, 1.2])
def test_an_address_that_two_contend_for_is_told_once_a_defence_and_once_after(each_s: float) -> None:
    link = Link()
    defences = 30
    for _ in range(defences):
        link.announce(VIP)
        link.run(each_s)
    link.run(5.0)
    repeats = defences if each_s > REPEATS_ANEW_S[0] else 1
    assert len(link.times()) <= defences + len(REPEATS_S) + repeats + 1


def test_an_address_named_twice_is_announced_once() -> None:
    link = Link()
    link.announce(VIP, VIP)
    assert len(link.sent) == 1


def test_with_nothing_announced_there_is_nothing_to_wait_for() -> None:
    link = Link()
    assert link.burst.deadline == inf
    link.announce(VIP)
    link.withdraw(VIP)
    link.run(10)
    assert link.burst.deadline == inf


def test_a_thousand_first_frames_are_out_in_less_than_sixty_milliseconds() -> None:
    link = Link()
    many = addresses(1000)
    link.announce(*many)
    assert [sent.address for sent in link.sent] == many[:FIRST_AT_ONCE]
    link.run(0.06)
    assert [sent.address for sent in link.sent] == many


def test_five_thousand_addresses_keep_below_both_rates_and_take_turns() -> None:
    link = Link()
    many = addresses(5000)
    link.announce(*many)
    link.run(60)
    firsts = {sent.address: sent for sent in reversed(link.sent)}
    repeats = [sent for sent in link.sent if sent is not firsts[sent.address]]
    assert firsts.keys() == set(many)
    assert START + 0.24 < max(sent.at for sent in firsts.values()) < START + 0.26
    assert busiest_second(sorted(sent.at for sent in firsts.values())) <= FIRST_PER_S
    assert busiest_second([sent.at for sent in repeats]) <= REPEAT_PER_S
    rounds = Counter[IPAddress]()
    for sent in repeats:
        if sent.form is Form.REPLY:
            rounds[sent.address] += 1
            assert rounds[sent.address] - rounds[many[-1]] <= 1  # nobody is a whole round ahead
    assert set(rounds.values()) == {len(REPEATS_S)}
    assert link.wake_ups < 3000  # not one for each frame


def test_first_frames_do_not_wait_for_the_repeats_of_others() -> None:
    link = Link()
    link.announce(*addresses(5000))
    link.run(3)
    link.announce(VIP)
    assert link.sent[-1] == Sent(link.now, VIP, Form.REQUEST) or VIP in {s.address for s in link.sent[-99:]}
    assert link.times() == [3.0]


def test_after_a_long_pause_each_address_gets_one_round_not_all_that_it_missed() -> None:
    link = Link(interval_s=60)
    link.announce(VIP)
    link.run(5)
    link.now += 600
    link.run(1)
    assert link.times()[6:] == [605.0]


def test_an_address_that_comes_and_goes_a_thousand_times_leaves_nothing_behind() -> None:
    link = Link()
    others = addresses(9)
    for other in others:
        link.announce(other)
        link.run(0.011)
    for _ in range(1000):
        link.announce(VIP)
        link.withdraw(VIP)
    burst = link.burst
    assert len(burst._first) + len(burst._repeats) <= 2 * len(others) + STALE_MAX
    link.run(5)
    for number, other in enumerate(others):
        begin = number * 0.011
        assert link.times(other) == pytest.approx([begin + at for at in (0, *REPEATS_S)])


class AnyOrder(RuleBasedStateMachine):
    """Announcements, withdrawals and time in any order, against what must hold at every moment."""

    def __init__(self) -> None:
        super().__init__()
        self.link = Link(interval_s=7)
        self.announced: dict[IPv4Address, float] = {}

    sets = st.lists(st.integers(0, 600), max_size=300).map(lambda numbers: [VIP + i for i in numbers])

    @rule(chosen=sets)
    def announce(self, chosen: list[IPv4Address]) -> None:
        self.link.announce(*chosen)
        self.announced.update(dict.fromkeys(chosen, self.link.now))

    @rule(chosen=sets)
    def withdraw(self, chosen: list[IPv4Address]) -> None:
        self.link.withdraw(*chosen)
        for address in chosen:
            self.announced.pop(address, None)

    @rule(seconds=st.sampled_from([0.0, 0.001, 0.05, 0.3, 2.0, 9.0]))
    def wait(self, seconds: float) -> None:
        before = len(self.link.sent)
        self.link.run(seconds)
        assert {sent.address for sent in self.link.sent[before:]} <= self.announced.keys()

    @precondition(lambda self: self.announced)
    @rule()
    def settle(self) -> None:
        self.link.run(20)
        last: dict[IPAddress, float] = {sent.address: sent.at for sent in self.link.sent}
        for address, since in self.announced.items():
            assert last[address] >= since
            assert last[address] > self.link.now - 9

    @invariant()
    def rates_hold_and_time_does_not_run_back(self) -> None:
        times = [sent.at for sent in self.link.sent]
        assert all(before <= after for before, after in pairwise(times))
        assert busiest_second(times) <= FIRST_PER_S + REPEAT_PER_S

    @invariant()
    def what_was_withdrawn_is_forgotten(self) -> None:
        burst = self.link.burst
        assert len(burst._first) + len(burst._repeats) <= 2 * len(self.announced) + STALE_MAX


AnyOrder.TestCase.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
TestAnyOrder = AnyOrder.TestCase


@pytest.mark.parametrize("count", [1, 20, 40, 41])
def test_every_round_goes_in_time_while_few_are_announced(count: int) -> None:
    link = Link()
    link.announce(*addresses(count))
    link.run(5)
    assert link.times(addresses(count)[-1])[:2] == [0, pytest.approx(0.1, abs=0.05)]
