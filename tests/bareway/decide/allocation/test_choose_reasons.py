"""What is told about pools that were passed over, and when somebody who waits is to be looked at again."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from bareway.decide.allocation.allocate import AllocationView, allocate
from bareway.decide.allocation.verdicts import Allocation, Granted, Refusal, Refused
from bareway.model.configuration import Pool
from bareway.model.memory import AllocationMemory, Hold
from bareway.model.selectors import Selector
from bareway.model.services import FamilyPolicy, Service
from support.builders import configuration, ips, key, pool, service

FOUR = pool("four", "192.0.2.0/30")
SIX = pool("six", "2001:db8::/126")
FULL = pool("full", "198.51.100.0/32")
MANUAL = pool("manual", "203.0.113.0/30", auto_assign=False)
LAST = pool("last", "198.51.100.8/31", "2001:db8:1::/127")
HOLDER = service("holder", ingress=["198.51.100.0"])
PREFER, REQUIRE = FamilyPolicy.PREFER_DUAL_STACK, FamilyPolicy.REQUIRE_DUAL_STACK
DUAL = service(cluster=["10.96.0.1", "fd00::1"], families=PREFER)
SIX_WAITS = AllocationMemory(
    holds={address: Hold(service=key("gone"), until=1060) for address in ips("2001:db8::", "2001:db8::1")}
)


def decide(
    pools: Iterable[Pool], *services: Service, memory: AllocationMemory | None = None, now: int = 1000
) -> Allocation:
    view = AllocationView(
        configuration=configuration(*pools), services=services, memory=memory or AllocationMemory(), now=now
    )
    return allocate(view)


def words(allocation: Allocation, name: str = "web") -> list[tuple[str | None, Refusal]]:
    return [(one.pool, one.word) for one in allocation.verdicts[key(name)].reasons]


def test_every_pool_before_the_last_one_used_is_told_for_what_it_lacks() -> None:
    allocation = decide([SIX, FULL, FOUR, MANUAL], DUAL, HOLDER)
    verdict = allocation.verdicts[DUAL.key]
    assert isinstance(verdict, Granted)
    assert verdict.pools == ("four", "six")
    assert words(allocation) == [("full", Refusal.POOL_EXHAUSTED), ("full", Refusal.WRONG_FAMILY)]
    assert words(decide([LAST, FOUR], DUAL)) == [], "one that has both leaves nothing to be told"


def test_a_pool_that_does_not_help_is_told_once_for_each_family_that_is_missing() -> None:
    required = replace(DUAL, family_policy=REQUIRE)
    allocation = decide([FULL, FOUR], required, HOLDER)
    assert words(allocation) == [
        ("full", Refusal.POOL_EXHAUSTED),
        ("full", Refusal.WRONG_FAMILY),
        ("four", Refusal.WRONG_FAMILY),
    ], "nothing is given, so also the family that there is counts as missing"


def test_what_a_service_keeps_is_not_told_as_passed_over() -> None:
    allocation = decide([FULL, MANUAL], replace(DUAL, ingress=ips("198.51.100.0")))
    assert words(allocation) == [
        ("full", Refusal.WRONG_FAMILY),
        ("manual", Refusal.AUTO_ASSIGN_OFF),
        (None, Refusal.SECOND_FAMILY_NOT_SERVED),
    ]


def test_why_a_pool_is_not_for_a_service_is_told_in_words() -> None:
    choosy = replace(FOUR, service_selectors=(Selector(labels={"tier": "web"}),))
    foreign = replace(SIX, namespaces=("shop",))
    verdict = decide([choosy, foreign, MANUAL], service()).verdicts[key("web")]
    assert [(reason.pool, reason.message) for reason in verdict.reasons] == [
        ("four", "the labels of the Service match no service-selector of pool four"),
        ("six", 'pool six is not for namespace "default"'),
        ("manual", "pool manual assigns no address by itself"),
    ]


# ------------------------------------------------------------ when to look again

HOLDING_SIX = replace(pool("six", "2001:db8::/127"), hold_after_delete_s=60.0)


@pytest.mark.parametrize(
    "one",
    [
        pytest.param(DUAL, id="nothing is shown yet"),
        pytest.param(replace(DUAL, ingress=ips("192.0.2.1")), id="the first family is kept"),
    ],
)
def test_who_waits_for_a_second_family_is_looked_at_again_when_it_is_free(one: Service) -> None:
    allocation = decide([FOUR, HOLDING_SIX], one, memory=SIX_WAITS)
    assert allocation.wake_at == 1060
    assert decide([FOUR, HOLDING_SIX], one, memory=SIX_WAITS, now=1060).wake_at is None


def test_who_requires_both_families_is_looked_at_again_when_either_is_free() -> None:
    required = replace(DUAL, family_policy=REQUIRE)
    assert decide([FOUR, HOLDING_SIX], required, memory=SIX_WAITS).wake_at == 1060


@pytest.mark.parametrize(
    "of",
    [
        pytest.param(replace(HOLDING_SIX, namespaces=("shop",)), id="for another namespace"),
        pytest.param(replace(HOLDING_SIX, auto_assign=False), id="assigns nothing by itself"),
    ],
)
def test_nobody_is_woken_for_a_pool_that_gives_him_nothing(of: Pool) -> None:
    assert decide([FOUR, of], DUAL, memory=SIX_WAITS).wake_at is None


def test_who_asks_for_a_pool_is_woken_for_that_pool_alone() -> None:
    manual = replace(HOLDING_SIX, auto_assign=False)
    six = service(cluster=["fd00::1"], annotations={"metallb.io/address-pool": "six"})
    assert decide([FOUR, manual], six, memory=SIX_WAITS).wake_at == 1060
    four = service(annotations={"metallb.io/address-pool": "full"})
    waits = AllocationMemory(quarantine=dict.fromkeys(ips("192.0.2.0", "192.0.2.1", "192.0.2.2"), 1060))
    assert decide([FOUR, FULL], four, HOLDER, memory=waits).wake_at is None


def test_the_first_end_of_all_that_help_is_waited_for() -> None:
    holds = {
        ips("2001:db8::")[0]: Hold(service=key("gone"), until=1060),
        ips("2001:db8::1")[0]: Hold(service=key("gone"), until=1030),
    }
    six = service(cluster=["fd00::1"])
    assert decide([HOLDING_SIX], six, memory=AllocationMemory(holds=holds)).wake_at == 1030
    both_ends = AllocationMemory(holds=holds, quarantine={ips("2001:db8::1")[0]: 1040})
    assert decide([HOLDING_SIX], six, memory=both_ends).wake_at == 1040, "of one address the last end counts"


def test_an_address_asked_for_by_name_that_only_waits_says_until_when() -> None:
    wish = {"metallb.io/loadBalancerIPs": "192.0.2.1,2001:db8::1"}
    one = replace(DUAL, annotations=wish)
    allocation = decide([FOUR, HOLDING_SIX], one, memory=SIX_WAITS)
    verdict = allocation.verdicts[one.key]
    assert isinstance(verdict, Refused)
    assert [(reason.word, str(reason.address)) for reason in verdict.reasons] == [
        (Refusal.ON_HOLD, "2001:db8::1")
    ]
    assert allocation.wake_at == 1060
    taken = decide([FOUR, HOLDING_SIX], one, service("x", ingress=["192.0.2.1"]), memory=SIX_WAITS)
    assert taken.verdicts[one.key].reasons[0].word is Refusal.HELD_BY_ANOTHER
    assert taken.wake_at == 1060


def test_an_address_in_quarantine_that_is_asked_for_by_name_is_waited_for_by_nobody() -> None:
    memory = AllocationMemory(quarantine={ips("192.0.2.1")[0]: 1060})
    holder = service("x", ingress=["192.0.2.1"], requested="192.0.2.1")
    assert decide([FOUR], service(requested="192.0.2.1"), holder, memory=memory).wake_at is None


# ------------------------------------------------------------ own addresses


def test_an_address_that_waited_for_one_who_shares_it_may_be_joined_at_once() -> None:
    shared = {"metallb.io/allow-shared-ip": "k"}
    memory = AllocationMemory(holds={ips("192.0.2.1")[0]: Hold(service=key("a"), until=2000)})
    both = (
        service("a", annotations=shared),
        service("b", annotations=shared, ports=[443], requested="192.0.2.1"),
    )
    verdicts = decide([replace(FOUR, hold_after_delete_s=60.0)], *both, memory=memory).verdicts
    given = [one.addresses for one in verdicts.values() if isinstance(one, Granted)]
    assert given == [ips("192.0.2.1"), ips("192.0.2.1")]


def test_nobody_joins_an_address_that_is_reserved_for_another() -> None:
    shared = {"metallb.io/allow-shared-ip": "k"}
    reserving = replace(FOUR, reserve={key("a"): ips("192.0.2.0")})
    both = (service("a", annotations=shared), service("b", annotations=shared, ports=[443]))
    verdicts = decide([reserving], *both).verdicts
    given = {key.name: one.addresses for key, one in verdicts.items() if isinstance(one, Granted)}
    assert given == {"a": ips("192.0.2.0"), "b": ips("192.0.2.1")}


def test_the_pool_that_was_asked_for_and_lacks_a_family_is_named() -> None:
    asked = replace(DUAL, family_policy=REQUIRE, annotations={"metallb.io/address-pool": "four"})
    verdict = decide([FOUR, SIX], asked).verdicts[asked.key]
    assert isinstance(verdict, Refused)
    assert verdict.reason.pool == "four"


def test_of_both_families_each_own_address_is_found() -> None:
    reserving = replace(LAST, reserve={key("web"): ips("198.51.100.9", "2001:db8:1::1")})
    verdict = decide([FOUR, SIX, reserving], DUAL).verdicts[DUAL.key]
    assert isinstance(verdict, Granted)
    assert verdict.addresses == ips("198.51.100.9", "2001:db8:1::1")


def test_an_own_address_of_the_other_family_does_not_hide_the_next() -> None:
    holds = {one: Hold(service=key("web"), until=2000) for one in ips("198.51.100.9", "2001:db8:1::1")}
    both = replace(LAST, hold_after_delete_s=60.0)
    six = service(cluster=["fd00::1"])
    verdict = decide([both], six, memory=AllocationMemory(holds=holds)).verdicts[six.key]
    assert isinstance(verdict, Granted)
    assert verdict.addresses == ips("2001:db8:1::1")
