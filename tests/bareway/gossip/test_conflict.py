"""Another station speaks for an address of ours: every row of who gives way, and what is told."""

from ipaddress import ip_address, ip_network
from math import inf

import pytest

from bareway.gossip.conflict import DEFEND_FROM_MEMBER_S, DEFEND_S, PROBES, Conflicts
from bareway.gossip.events import Ask, Question, Sighted
from bareway.gossip.findings import Findings, FindingWord
from bareway.gossip.member import Facts, LinkFact, Member, MemberState, Report
from bareway.gossip.profile import PROFILES, ProfileName
from bareway.gossip.stations import Stations
from bareway.gossip.strangers import JUDGE_S, Strangers
from bareway.gossip.yielding import ASK_EACH_S, ASKED_MAX, STATES_MAX
from bareway.model.mac import MacAddress
from bareway.model.names import InterfaceName, IPAddress, NodeName

PROFILE = PROFILES[ProfileName.DEFAULT]
FLOOD_S = PROFILE.differ_s
ADDRESS, OTHER = ip_address("192.0.2.1"), ip_address("192.0.2.2")
ME, LOW, HIGH = NodeName("m"), NodeName("low"), NodeName("high")
LOWER, OURS, HIGHER, FOREIGN_LOW, FOREIGN_HIGH = (
    MacAddress(bytes([2, 0, 0, 0, 0, number])) for number in (1, 5, 9, 2, 7)
)


def member(name: NodeName, mac: MacAddress) -> Member:
    links = (LinkFact(name=InterfaceName("eth0"), mac=mac, networks=(ip_network("192.0.2.0/24"),)),)
    facts = Facts(started=True, able=True, links=links)
    report = Report(name=name, epoch=1, incarnation=0, state=MemberState.ALIVE, facts=facts, by=name)
    return Member(report=report, since=0.0)


class Ground:
    """A conflict machine, and what is true around it."""

    def __init__(self, *, heard: frozenset[NodeName] = frozenset(), missing: bool = False) -> None:
        self.heard, self.missing = heard, missing
        self.ours: dict[IPAddress, float] = {ADDRESS: 0.0}
        stations = Stations(me=ME)
        stations.see([member(ME, OURS), member(LOW, LOWER), member(HIGH, HIGHER)])
        self.findings = Findings(me=ME)
        self.strangers = Strangers(findings=self.findings)
        self.made = Conflicts(
            profile=PROFILE,
            stations=stations,
            strangers=self.strangers,
            findings=self.findings,
            holds_since=self.ours.get,
            gossips_with=lambda name: name in self.heard,
            is_missing_some=lambda: self.missing,
        )

    def sight(
        self, mac: MacAddress, *, now: float = 10.0, solicited: bool = False, address: IPAddress = ADDRESS
    ) -> None:
        self.made.sighted(Sighted(address=address, mac=mac, is_solicited=solicited), now=now)

    def words(self) -> list[tuple[FindingWord, NodeName | None]]:
        return [(each.word, each.node) for each in self.findings.take_found()]


BOTH = frozenset({LOW, HIGH})
DOUBLE, STRICT = FindingWord.DOUBLE_ANNOUNCER, FindingWord.STRICT_ARP_MISSING

# ---------------------------------------------------------------- (a), (c): with gossip between


@pytest.mark.parametrize("mac", [LOWER, HIGHER])
def test_a_member_that_answers_a_question_without_a_claim_lacks_strict_arp(mac: MacAddress) -> None:
    ground = Ground(heard=BOTH)
    ground.sight(mac, solicited=True)
    assert ground.made.deadline == 10.0 + FLOOD_S
    ground.made.on_time(now=10.0 + FLOOD_S - 0.01)
    assert ground.words() == []
    ground.made.on_time(now=10.0 + FLOOD_S)
    assert ground.words() == [(STRICT, LOW if mac == LOWER else HIGH)]
    assert not ground.made.yields(ADDRESS), "no withdrawal"
    assert not ground.made.again


def test_a_members_frame_whose_claim_comes_is_no_conflict() -> None:
    ground = Ground(heard=BOTH)
    ground.sight(LOWER, solicited=True)
    del ground.ours[ADDRESS]
    ground.made.on_time(now=11.0)
    assert ground.words() == []
    assert not ground.made.again


def test_a_members_gratuitous_frame_is_a_claim_on_the_way_and_else_is_corrected() -> None:
    ground = Ground(heard=BOTH)
    ground.sight(LOWER)
    assert not ground.made.again
    ground.made.on_time(now=10.0 + FLOOD_S)
    assert ground.made.again == {ADDRESS}
    assert ground.words() == []


@pytest.mark.parametrize("solicited", [True, False])
def test_what_the_former_holder_sent_just_before_we_took_over_says_nothing(*, solicited: bool) -> None:
    ground = Ground(heard=BOTH)
    ground.ours[ADDRESS] = 10.0
    ground.sight(LOWER, now=10.0 + FLOOD_S - 0.01, solicited=solicited)
    assert ground.made.deadline == inf
    ground.sight(LOWER, now=10.001 + FLOOD_S, solicited=solicited)
    assert ground.made.deadline < inf


def test_a_member_that_answers_our_probe_of_an_address_that_is_new_is_watched_at_once() -> None:
    ground = Ground(heard=BOTH)
    ground.ours[ADDRESS] = 9.95
    assert ground.made.probed(ADDRESS, LOWER, now=10.0)
    ground.made.on_time(now=10.0 + FLOOD_S)
    assert ground.words() == [(STRICT, LOW)]


# ---------------------------------------------------------------- (b): without


def test_the_lower_mac_address_keeps_and_says_so_again() -> None:
    ground = Ground()
    ground.sight(HIGHER)
    assert not ground.made.yields(ADDRESS)
    assert ground.made.again == {ADDRESS}
    assert ground.words() == [(DOUBLE, HIGH)]


def test_who_keeps_repeats_itself_once_a_second_at_most() -> None:
    ground = Ground()
    for tick in range(10):
        ground.sight(HIGHER, now=10.0 + tick / 10)
        assert ground.made.again == ({ADDRESS} if tick == 0 else set())
        ground.made.again.clear()
    ground.sight(HIGHER, now=10.0 + DEFEND_FROM_MEMBER_S)
    assert ground.made.again == {ADDRESS}


def yielded(*, missing: bool = False, mac: MacAddress = LOWER) -> Ground:
    ground = Ground(missing=missing)
    ground.sight(mac)
    assert ground.made.yields(ADDRESS)
    assert ground.made.changed == {ADDRESS}
    ground.made.changed.clear()
    return ground


def test_the_higher_mac_address_yields() -> None:
    ground = yielded()
    assert not ground.made.again
    assert ground.words() == [(DOUBLE, LOW)]


def test_who_yielded_asks_each_second_with_three_probes() -> None:
    ground = yielded()
    ask = Ask(address=ADDRESS, question=Question.CONFLICT, probes=PROBES)
    assert ground.made.on_time(now=10.9) == []
    assert ground.made.on_time(now=10.0 + ASK_EACH_S) == [ask]
    assert ground.made.on_time(now=11.5) == []
    assert ground.made.on_time(now=10.0 + 2 * ASK_EACH_S) == [ask]


def crowd_yielded() -> tuple[Ground, list[IPAddress]]:
    """More addresses than are asked for in three seconds, yielded one after the other."""
    ground = Ground()
    addresses = [ip_address("10.0.0.0") + number for number in range(3 * ASKED_MAX + 8)]
    ground.ours.update(dict.fromkeys(addresses, 0.0))
    for address in addresses:
        ground.sight(LOWER, address=address)
    return ground, addresses


def test_of_a_crowd_some_are_asked_for_each_second_and_all_in_turn() -> None:
    ground, addresses = crowd_yielded()
    asked: list[IPAddress] = []
    for second in range(1, 5):
        now = 10.0 + second * ASK_EACH_S
        assert ground.made.deadline == now
        asks = [ask.address for ask in ground.made.on_time(now=now)]
        assert len(asks) == min(ASKED_MAX, len(addresses) - len(asked)) or second == 4
        asked += asks
        for address in asks:
            ground.made.answered(address, frozenset({LOWER}), now=now + 0.09)
        assert ground.made.on_time(now=now + 0.5) == [], "the second has had its share"
    assert asked == addresses + asked[len(addresses) :]
    assert asked[len(addresses) :] == addresses[: ASKED_MAX - 8]


def test_whose_rival_has_gone_asks_for_twice_as_many_each_second() -> None:
    ground, _ = crowd_yielded()
    asks = [ask.address for ask in ground.made.on_time(now=11.0)]
    for address in asks:
        ground.made.answered(address, frozenset(), now=11.1)
    again = [ask.address for ask in ground.made.on_time(now=12.0)]
    assert len(again) == 2 * ASKED_MAX
    for address in again[1:]:
        ground.made.answered(address, frozenset(), now=12.1)
    ground.made.answered(again[0], frozenset({LOWER}), now=12.1)
    assert len(ground.made.on_time(now=13.0)) == 8 + 1, "what is left"
    assert sum(map(ground.made.yields, (*asks, *again))) == 1


def test_answers_that_come_late_let_nobody_ask_for_more() -> None:
    ground, _ = crowd_yielded()
    before: list[IPAddress] = []
    for now in (11.0, 12.0, 13.0):
        asks = [ask.address for ask in ground.made.on_time(now=now)]
        assert len(asks) == ASKED_MAX
        for address in before:
            ground.made.answered(address, frozenset(), now=now + 0.1)
        before = asks


def test_what_was_yielded_and_then_lost_is_dropped_with_the_rest() -> None:
    ground, addresses = crowd_yielded()
    for address in addresses[:-1]:
        del ground.ours[address]
    ground.made.forget(now=10.5)
    assert [address for address in addresses if ground.made.yields(address)] == addresses[-1:]


def test_who_yielded_takes_over_once_the_other_does_not_answer() -> None:
    ground = yielded()
    ground.made.answered(ADDRESS, frozenset({LOWER, HIGHER}), now=11.1)
    assert ground.made.yields(ADDRESS)
    ground.made.answered(ADDRESS, frozenset({HIGHER}), now=12.1)
    assert not ground.made.yields(ADDRESS)
    assert ground.made.changed == {ADDRESS}


def test_a_second_station_changes_nothing_while_we_yield() -> None:
    ground = yielded()
    ground.sight(HIGHER, now=10.5)
    assert not ground.made.again
    assert ground.made.on_time(now=11.0) != []


def test_when_gossip_works_again_claims_decide() -> None:
    ground = yielded()
    ground.made.see_members()
    assert ground.made.yields(ADDRESS)
    assert ground.findings.take_over() == []
    ground.heard = frozenset({LOW})
    ground.made.see_members()
    assert not ground.made.yields(ADDRESS)
    assert ground.made.changed == {ADDRESS}
    assert [one.word for one in ground.findings.take_over()] == [DOUBLE]


def test_who_kept_it_says_no_more_that_two_announce_once_gossip_works_again_with_that_one() -> None:
    ground = Ground()
    ground.sight(HIGHER)
    assert not ground.made.yields(ADDRESS)
    for heard, over in ((LOW, []), (HIGH, [DOUBLE])):
        ground.heard = frozenset({heard})
        ground.made.see_members()
        assert [one.word for one in ground.findings.take_over()] == over


def test_when_another_claims_what_we_yielded_that_is_the_end_of_it() -> None:
    ground = yielded()
    del ground.ours[ADDRESS]
    assert ground.made.on_time(now=11.0) == []
    assert not ground.made.yields(ADDRESS)


@pytest.mark.parametrize(("mac", "yields"), [(FOREIGN_LOW, True), (FOREIGN_HIGH, False)])
def test_an_unknown_station_may_be_the_member_that_is_missing(mac: MacAddress, *, yields: bool) -> None:
    ground = Ground(missing=True)
    ground.sight(mac, solicited=True)
    assert ground.made.yields(ADDRESS) is yields
    assert ground.words() == [(DOUBLE, None)]


def test_an_unknown_station_is_a_stranger_once_nobody_is_missing() -> None:
    ground = yielded(missing=True, mac=FOREIGN_LOW)
    ground.made.see_members()
    assert ground.made.yields(ADDRESS)
    ground.missing = False
    ground.made.see_members()
    assert not ground.made.yields(ADDRESS)
    assert [one.word for one in ground.findings.take_over()] == [DOUBLE]


def test_who_does_not_know_its_own_address_keeps() -> None:
    ground = Ground()
    ground.made.stations.see([member(LOW, LOWER)])
    ground.sight(LOWER)
    assert not ground.made.yields(ADDRESS)
    assert ground.made.again == {ADDRESS}


def test_a_member_not_heard_that_answers_our_probe_is_compared() -> None:
    ground = Ground()
    assert ground.made.probed(ADDRESS, LOWER, now=10.0)
    assert ground.made.yields(ADDRESS)


# ---------------------------------------------------------------- (d): a stranger


@pytest.mark.parametrize("mac", [FOREIGN_LOW, FOREIGN_HIGH])
def test_against_a_stranger_we_keep_announce_again_and_report(mac: MacAddress) -> None:
    ground = Ground(heard=BOTH)
    ground.sight(mac)
    assert not ground.made.yields(ADDRESS)
    assert ground.made.again == {ADDRESS}
    ground.strangers.judge(now=10.0 + JUDGE_S)
    assert ground.words() == [(FindingWord.ADDRESS_IN_USE, None)]


def test_against_a_stranger_an_address_is_defended_once_in_ten_seconds() -> None:
    ground = Ground()
    times = []
    for tick in range(300):
        ground.sight(FOREIGN_LOW, now=10.0 + tick / 10)
        times += [tick / 10] * len(ground.made.again)
        ground.made.again.clear()
        ground.made.forget(now=10.0 + tick / 10)
    assert times == [0.0, DEFEND_S, 2 * DEFEND_S]


def test_a_stranger_that_answers_our_probe_is_none_of_this_machines_business() -> None:
    assert not Ground().made.probed(ADDRESS, FOREIGN_LOW, now=10.0)


# ---------------------------------------------------------------- in general


def test_frames_about_what_we_do_not_hold_or_of_our_own_say_nothing() -> None:
    ground = Ground(missing=True)
    ground.sight(LOWER, address=OTHER)
    ground.sight(OURS)
    assert ground.made.deadline == inf
    assert not ground.made.again
    assert ground.words() == []


def test_memory_is_bounded() -> None:
    ground = Ground(heard=BOTH)
    addresses = [ip_address("10.0.0.0") + number for number in range(STATES_MAX + 5)]
    ground.ours.update(dict.fromkeys(addresses, 0.0))
    for address in addresses:
        ground.sight(LOWER, address=address)
        ground.sight(FOREIGN_LOW, address=address)
    assert len(ground.made._watched) == STATES_MAX
    assert len(ground.made._defended) == STATES_MAX
    ground.heard = frozenset()
    for address in addresses:
        ground.sight(LOWER, address=address)
    assert sum(ground.made.yields(address) for address in addresses) == STATES_MAX
    ground.made.forget(now=10.0 + DEFEND_S)
    assert not ground.made._defended


def test_as_long_as_the_other_answers_it_is_one_and_the_same_finding() -> None:
    ground = yielded()
    ground.words()
    ground.made.answered(ADDRESS, frozenset({LOWER}), now=11.1)
    assert ground.words() == [], "it was told, and is told again while it lasts"
