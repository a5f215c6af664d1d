"""What a member makes of its link, from the event to what it says and does."""

from collections.abc import Iterable
from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest

from bareway.gossip.events import (
    Announce,
    Answered,
    Ask,
    Closed,
    DialFailed,
    Found,
    ListsKnown,
    MemberChanged,
    Opened,
    OwnFacts,
    Question,
    Sighted,
    UseProfile,
    Wanted,
    Wish,
    Withdraw,
    WithdrawReason,
)
from bareway.gossip.evidence import ANSWER_SLACK_S, ASKED_MAX, HOLD_FACTOR, PROBE_GAP_S
from bareway.gossip.findings import CONFIRM_S, REPEAT_S, Finding, FindingWord
from bareway.gossip.member import Facts, LinkFact, MemberState
from bareway.gossip.message import News
from bareway.gossip.profile import CRASH_GRACE_S, LADDER_STEP_S, PROFILES, ProfileName
from bareway.gossip.strangers import JUDGE_S, PROXY_FROM
from bareway.model.mac import MacAddress
from bareway.model.names import InterfaceName, IPAddress, NodeName
from bareway.model.rank import ranked
from support.gossip_desk import ADDRESS, ME, PROFILE, A, Desk, Kind, Z, claim, desk, report

T, S, H = PROFILE.silence_s, PROFILE.suspicion_s, PROFILE.interval_s
MINE, MAC_A, MAC_Z, FOREIGN = (MacAddress(bytes([2, 0, 0, 0, 0, number])) for number in (5, 3, 9, 7))
PERMITS_ME = Wish(tiers=(frozenset({ME, Z}),))
B = NodeName("b")
MANY_ADDRESSES = [ip_address("192.0.2.1") + number for number in range(100)]


def links(mac: MacAddress) -> tuple[LinkFact, ...]:
    return (LinkFact(name=InterfaceName("eth0"), mac=mac, networks=(ip_network("192.0.2.0/24"),)),)


def group(
    wish: Wish = PERMITS_ME, *addresses: IPAddress, held_by_z: bool = True, z_links: bool = True
) -> Desk:
    """Three members that know each other's links; Z holds the addresses, and only we may follow."""
    made = desk(A, Z)
    made.give(OwnFacts(ready=True, able=True, links=links(MINE)))
    for peer, mac in ((A, MAC_A), (Z, MAC_Z)):
        facts = Facts(started=True, able=True, links=links(mac) if peer == A or z_links else ())
        made.hear(peer, News(reports=(replace(report(peer, incarnation=1, by=peer), facts=facts),)))
    some = addresses or (ADDRESS,)
    if held_by_z:
        made.hear(Z, News(claims=tuple(claim(Z, address=each) for each in some)))
    made.give(Wanted(addresses=dict.fromkeys(some, wish)))
    return made


def until(made: Desk, kind: type[Kind], *alive: NodeName, within_s: float = 5.0) -> list[Kind]:
    """Let time pass until the machine says something of a kind."""
    end = made.now + within_s
    while made.now < end:
        made.wait(0.005, *alive)
        if said := made.all(kind):
            return said
    raise AssertionError(f"no {kind.__name__}")


def questions(outputs: Iterable[object]) -> list[tuple[str, Question, int]]:
    return [(str(each.address), each.question, each.probes) for each in outputs if isinstance(each, Ask)]


# ---------------------------------------------------------------- a member that is suspected


def test_while_a_holder_is_suspected_the_link_is_asked_for_what_it_has() -> None:
    made = group()
    asked_from = made.now
    assert questions(until(made, Ask, A)) == [(str(ADDRESS), Question.SUSPECT, 3)]
    assert made.now - asked_from == pytest.approx(T, abs=0.02)


def test_who_may_not_follow_asks_nothing() -> None:
    made = group(Wish(tiers=(frozenset({A, Z}),)))
    assert not questions(made.wait(3.0, A))


def test_of_many_addresses_some_are_asked_for() -> None:
    many = [ip_address(f"192.0.2.{number}") for number in range(1, 40)]
    made = group(PERMITS_ME, *many)
    assert [each for each, _, _ in questions(until(made, Ask, A))] == [str(each) for each in many[:ASKED_MAX]]


def test_if_it_does_not_answer_it_is_followed_as_soon_as_it_is_dead() -> None:
    made = group()
    silent_from = made.now
    until(made, Ask, A)
    made.wait(0.11, A)
    made.give(Answered(address=ADDRESS, question=Question.SUSPECT, macs=frozenset()))
    until(made, Announce, A)
    changed = [member.state for member in made.machine.members() if member.name == Z]
    assert changed == [MemberState.DEAD]
    without = group(z_links=False)
    began = without.now
    assert not questions(until(without, Announce, A)), "whose links are not known cannot be asked for"
    assert made.now - silent_from == pytest.approx(without.now - began, abs=0.011)


def test_while_it_answers_nobody_takes_over_but_not_for_longer_than_twice_the_detection() -> None:
    made = group()
    until(made, Ask, A)
    asked_at = made.now
    for _ in range(40):
        made.wait(0.1, A)
        assert made.all(Announce) == [] or made.now - asked_at > HOLD_FACTOR * PROFILE.calm_s - 0.001
        if made.all(Announce):
            break
        made.give(Answered(address=ADDRESS, question=Question.SUSPECT, macs=frozenset({MAC_Z})))
    assert made.answers()
    assert made.now - asked_at == pytest.approx(HOLD_FACTOR * PROFILE.calm_s, abs=0.11)


def test_when_it_stops_answering_it_is_followed_at_once() -> None:
    made = group()
    until(made, Ask, A)
    made.wait(0.11, A)
    made.give(Answered(address=ADDRESS, question=Question.SUSPECT, macs=frozenset({MAC_Z})))
    until(made, Ask, A)
    made.wait(0.11, A)
    assert not made.answers()
    made.wait(1.0 - T - 0.22, A)
    made.give(Answered(address=ADDRESS, question=Question.SUSPECT, macs=frozenset()))
    made.wait(0.01, A)
    member = next(each for each in made.machine.members() if each.name == Z)
    assert made.answers() is (member.state is MemberState.DEAD)


def test_who_never_asked_asks_before_it_takes_an_address_of_the_dead() -> None:
    made = group(Wish(tiers=(frozenset({ME, Z}),)))
    made.give(Wanted(addresses={ADDRESS: Wish(tiers=(frozenset({Z}),))}))
    assert not questions(made.wait(5.0, A)), "it was not ours to follow"
    made.give(Wanted(addresses={ADDRESS: PERMITS_ME}))
    assert questions(made.out) == [(str(ADDRESS), Question.SUSPECT, 3)]
    assert made.all(Announce) == []
    until(made, Announce, A, within_s=3 * PROBE_GAP_S + ANSWER_SLACK_S + 0.01)


def test_who_comes_third_or_later_asks_when_its_turn_comes() -> None:
    made = group(Wish())
    before_us = [each for each in MANY_ADDRESSES if ranked((A, B, ME), each)[-1] == ME][:1]
    made.give(Wanted(addresses=dict.fromkeys(before_us, Wish())))
    made.hear(A, News(reports=(report(B),)))
    made.hear(Z, News(claims=(claim(Z, address=before_us[0]),)))
    silent_from = made.now
    assert questions(until(made, Ask, A)) == [(str(before_us[0]), Question.SUSPECT, 3)]
    assert made.now - silent_from >= T + S + 2 * LADDER_STEP_S - H
    until(made, Announce, A, within_s=3 * PROBE_GAP_S + ANSWER_SLACK_S + 0.01)


def test_about_one_that_crashed_nothing_is_asked() -> None:
    made = group()
    made.give(Closed(peer=Z))
    said = made.give(DialFailed(peer=Z, refused=True))
    said += made.wait(CRASH_GRACE_S + 6 * S, A)
    assert not questions(said)
    assert made.answers()


def test_who_may_not_act_asks_nothing() -> None:
    made = group()
    made.now += T + H
    made.give(Answered(address=ADDRESS, question=Question.SUSPECT, macs=frozenset()))  # fenced
    assert not questions(made.wait(0.9))


# ---------------------------------------------------------------- a new address


NEW = replace(PERMITS_ME, is_new=True)


def fresh(wish: Wish = NEW) -> Desk:
    """A new address has just become ours."""
    made = group(wish, held_by_z=False)
    if not made.machine.claims():
        made.wait(1.0, A, Z)
    assert [each.node for each in made.machine.claims()] == [ME]
    return made


def test_a_new_address_is_claimed_and_asked_for_before_it_is_answered_for() -> None:
    made = group(replace(NEW, tiers=(frozenset({ME}),)), held_by_z=False)
    assert questions(made.out) == [(str(ADDRESS), Question.DUPLICATE, 3)]
    assert [each.node for each in made.machine.claims()] == [ME]
    assert made.all(Announce) == []
    assert not made.answers()
    made.now += 0.1
    made.give(Answered(address=ADDRESS, question=Question.DUPLICATE, macs=frozenset()))
    assert made.out[0] == Announce(addresses=(ADDRESS,))
    assert made.answers()


def test_an_address_that_is_not_new_is_answered_for_at_once() -> None:
    made = group(Wish(tiers=(frozenset({ME}),)), held_by_z=False)
    assert made.answers()
    assert not questions(made.out)


def test_a_new_address_that_another_held_is_not_asked_for_again() -> None:
    made = group(replace(NEW, tiers=(frozenset({ME}),)))
    assert Question.DUPLICATE not in [question for _, question, _ in questions(made.out)]


def found(made: Desk) -> list[tuple[FindingWord, MacAddress, NodeName | None]]:
    return [(each.finding.word, each.finding.mac, each.finding.node) for each in made.all(Found)]


def test_a_new_address_that_a_stranger_has_is_reported_to_all_and_not_answered_for() -> None:
    made = group(replace(NEW, tiers=(frozenset({ME}),)), held_by_z=False)
    made.give(Answered(address=ADDRESS, question=Question.DUPLICATE, macs=frozenset({FOREIGN})))
    made.wait(JUDGE_S + 0.01, A, Z)
    finding = Finding(address=ADDRESS, word=FindingWord.ADDRESS_IN_USE, mac=FOREIGN, node=None, by=ME)
    assert made.all(Found) == [Found(finding=finding)]
    for peer in (A, Z):
        assert [each.findings for each in made.sent(peer, News) if each.findings] == [(finding,)]
    assert not made.answers()
    made.wait(0.5, A, Z)
    assert made.answers(), "no further answer was told: unchecked is better than unserved"


def test_a_members_answer_for_a_new_address_is_ignored_but_named_if_it_claims_nothing() -> None:
    made = group(replace(NEW, tiers=(frozenset({ME}),)), held_by_z=False)
    made.give(Answered(address=ADDRESS, question=Question.DUPLICATE, macs=frozenset({MAC_Z})))
    assert made.answers()
    made.wait(PROFILE.differ_s + 0.01, A, Z)
    assert found(made) == [(FindingWord.STRICT_ARP_MISSING, MAC_Z, Z)]
    assert made.answers()


def test_one_that_answers_for_more_than_three_new_addresses_keeps_us_from_none() -> None:
    some = [ip_address(f"192.0.2.{number}") for number in range(1, PROXY_FROM + 1)]
    made = group(replace(NEW, tiers=(frozenset({ME}),)), *some, held_by_z=False)
    for address in some:
        made.give(Answered(address=address, question=Question.DUPLICATE, macs=frozenset({FOREIGN})))
    made.wait(JUDGE_S + 0.01, A, Z)
    assert {word for word, _, _ in found(made)} == {FindingWord.PROXY_ARP_SUSPECTED}
    assert all(made.answers(address) for address in some)


def test_what_was_found_is_asked_for_again_as_long_as_it_lasts() -> None:
    made = fresh()
    made.give(Answered(address=ADDRESS, question=Question.DUPLICATE, macs=frozenset({MAC_Z})))
    made.wait(REPEAT_S - CONFIRM_S + PROFILE.differ_s - 0.05, A, Z)
    said = made.wait(0.1, A, Z)
    assert questions(said) == [(str(ADDRESS), Question.DUPLICATE, 3)]
    made.give(Answered(address=ADDRESS, question=Question.DUPLICATE, macs=frozenset({MAC_Z})))
    assert found_later(made, CONFIRM_S) == [(FindingWord.STRICT_ARP_MISSING, MAC_Z, Z)]
    assert (str(ADDRESS), Question.DUPLICATE, 3) in questions(made.wait(REPEAT_S - CONFIRM_S, A, Z))
    made.give(Answered(address=ADDRESS, question=Question.DUPLICATE, macs=frozenset()))
    said = made.wait(2 * REPEAT_S, A, Z)
    assert [(each.finding.word, each.lasts) for each in said if isinstance(each, Found)] == [
        (FindingWord.STRICT_ARP_MISSING, False)
    ]


def found_later(made: Desk, seconds: float) -> list[tuple[FindingWord, MacAddress, NodeName | None]]:
    made.wait(seconds, A, Z)
    return found(made)


# ---------------------------------------------------------------- somebody else speaks for it


def ours() -> Desk:
    made = group(Wish(tiers=(frozenset({ME}),)), held_by_z=False)
    made.wait(1.0, A, Z)
    assert made.answers()
    return made


def test_against_a_stranger_we_announce_again_and_report() -> None:
    made = ours()
    made.give(Sighted(address=ADDRESS, mac=FOREIGN, is_solicited=False))
    assert made.out[0] == Announce(addresses=(ADDRESS,))
    made.wait(JUDGE_S + 0.01, A, Z)
    assert found(made) == [(FindingWord.ADDRESS_IN_USE, FOREIGN, None)]
    assert made.answers()


def test_isolated_we_yield_to_a_lower_address_and_take_over_when_it_is_silent() -> None:
    made = ours()
    made.wait(T + H)
    made.give(Answered(address=ADDRESS, question=Question.ISOLATED, macs=frozenset({MAC_A})))
    assert made.all(Withdraw) == [Withdraw(addresses=(ADDRESS,), reason=WithdrawReason.YIELDED)]
    assert found(made) == [(FindingWord.DOUBLE_ANNOUNCER, MAC_A, A)]
    assert questions(made.wait(1.01)) == [(str(ADDRESS), Question.CONFLICT, 3)]
    made.give(Answered(address=ADDRESS, question=Question.CONFLICT, macs=frozenset({MAC_A})))
    assert made.all(Announce) == []
    made.wait(1.0)
    made.give(Answered(address=ADDRESS, question=Question.CONFLICT, macs=frozenset()))
    assert made.out[0] == Announce(addresses=(ADDRESS,))


def test_whom_we_have_patience_with_but_do_not_hear_the_hardware_address_decides() -> None:
    made = ours()
    made.machine._detector.health.worsen(now=made.now)
    made.wait(T + H, Z)
    assert not made.all(MemberChanged), "not suspected yet"
    made.give(Sighted(address=ADDRESS, mac=MAC_A, is_solicited=False))
    assert made.all(Withdraw) == [Withdraw(addresses=(ADDRESS,), reason=WithdrawReason.YIELDED)]


def test_isolated_we_keep_against_a_higher_address_and_say_so() -> None:
    made = ours()
    made.wait(T + H)
    made.give(Answered(address=ADDRESS, question=Question.ISOLATED, macs=frozenset({MAC_Z})))
    assert made.out[0] == Announce(addresses=(ADDRESS,))
    assert made.all(Withdraw) == []


def test_when_gossip_is_back_claims_decide_and_not_the_hardware_address() -> None:
    made = ours()
    made.wait(T + H)
    made.give(Sighted(address=ADDRESS, mac=MAC_A, is_solicited=False))
    assert not made.answers()
    facts = Facts(started=True, able=True, links=links(MAC_A))
    made.hear(A, News(reports=(replace(report(A, incarnation=2, by=A), facts=facts),)))
    assert made.answers()


def test_an_unknown_station_may_be_a_members_only_while_one_is_missing_whose_links_are_not_known() -> None:
    made = ours()
    made.wait(5.0, A)
    assert {each.name: each.state for each in made.machine.members()}[Z] is MemberState.DEAD
    made.give(Sighted(address=ADDRESS, mac=MacAddress(bytes([2, 0, 0, 0, 0, 1])), is_solicited=False))
    assert made.answers(), "the links of the one that is missing are known: it is a stranger"
    made.hear(A, News(reports=(report(Z, MemberState.DEAD, incarnation=9),)))
    made.give(Sighted(address=ADDRESS, mac=MacAddress(bytes([2, 0, 0, 0, 0, 1])), is_solicited=False))
    assert not made.answers()


def test_an_unknown_station_may_be_that_of_one_that_is_suspected_and_never_told_its_links() -> None:
    made = group(Wish(tiers=(frozenset({ME}),)), held_by_z=False, z_links=False)
    made.wait(T + H, A)
    assert made.all(MemberChanged), "Z is suspected"
    made.give(Sighted(address=ADDRESS, mac=MacAddress(bytes([2, 0, 0, 0, 0, 1])), is_solicited=False))
    assert not made.answers()


# ---------------------------------------------------------------- what others find


def test_what_one_found_is_passed_on_to_all_but_itself() -> None:
    made = ours()
    finding = Finding(address=ADDRESS, word=FindingWord.ADDRESS_IN_USE, mac=FOREIGN, node=None, by=A)
    made.hear(A, News(findings=(finding,), relay=True))
    assert [each.findings for each in made.sent(Z, News)] == [(finding,)]
    assert made.sent(A, News) == []
    assert made.all(Found) == [], "who found it tells people"


def test_heartbeats_carry_the_generation_of_our_lists() -> None:
    made = ours()
    made.give(
        Wanted(addresses={ADDRESS: PERMITS_ME}, lists=ListsKnown(generation=77, exist=True, current=True))
    )
    assert made.machine._election.table.generation == 77


def test_what_all_members_have_heard_from_who_found_it_is_told_to_observers_only() -> None:
    made = ours()
    finding = Finding(address=ADDRESS, word=FindingWord.ADDRESS_IN_USE, mac=FOREIGN, node=None, by=A)
    observer = NodeName("controller/one")
    made.give(Opened(peer=observer))
    made.hear(A, News(findings=(finding,)))
    assert made.sent(Z, News) == []
    assert [each.findings for each in made.sent(observer, News)] == [(finding,)]
    made.hear(A, News(findings=(finding,)))
    assert made.sent(observer, News) == [], "once"


def test_another_profile_changes_how_long_a_claim_may_be_on_its_way() -> None:
    made = group(replace(NEW, tiers=(frozenset({ME}),)), held_by_z=False)
    made.give(UseProfile(profile=PROFILES[ProfileName.FAST]))
    made.give(Answered(address=ADDRESS, question=Question.DUPLICATE, macs=frozenset({MAC_Z})))
    made.wait(PROFILES[ProfileName.FAST].differ_s + 0.01, A, Z)
    assert found(made) == [(FindingWord.STRICT_ARP_MISSING, MAC_Z, Z)]
