"""What a Service keeps without being told that it lost anything."""

from dataclasses import replace

import pytest

from bareway.decide.allocation.allocate import AllocationView, allocate
from bareway.decide.allocation.verdicts import Granted, Refusal
from bareway.model.configuration import Pool
from bareway.model.memory import AllocationMemory
from bareway.model.services import Service
from support.builders import configuration, ips, key, pool, service

A = pool("a", "192.0.2.0/30")
SHUNNED = AllocationMemory(quarantine={ips("192.0.2.1")[0]: 1600})


def of(one: Service, *others: Service, pools: Pool = A) -> Granted:
    view = AllocationView(
        configuration=configuration(pools), services=(one, *others), memory=SHUNNED, now=1000
    )
    verdict = allocate(view).verdicts[one.key]
    assert isinstance(verdict, Granted)
    return verdict


@pytest.mark.parametrize(
    ("one", "pools"),
    [
        pytest.param(service(requested="192.0.2.1"), A, id="asked for by name"),
        pytest.param(service(), replace(A, reserve={key("web"): ips("192.0.2.1")}), id="reserved"),
    ],
)
def test_an_address_in_quarantine_that_is_wanted_by_name_was_never_lost(one: Service, pools: Pool) -> None:
    kept = of(replace(one, ingress=ips("192.0.2.1")), pools=pools)
    assert (kept.kept, kept.cleared) == (True, None)


def test_an_address_in_quarantine_that_is_reserved_for_another_is_exchanged() -> None:
    reserving = replace(A, reserve={key("other"): ips("192.0.2.1"), key("web"): ips("192.0.2.2")})
    lost = of(service(ingress=["192.0.2.1"]), pools=reserving).cleared
    assert lost is not None
    assert lost.reason.word is Refusal.RESERVED


def test_a_lost_address_is_told_with_its_pool_and_itself() -> None:
    lost = of(service(ingress=["192.0.2.1"])).cleared
    assert lost is not None
    assert (lost.reason.word, lost.reason.pool) == (Refusal.QUARANTINED, "a")
    assert lost.reason.address == ips("192.0.2.1")[0]


@pytest.mark.parametrize(
    ("one", "word", "pool_named"),
    [
        pytest.param(
            service(ingress=["192.0.2.2"], annotations={"metallb.io/address-pool": "b"}),
            Refusal.OTHER_POOL_REQUESTED,
            "a",
            id="another pool is asked for",
        ),
        pytest.param(
            service(ingress=["192.0.2.2"], requested="192.0.2.3"),
            Refusal.OTHER_ADDRESS_REQUESTED,
            None,
            id="another address is asked for",
        ),
        pytest.param(
            service(ingress=["192.0.2.2"], cluster=["fd00::1"]), Refusal.WRONG_FAMILY, None, id="family"
        ),
    ],
)
def test_what_a_reason_speaks_of_is_named(one: Service, word: Refusal, pool_named: str | None) -> None:
    both = configuration(A, pool("b", "198.51.100.0/30"))
    lost = allocate(AllocationView(configuration=both, services=(one,))).verdicts[one.key].cleared
    assert lost is not None
    assert (lost.reason.word, lost.reason.pool) == (word, pool_named)
    assert lost.reason.address == ips("192.0.2.2")[0]
