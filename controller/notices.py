"""What Kubernetes' users read in Events; reasons and sentences are MetalLB's where it has them."""

from collections.abc import Collection, Iterator, Mapping

from bareway.decide.requests import quoted
from bareway.decide.verdicts import Allocation, Cleared, Granted, Refusal, Refused, WhyNot
from bareway.model.names import IPAddress, ServiceKey
from bareway.model.objects import ObjectReference
from bareway.model.problems import Severity
from bareway.model.services import Service
from bareway.resources.events import EventType
from controller.acceptance import Acceptance
from controller.effects import Emit, Notice


def about_service(service: Service) -> ObjectReference:
    """How an Event refers to the Service."""
    return ObjectReference(kind="Service", key=service.key, uid=service.uid)


def assigned(service: Service, addresses: tuple[IPAddress, ...]) -> Emit:
    """The Service got its addresses."""
    return _emit(service, EventType.NORMAL, "IPAllocated", f"Assigned IP {quoted(addresses)}")


def cleared(service: Service, lost: Cleared) -> Emit:
    """The Service may not keep what it showed."""
    message = (
        f'current IP for "{service.key}" not allowed by config, will attempt for new IP assignment: '
        f"{lost.reason.message}"
    )
    return _emit(service, EventType.NORMAL, "ClearAssignment", message)


def standing(
    acceptance: Acceptance, allocation: Allocation | None, services: Mapping[ServiceKey, Service]
) -> Mapping[ObjectReference, Notice]:
    """What is wrong now, and stays wrong until somebody changes something: told once, not with every look."""
    notices = dict(_of_configuration(acceptance))
    for key, verdict in allocation.verdicts.items() if allocation is not None else ():
        match verdict:
            case Refused(reason=reason):
                notices[about_service(services[key])] = _refused(key, reason)
            case Granted(reasons=reasons):
                for reason in reasons:
                    if reason.word is Refusal.INVALID_REQUEST:
                        notices[about_service(services[key])] = _refused(key, reason)
    return notices


def lacking(refusals: Collection[str], about: ObjectReference) -> Mapping[ObjectReference, Notice]:
    """Rights that were taken away while we run; the rest goes on."""
    if not refusals:
        return {}
    message = f"a right is missing, the rest goes on: {'; '.join(refusals)}"
    return {about: Notice(type=EventType.WARNING, reason="RightMissing", message=message)}


def _of_configuration(acceptance: Acceptance) -> Iterator[tuple[ObjectReference, Notice]]:
    if acceptance.offer is None or acceptance.refusal is None:
        return
    stays = "the last good one stays in force" if acceptance.in_force else "there is none in force"
    errors = (problem for problem in acceptance.problems if problem.severity is Severity.ERROR)
    message = f"configuration refused, {stays}: {'; '.join(map(str, errors))}"
    yield acceptance.offer.about, Notice(type=EventType.WARNING, reason=acceptance.refusal, message=message)


def _refused(key: ServiceKey, reason: WhyNot) -> Notice:
    if reason.word is Refusal.INVALID_REQUEST:
        message = f"invalid requested loadbalancer IPs: {reason.message}"
        return Notice(type=EventType.WARNING, reason="LoadBalancerFailed", message=message)
    message = f'Failed to allocate IP for "{key}": {reason.message}'
    return Notice(type=EventType.WARNING, reason="AllocationFailed", message=message)


def _emit(service: Service, type_: EventType, reason: str, message: str) -> Emit:
    return Emit(about=about_service(service), notice=Notice(type=type_, reason=reason, message=message))
