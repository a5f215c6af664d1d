"""Faults planted in a running cluster: each is named first, with the right word, and its remedy cures it.

One cluster for all of them: real programs, kernels and packets, the embedded API server with our programs as
Pods. The same faults on Views, and others that cannot be planted here: ``test_planted_faults.py`` and
``why/test_faults.py`` of ``tests/bareway/decide/answers``.
"""

from collections.abc import Callable, Iterator

import pytest

from bareway.decide.answers.checks.ailments import Ailment
from lab.clinic import of_services
from lab.clinic.cluster import Clinic, Found, words_of
from lab.clinic.fault import SEEN_WITHIN_S, Fault
from lab.clinic.of_nodes import NODES
from lab.clinic.of_pools import POOLS
from lab.clinic.of_programs import PROGRAMS
from lab.clinic.of_routers import ROUTERS, routed
from lab.clinic.of_services import SERVICES, Unserved
from lab.clinic.of_wires import WIRES
from lab.network import Lab
from lab.waiting import wait_for

pytestmark = [pytest.mark.lab, pytest.mark.timeout(240)]

Ask = Callable[[], tuple[Found, ...]]


@pytest.fixture(scope="module")
def clinic(_prerequisites: None) -> Iterator[Clinic]:
    """One for all of these: each begins when all is well, and cures what it planted."""
    with Lab() as lab:
        clinic = Clinic(lab)
        clinic.start()
        must_name_first(clinic.doctor, Ailment.NO_CONFIGURATION)
        clinic.configure()  # as the remedy says
        must_be_well(clinic.doctor)
        yield clinic


def must_name_first(ask: Ask, word: str, subject: str = "") -> Found:
    """The first finding, once it has that word."""

    def is_right(seen: tuple[Found, ...]) -> bool:
        return bool(seen) and seen[0].word == word and subject in {"", seen[0].subject}

    return awaited(ask, is_right, f"{word} {subject}")[0]


def must_be_well(ask: Ask, within_s: float = SEEN_WITHIN_S) -> None:
    """Nothing is found any more."""
    awaited(ask, lambda seen: not seen, "no finding", within_s)


def awaited(
    ask: Ask, is_right: Callable[[tuple[Found, ...]], bool], what: str, within_s: float = SEEN_WITHIN_S
) -> tuple[Found, ...]:
    """What is found once it is right; else what was found last stands in the report."""
    seen: tuple[Found, ...] = ()

    def look() -> bool:
        nonlocal seen
        seen = ask()
        return is_right(seen)

    try:
        wait_for(look, what=what, within_s=within_s, poll_s=0.1)
    finally:
        print(*words_of(seen), sep="\n")
    return seen


def must_be_named_and_cured(clinic: Clinic, fault: Fault) -> None:
    def ask() -> tuple[Found, ...]:
        return clinic.why_from_outside(fault.about) if fault.about else clinic.doctor()

    fault.plant(clinic)
    found = must_name_first(ask, fault.word, fault.subject)
    assert fault.says in found.remedy
    fault.cure(clinic, found)
    must_be_well(ask, fault.well_within_s)


def each(faults: dict[str, Fault]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("fault", faults.values(), ids=faults.keys())


def test_a_healthy_cluster_gets_no_finding(clinic: Clinic) -> None:
    assert clinic.type_doctor() == ()


@each(POOLS)
def test_doctor_names_what_is_wrong_with_a_pool(clinic: Clinic, fault: Fault) -> None:
    must_be_named_and_cured(clinic, fault)


@each(PROGRAMS)
def test_doctor_names_what_is_wrong_with_our_programs(clinic: Clinic, fault: Fault) -> None:
    must_be_named_and_cured(clinic, fault)


@each(NODES)
def test_doctor_names_what_is_wrong_with_a_node_or_beside_us(clinic: Clinic, fault: Fault) -> None:
    must_be_named_and_cured(clinic, fault)


@each(WIRES)
def test_doctor_names_what_is_between_machines(clinic: Clinic, fault: Fault) -> None:
    must_be_named_and_cured(clinic, fault)


@pytest.fixture(scope="module")
def by_router(clinic: Clinic) -> Iterator[Clinic]:
    with routed(clinic):
        yield clinic


@each(ROUTERS)
def test_what_keeps_a_router_from_its_routes_is_named(by_router: Clinic, fault: Fault) -> None:
    must_be_named_and_cured(by_router, fault)


@pytest.fixture(scope="module")
def unserved(clinic: Clinic) -> Iterator[Clinic]:
    of_services.plant(clinic)
    yield clinic
    of_services.clear(clinic)


@pytest.mark.parametrize("fault", SERVICES.values(), ids=SERVICES.keys())
def test_why_names_what_keeps_a_service_from_its_address_and_how_it_gets_one(
    unserved: Clinic, fault: Unserved
) -> None:
    def ask() -> tuple[Found, ...]:
        return unserved.why(f"default/{fault.service}")

    found = must_name_first(ask, fault.word)
    assert fault.says in found.remedy
    fault.cure(unserved, found)
    must_be_well(ask)
