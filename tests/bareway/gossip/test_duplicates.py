"""Is a new address in use already?"""

from ipaddress import IPv4Address, ip_address
from math import inf

from bareway.gossip.duplicates import ASK_AGAIN_S, CHECKS_MAX, PATIENCE_S, PROBES, Duplicates
from bareway.gossip.events import Ask, Question
from bareway.gossip.findings import Findings
from bareway.gossip.strangers import JUDGE_S, PROXY_FROM, Strangers
from bareway.model.mac import MacAddress
from bareway.model.names import IPAddress, NodeName

ADDRESS = ip_address("192.0.2.1")
MAC = MacAddress(bytes([2, 0, 0, 0, 0, 1]))
NOBODY, SOMEBODY = frozenset[MacAddress](), frozenset({MAC})


class Checks:
    """A check, and what is ours."""

    def __init__(self, *addresses: IPAddress) -> None:
        self.ours = set(addresses)
        self.strangers = Strangers(findings=Findings(me=NodeName("m")))
        self.made = Duplicates(strangers=self.strangers, holds=self.ours.__contains__)
        self.asks = [ask for address in addresses for ask in self.made.begin(address, now=10.0)]


def test_a_new_address_is_withheld_and_asked_for_with_three_probes() -> None:
    checks = Checks(ADDRESS)
    assert checks.asks == [Ask(address=ADDRESS, question=Question.DUPLICATE, probes=PROBES)]
    assert checks.made.withholds(ADDRESS)
    assert not checks.made.withholds(ip_address("192.0.2.2"))


def test_if_nobody_answers_it_is_announced() -> None:
    checks = Checks(ADDRESS)
    checks.made.answered(ADDRESS, NOBODY, now=10.1)
    assert not checks.made.withholds(ADDRESS)
    assert checks.made.changed == {ADDRESS}
    assert checks.made.deadline == inf


def test_if_no_answer_is_told_it_is_announced_unchecked() -> None:
    checks = Checks(ADDRESS)
    assert checks.made.deadline == 10.0 + PATIENCE_S
    checks.made.on_time(now=10.0 + PATIENCE_S)
    assert not checks.made.withholds(ADDRESS)
    assert checks.made.changed == {ADDRESS}
    checks.made.answered(ADDRESS, SOMEBODY, now=11.0)
    assert not checks.made.withholds(ADDRESS), "too late: conflicts are judged elsewhere"


def test_while_somebody_has_it_it_is_withheld_and_asked_for_again() -> None:
    checks = Checks(ADDRESS)
    checks.made.answered(ADDRESS, SOMEBODY, now=10.1)
    assert checks.made.withholds(ADDRESS)
    assert len(checks.made.on_time(now=10.1 + JUDGE_S)) == 1
    checks.made.answered(ADDRESS, SOMEBODY, now=10.5)
    assert checks.made.on_time(now=10.4 + ASK_AGAIN_S) == []
    assert len(checks.made.on_time(now=10.5 + ASK_AGAIN_S)) == 1
    assert checks.made.withholds(ADDRESS)
    checks.made.answered(ADDRESS, NOBODY, now=21.0)
    assert not checks.made.withholds(ADDRESS)
    assert checks.made.changed == {ADDRESS}


def test_one_that_answers_for_everything_withholds_nothing() -> None:
    checks = Checks(ADDRESS)
    for number in range(10, 10 + PROXY_FROM):
        checks.strangers.seen(MAC, ip_address(f"192.0.2.{number}"), now=10.0)
    checks.made.answered(ADDRESS, SOMEBODY, now=10.1)
    assert not checks.made.withholds(ADDRESS)


def test_one_that_turns_out_to_answer_for_everything_withholds_nothing_any_more() -> None:
    checks = Checks(ADDRESS)
    checks.made.answered(ADDRESS, SOMEBODY, now=10.1)
    for number in range(10, 10 + PROXY_FROM):
        checks.strangers.seen(MAC, ip_address(f"192.0.2.{number}"), now=10.2)
    assert checks.made.on_time(now=10.1 + JUDGE_S) == []
    assert not checks.made.withholds(ADDRESS)


def test_what_is_no_longer_ours_is_not_asked_for() -> None:
    checks = Checks(ADDRESS)
    checks.made.answered(ADDRESS, SOMEBODY, now=10.1)
    checks.ours.clear()
    assert checks.made.on_time(now=10.1 + JUDGE_S) == []
    assert not checks.made.withholds(ADDRESS)
    assert checks.made.begin(ADDRESS, now=12.0) == []
    assert not checks.made.withholds(ADDRESS)


def test_only_so_many_are_asked_for_at_a_time_and_the_others_wait_withheld() -> None:
    many = [IPv4Address("10.0.0.0") + number for number in range(CHECKS_MAX + 2)]
    checks = Checks(*many)
    assert [ask.address for ask in checks.asks] == many[:CHECKS_MAX]
    assert checks.made.withholds(many[-1])
    checks.made.answered(many[0], NOBODY, now=10.1)
    assert checks.made.deadline == -inf
    assert [ask.address for ask in checks.made.on_time(now=10.1)] == [many[CHECKS_MAX]]
    assert checks.made.deadline == 10.0 + PATIENCE_S


def test_beginning_twice_asks_once() -> None:
    checks = Checks(ADDRESS)
    assert checks.made.begin(ADDRESS, now=10.0) == []
