"""What the condition of a Service says, and when it says since."""

from dataclasses import replace

import pytest

from bareway.decide.allocation.verdicts import Granted, Refusal, Refused, Verdict, WhyNot
from bareway.model.mac import MacAddress
from bareway.model.names import PoolName
from bareway.model.services import Condition
from bareway.resources.events import MESSAGE_MAX
from controller.writing.conditions import Reason, condition_of
from support.builders import ips, key, service

FULL = WhyNot(word=Refusal.POOL_EXHAUSTED, message="no available IPs in pool a", pool=PoolName("a"))
NONE = WhyNot(word=Refusal.NO_FREE_ADDRESS, message="no available IPs")
ODD = WhyNot(word=Refusal.INVALID_REQUEST, message='invalid spec.loadBalancerIP "x"')
SECOND = WhyNot(word=Refusal.SECOND_FAMILY_NOT_SERVED, message="no IPv6 left")
A, B = PoolName("a"), PoolName("b")
LATER = 86_400


def granted(*reasons: WhyNot, pools: tuple[PoolName, ...] = (A,)) -> Granted:
    addresses = ips("192.0.2.1", "2001:db8::1")[: len(pools)]
    return Granted(addresses=addresses, pools=pools, kept=False, reasons=reasons)


@pytest.mark.parametrize(
    ("verdict", "says"),
    [
        pytest.param(granted(), (True, Reason.ASSIGNED, 'assigned ["192.0.2.1"] from pool a'), id="granted"),
        pytest.param(
            granted(pools=(A, B)),
            (True, "Assigned", 'assigned ["192.0.2.1" "2001:db8::1"] from pool a,b'),
            id="granted from two pools",
        ),
        pytest.param(
            granted(FULL),
            (True, "Assigned", 'assigned ["192.0.2.1"] from pool a'),
            id="who has an address need not know which pools were full",
        ),
        pytest.param(
            granted(FULL, ODD),
            (True, "InvalidRequest", f'assigned ["192.0.2.1"] from pool a; {ODD.message}'),
            id="kept in spite of a mistake",
        ),
        pytest.param(
            granted(SECOND),
            (True, "SecondFamilyNotServed", 'assigned ["192.0.2.1"] from pool a; no IPv6 left'),
            id="one family only",
        ),
        pytest.param(
            Refused(reason=NONE, reasons=(FULL, FULL)),
            (False, "NoFreeAddress", "no available IPs; no available IPs in pool a"),
            id="refused, each sentence once",
        ),
        pytest.param(Refused(reason=ODD), (False, "InvalidRequest", ODD.message), id="a mistake"),
    ],
)
def test_it_says_what_was_decided_and_why(verdict: Verdict, says: tuple[bool, str, str]) -> None:
    found = condition_of(verdict, service(), now=0)
    assert (found.is_true, found.reason, found.message) == says


def test_who_shares_the_address_is_not_in_it() -> None:
    alone = granted()
    shared = replace(alone, shares_with=(key("other"),))
    assert condition_of(alone, service(), now=0) == condition_of(shared, service(), now=0)


def test_reasons_without_end_are_cut() -> None:
    reasons = tuple(WhyNot(word=Refusal.POOL_EXHAUSTED, message=f"pool {n} is full") for n in range(1000))
    assert len(condition_of(Refused(reason=NONE, reasons=reasons), service(), now=0).message) == MESSAGE_MAX


def test_it_says_since_when_the_status_not_the_reason_is_so() -> None:
    first = condition_of(Refused(reason=NONE), service(), now=0)
    assert first.since == "1970-01-01T00:00:00Z"
    waiting = replace(service(), condition=first)
    second = condition_of(Refused(reason=ODD), waiting, now=LATER)
    assert (second.reason, second.since) == ("InvalidRequest", first.since)
    third = condition_of(granted(), waiting, now=LATER)
    assert third.since == "1970-01-02T00:00:00Z"


def test_a_condition_that_names_no_time_gets_one() -> None:
    odd = replace(service(), condition=Condition(is_true=True, reason="", message=""))
    assert condition_of(granted(), odd, now=LATER).since == "1970-01-02T00:00:00Z"


def test_it_names_the_generation_that_it_speaks_of() -> None:
    assert condition_of(granted(), replace(service(), generation=7), now=0).generation == 7


# ------------------------------------------------------------ strangers

MAC = MacAddress.parse("02:00:00:00:00:07")
IN_USE = {ips("192.0.2.1")[0]: MAC}


def test_a_stranger_that_answers_for_an_address_is_said_before_all_else() -> None:
    found = condition_of(granted(SECOND), service(), now=0, in_use=IN_USE)
    sentence = '02:00:00:00:00:07 answers for "192.0.2.1" too'
    assert (found.is_true, found.reason) == (True, "AddressInUse")
    assert found.message == f'assigned ["192.0.2.1"] from pool a; {sentence}; no IPv6 left'
    others = {ips("192.0.2.2")[0]: MAC}
    assert condition_of(granted(), service(), now=0, in_use=others).reason == Reason.ASSIGNED
    assert condition_of(Refused(reason=NONE), service(), now=0, in_use=IN_USE).reason == "NoFreeAddress"


def test_while_nobody_knows_of_strangers_what_is_said_of_them_stays() -> None:
    said = condition_of(granted(), service(), now=0, in_use=IN_USE)
    shown = replace(service(ingress=["192.0.2.1"]), condition=said, generation=3)
    assert condition_of(granted(), shown, now=LATER, in_use=None) == replace(said, generation=3)
    assert condition_of(granted(), shown, now=LATER, in_use={}).reason == Reason.ASSIGNED
    other = replace(granted(), addresses=ips("192.0.2.9"))
    assert condition_of(other, shown, now=LATER, in_use=None).reason == Reason.ASSIGNED
    assert condition_of(Refused(reason=NONE), shown, now=LATER, in_use=None).reason == "NoFreeAddress"
    odd = replace(shown, condition=replace(said, reason="InvalidRequest"))
    assert condition_of(granted(), odd, now=LATER, in_use=None).reason == Reason.ASSIGNED
