from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest

from bareway.decide.allocation.allocate import AllocationView, allocate
from bareway.decide.allocation.verdicts import Allocation
from bareway.model.configuration import Configuration, Reuse
from bareway.model.names import ObjectKey
from bareway.model.objects import ObjectReference
from bareway.model.problems import Severity
from bareway.model.services import Service
from bareway.resources.configurations import read_configuration
from bareway.resources.in_force import InForce, digest
from controller.allocation.acceptance import (
    LOSSES_MAX,
    Acceptance,
    ConfigurationRefusal,
    Offer,
    accept,
    renewed,
)
from support.builders import service

ABOUT = ObjectReference(kind="ConfigMap", key=ObjectKey("bareway-system", "config"))
GOOD = "address-pools: [{name: a, protocol: layer2, addresses: [192.0.2.0/24]}]"
OTHER = "address-pools: [{name: b, protocol: layer2, addresses: [198.51.100.0/24]}]"
OCTAL = GOOD + "\npeers: [{my-asn: 010, peer-asn: 2, peer-address: 192.0.2.1}]"
EXTENSION = "address-pools: [{name: a, reuse: oldest}]"


def offer(document: str, extension: str = "") -> Offer:
    return Offer(document=document, extension=extension, source="a test", about=ABOUT)


def in_force(document: str, generation: int = 4) -> InForce:
    configuration = read_configuration(document).configuration
    assert configuration is not None
    return InForce(
        configuration=configuration,
        document=document,
        sha256=digest(document),
        generation=generation,
        source="an older test",
    )


def deciding(services: Iterable[Service]) -> Callable[[Configuration], Allocation]:
    return lambda configuration: allocate(AllocationView(configuration=configuration, services=services))


def judged(
    document: str | None, present: InForce | None, *services: Service, generation: int = 4
) -> Acceptance:
    made = None if document is None else offer(document)
    return accept(made, present=present, generation=generation, decide=deciding(services))


def test_a_first_good_document_comes_into_force() -> None:
    found = judged(GOOD, None, generation=0)
    assert found.in_force == InForce(
        configuration=in_force(GOOD).configuration,
        document=GOOD,
        sha256=digest(GOOD),
        generation=1,
        source="a test",
    )
    assert (found.refusal, found.problems) == (None, ())


def test_a_better_document_takes_the_place_of_a_good_one_with_the_next_generation() -> None:
    found = judged(OTHER, in_force(GOOD), generation=9)
    assert found.in_force is not None
    assert (found.in_force.document, found.in_force.generation) == (OTHER, 10)


def test_a_document_that_is_in_force_changes_nothing() -> None:
    present = in_force(GOOD)
    assert judged(GOOD, present, service(ingress=["192.0.2.1"])).in_force is present


def test_a_document_that_cannot_be_read_leaves_the_last_good_one_in_force() -> None:
    present = in_force(GOOD)
    found = judged(GOOD.replace("name", "nmae"), present)
    assert found.in_force is present
    assert found.refusal is ConfigurationRefusal.INVALID
    assert {problem.line for problem in found.problems} == {1}
    assert 'did you mean "name"?' in {problem.hint for problem in found.problems}


def test_a_first_document_that_cannot_be_read_leaves_nothing_in_force() -> None:
    found = judged("address-pools: [", None)
    assert (found.in_force, found.refusal) == (None, ConfigurationRefusal.INVALID)


@pytest.mark.parametrize("present", [in_force(GOOD), None], ids=["running", "never configured"])
def test_without_a_document_all_stays_as_it_is(present: InForce | None) -> None:
    found = judged(None, present)
    assert (found.in_force, found.refusal, found.offer) == (present, ConfigurationRefusal.MISSING, None)


def test_a_document_that_takes_an_address_in_use_away_is_refused_with_everybody_it_hits() -> None:
    present = in_force(GOOD)
    holders = (service("b", ingress=["192.0.2.1"]), service("a", ingress=["192.0.2.2"]), service("waits"))
    found = judged(OTHER, present, *holders)
    assert found.in_force is present
    assert found.refusal is ConfigurationRefusal.TAKES_ADDRESSES_AWAY
    assert [problem.message for problem in found.problems] == [
        f'new config not compatible with assigned IPs: service "default/{name}" cannot own ["{ip}"]'
        f' under new config: ["{ip}"] is not allowed in config'
        for name, ip in (("a", "192.0.2.2"), ("b", "192.0.2.1"))
    ]


def test_it_comes_into_force_as_soon_as_nobody_holds_the_address_any_more() -> None:
    assert judged(OTHER, in_force(GOOD)).refusal is None


def accepting(found: Acceptance) -> str:
    """The digest that the hint offers."""
    _, _, digest_offered = found.problems[0].hint.rpartition("bareway.io/accept-loss=")
    return digest_offered


@pytest.mark.parametrize("present", [in_force(GOOD), None], ids=["running", "never configured"])
def test_exactly_the_loss_that_was_accepted_by_its_digest_comes_into_force(present: InForce | None) -> None:
    document = OTHER if present else ""
    holders = (service("a", ingress=["192.0.2.1"]), service("b", ingress=["192.0.2.2"]))
    refused = judged(document, present, *holders)
    assert refused.problems[0].hint.startswith(
        "to accept exactly this loss: kubectl -n bareway-system annotate"
    )
    accepted = replace(offer(document), accepted_loss=accepting(refused))
    found = accept(accepted, present=present, generation=4, decide=deciding(holders))
    assert found.refusal is None
    assert found.in_force is not None
    assert found.in_force.document == document
    another = (*holders, service("c", ingress=["192.0.2.3"]))
    more = accept(accepted, present=present, generation=4, decide=deciding(another))
    assert more.refusal is ConfigurationRefusal.TAKES_ADDRESSES_AWAY
    assert accepting(more) != accepting(refused)


def test_losses_without_end_are_counted() -> None:
    holders = [service(f"s{n}", ingress=[f"192.0.2.{n}"]) for n in range(LOSSES_MAX + 5)]
    found = judged(OTHER, in_force(GOOD), *holders)
    assert len(found.problems) == LOSSES_MAX + 1
    assert found.problems[-1].message == "and 5 more Services"


def test_the_very_first_document_may_leave_out_what_others_gave() -> None:
    assert judged(GOOD, None, service(ingress=["10.9.9.9"])).refusal is None


@pytest.mark.parametrize("document", ["", "address-pools: []"])
def test_an_empty_first_document_does_not_clear_a_running_cluster(document: str) -> None:
    found = judged(document, None, service(ingress=["10.9.9.9"]))
    assert (found.in_force, found.refusal) == (None, ConfigurationRefusal.TAKES_ADDRESSES_AWAY)
    assert 'service "default/web" cannot own ["10.9.9.9"] under new config' in found.problems[0].message
    assert judged(document, None, service()).refusal is None


def test_warnings_come_into_force_with_their_document() -> None:
    found = judged(OCTAL, None)
    assert found.refusal is None
    assert [problem.severity for problem in found.problems] == [Severity.WARNING]
    assert judged(OCTAL, found.in_force).problems == found.problems


def test_an_extension_comes_into_force_with_its_document() -> None:
    found = accept(offer(GOOD, EXTENSION), present=in_force(GOOD), generation=4, decide=deciding(()))
    assert found.in_force is not None
    assert (found.in_force.document, found.in_force.extension) == (GOOD, EXTENSION)
    assert found.in_force.sha256 == digest(GOOD, EXTENSION)
    assert found.in_force.generation == 5
    assert [pool.reuse for pool in found.in_force.configuration.pools] == [Reuse.OLDEST]
    again = accept(offer(GOOD, EXTENSION), present=found.in_force, generation=5, decide=deciding(()))
    assert again.in_force is found.in_force


def test_a_mistake_in_the_extension_refuses_both() -> None:
    found = accept(offer(OTHER, "a: b"), present=in_force(GOOD), generation=4, decide=deciding(()))
    assert (found.refusal, found.in_force) == (ConfigurationRefusal.INVALID, in_force(GOOD))
    assert [problem.document for problem in found.problems] == ["bareway"]


def test_what_was_taken_away_is_written_again_under_a_new_generation() -> None:
    assert renewed(in_force(GOOD, 4), 0).generation == 5
    assert renewed(in_force(GOOD, 4), 7).generation == 8
    assert renewed(in_force(GOOD, 4), 7).document == GOOD
