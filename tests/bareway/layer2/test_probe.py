"""The prober: how often it asks, when it tells, and how many at once."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address
from math import inf

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from bareway.layer2.probe import (
    GAP_S,
    INQUIRIES_MAX,
    MACS_MAX,
    Asked,
    Event,
    Heard,
    Probe,
    Prober,
    Tick,
    Told,
)
from bareway.model.mac import MacAddress
from bareway.model.names import IPAddress
from support.arp import ASKER_MAC, STRANGER_MAC, VIP
from support.ndp import VIP6

START = 5_000_000.0


class Wire:
    """Keeps the prober's deadlines and writes down what it asks and tells, with the time."""

    def __init__(self) -> None:
        self.now = START
        self.prober = Prober()
        self.probes: list[tuple[float, IPAddress]] = []
        self.told: list[tuple[float, Told]] = []

    def ask(self, address: IPAddress = VIP, probes: int = 1) -> None:
        self._handle(Asked(address, probes))

    def hear(self, address: IPAddress = VIP, mac: MacAddress = STRANGER_MAC) -> None:
        self._handle(Heard(address, mac))

    def run(self, seconds: float) -> None:
        until = self.now + seconds
        while self.prober.deadline <= until:
            self.now = max(self.now, self.prober.deadline)
            self._handle(Tick())
        self.now = until

    def probed_at(self, address: IPAddress = VIP) -> list[float]:
        return [round(at - START, 6) for at, probed in self.probes if probed == address]

    @property
    def answers(self) -> list[tuple[float, frozenset[MacAddress]]]:
        return [(round(at - START, 6), told.macs) for at, told in self.told]

    def _handle(self, event: Event) -> None:
        for output in self.prober.handle(event, now=self.now):
            if isinstance(output, Probe):
                self.probes.append((self.now, output.address))
            else:
                self.told.append((self.now, output))


def addresses(count: int) -> Iterable[IPv4Address]:
    return (IPv4Address("10.0.0.0") + number for number in range(count))


def test_nobody_answers_one_probe_and_thirty_milliseconds_later_that_is_told() -> None:
    wire = Wire()
    wire.ask()
    assert wire.probed_at() == [0]
    wire.run(1)
    assert wire.answers == [(0.03, frozenset())]
    assert wire.prober.deadline == inf
    assert not wire.prober.addresses


@pytest.mark.parametrize("address", [VIP, VIP6], ids=["IPv4", "IPv6"])
def test_three_probes_are_thirty_milliseconds_apart_and_the_result_comes_as_much_later(
    address: IPAddress,
) -> None:
    wire = Wire()
    wire.ask(address, probes=3)
    wire.run(1)
    assert wire.probed_at(address) == [0, 0.03, 0.06]
    assert [told.address for _, told in wire.told] == [address]
    assert wire.answers == [(0.09, frozenset())]


def test_all_who_answer_in_that_time_are_told_each_once() -> None:
    wire = Wire()
    wire.ask(probes=2)
    wire.hear(mac=STRANGER_MAC)
    wire.run(0.04)
    wire.hear(mac=ASKER_MAC)
    wire.hear(mac=ASKER_MAC)
    wire.hear(VIP + 1, mac=MacAddress(b"\x02" * 6))
    wire.run(1)
    assert wire.answers == [(0.06, frozenset({STRANGER_MAC, ASKER_MAC}))]


def test_an_answer_that_comes_too_late_is_heard_by_nobody() -> None:
    wire = Wire()
    wire.ask()
    wire.run(0.031)
    wire.hear()
    wire.ask()
    wire.run(1)
    assert [macs for _, macs in wire.answers] == [frozenset(), frozenset()]


def test_a_station_with_a_thousand_macs_is_remembered_by_some_of_them() -> None:
    wire = Wire()
    wire.ask()
    for number in range(1000):
        wire.hear(mac=MacAddress(b"\x02\0\0\0" + number.to_bytes(2, "big")))
    wire.run(1)
    assert len(wire.answers[0][1]) == MACS_MAX


@pytest.mark.parametrize(
    ("first", "second", "probed_at"),
    [
        pytest.param(1, 1, [0], id="the same"),
        pytest.param(3, 1, [0, 0.03, 0.06], id="who wants less waits longer"),
        pytest.param(1, 3, [0, 0.03, 0.06], id="who wants more gets more"),
    ],
)
def test_who_asks_for_what_is_being_asked_joins(first: int, second: int, probed_at: list[float]) -> None:
    wire = Wire()
    wire.ask(probes=first)
    wire.run(0.01)
    wire.ask(probes=second)
    wire.run(1)
    assert wire.probed_at() == probed_at
    assert len(wire.answers) == 1


def test_a_bounded_number_is_asked_for_at_once_and_the_others_wait_their_turn() -> None:
    wire = Wire()
    many = list(addresses(INQUIRIES_MAX + 2))
    for address in many:
        wire.ask(address)
    assert len(wire.probes) == INQUIRIES_MAX
    wire.hear(many[-1])  # it was not asked for yet: that is no answer
    wire.run(1)
    assert [probed for _, probed in wire.probes] == many
    assert wire.probed_at(many[-1]) == [GAP_S]
    assert [told.address for _, told in wire.told] == many
    assert wire.told[-1][1].macs == frozenset()


def test_a_pause_of_ours_does_not_let_two_probes_go_at_once() -> None:
    wire = Wire()
    wire.ask(probes=3)
    wire.now += 10
    wire.run(1)
    assert wire.probed_at() == [0, 10, 10.03]


class AnyOrder(RuleBasedStateMachine):
    """Questions, answers and time in any order, against what must hold at every moment."""

    def __init__(self) -> None:
        super().__init__()
        self.wire = Wire()
        self.asked = 0
        self.open: dict[IPAddress, int] = {}
        self.seen = 0

    some = st.integers(0, 700).map(lambda number: (VIP, VIP6)[number % 2] + number)

    @rule(address=some, probes=st.integers(1, 3))
    def ask(self, address: IPv4Address | IPv6Address, probes: int) -> None:
        self.wire.ask(address, probes)
        self.open[address] = max(probes, self.open.get(address, 0))

    @rule(address=some)
    def ask_many(self, address: IPv4Address | IPv6Address) -> None:
        for number in range(300):
            self.ask(address + number, 1)

    @rule(address=some)
    def hear(self, address: IPv4Address | IPv6Address) -> None:
        self.wire.hear(address)

    @rule(seconds=st.sampled_from([0.0, 0.001, 0.029, 0.03, 0.1, 3.0]))
    def wait(self, seconds: float) -> None:
        self.wire.run(seconds)
        self._close()

    @invariant()
    def each_is_told_once_after_its_probes(self) -> None:
        self._close()
        assert self.wire.prober.addresses == self.open.keys()
        assert (self.wire.prober.deadline < inf) == bool(self.open)

    @invariant()
    def no_more_than_the_limit_in_a_gap(self) -> None:
        recent = [at for at, _ in self.wire.probes if at > self.wire.now - GAP_S + 1e-9]
        assert len(recent) <= INQUIRIES_MAX

    def _close(self) -> None:
        for at, told in self.wire.told[self.seen :]:
            probes = [when for when, probed in self.wire.probes if probed == told.address]
            assert at >= probes[-1] + GAP_S - 1e-9
            assert len(probes) >= self.open.pop(told.address)
        self.seen = len(self.wire.told)


AnyOrder.TestCase.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
TestAnyOrder = AnyOrder.TestCase
