"""What Kubernetes' users read in Events; reasons and sentences are MetalLB's where it has them.

Events about a Service ride on the write that changes its status, so each is told once; what is wrong with a
configuration, or with a Service that cannot be read, stands and is told when it changes. MetalLB's
InternalError is left out: what it speaks of cannot be written down here.
"""

from collections.abc import Collection, Iterator, Mapping
from enum import StrEnum
from typing import Final

from bareway.decide.allocation.requests import quoted
from bareway.decide.allocation.verdicts import Cleared, Granted, Refusal, Refused, Verdict, WhyNot
from bareway.decide.announcement.moves import ANNOUNCE_FROM, MoveRefusal
from bareway.gossip.findings import FindingWord
from bareway.model.mac import MacAddress
from bareway.model.names import ObjectKey
from bareway.model.objects import ObjectReference
from bareway.model.problems import Problem, Severity
from bareway.model.services import Condition, Service
from bareway.resources.events import EventType
from controller.allocation.acceptance import Acceptance
from controller.writing.conditions import weighty
from controller.writing.effects import Emit, Notice

FAMILIES_MAX: Final = 2
NAMED_MAX: Final = 5  # addresses in one sentence
DEPRECATED_PREFIX: Final = "metallb.universe.tf/"


MOVE_SENTENCES: Final[Mapping[MoveRefusal, str]] = {
    MoveRefusal.NO_SUCH_MEMBER: "there is no speaker on a node of that name",
    MoveRefusal.NOT_ALIVE: "its speaker does not answer",
    MoveRefusal.NOT_ELIGIBLE: "it has not started yet, or its Node says that it may announce nothing",
    MoveRefusal.DRAINING: "it is drained",
    MoveRefusal.NOT_PERMITTED: "a pool's node-selectors leave it out, or nothing serves the Service there",
    MoveRefusal.NO_ALLOWED_LINK: "it has none of the links that the pool lists under interfaces",
    MoveRefusal.SERVES_FEWER: "others serve more of the Services that share the address",
    MoveRefusal.OFF_SUBNET: "others have an address in its subnet, and it has not",
    MoveRefusal.OTHER_NODE_NAMED: "an earlier Service of the same address names another node",
}


class EventReason(StrEnum):
    """Field ``reason`` of an Event; the first ten are MetalLB's."""

    ASSIGNED = "IPAllocated"
    REFUSED = "AllocationFailed"
    CLEARED = "ClearAssignment"
    SECOND_FAMILY_REFUSED = "AdditionalAssignFailed"
    INVALID_REQUEST = "LoadBalancerFailed"
    SHOWN_FAMILIES = "nolbIPsIPFamily"
    CLUSTER_FAMILIES = "noclusterIPsIPFamily"
    NOT_DUAL_STACK = "not enough clusterips"
    DEPRECATED_ANNOTATION = "deprecatedAnnotation"
    CONFIGURATION_ACCEPTED = "ConfigurationAccepted"
    CONFIGURATION_WARNING = "ConfigurationWarning"
    STATUS_CORRECTED = "StatusCorrected"
    UNREADABLE = "ServiceUnreadable"
    RIGHT_MISSING = "RightMissing"
    WRITE_FORBIDDEN = "WriteForbidden"
    NOT_MOVED = "NotMoved"
    PROXY_ARP_SUSPECTED = FindingWord.PROXY_ARP_SUSPECTED.value


def about_service(service: Service) -> ObjectReference:
    """How an Event refers to the Service."""
    return ObjectReference(kind="Service", key=service.key, uid=service.uid)


def of_change(
    service: Service, verdict: Verdict, condition: Condition, *, is_corrected: bool
) -> tuple[Emit, ...]:
    """What to tell once the Service shows what was decided; nothing where that is no news.

    Args:
        service: as it is shown.
        verdict: what was decided for it.
        condition: what it will say.
        is_corrected: somebody else wrote what it shows over what it was given.
    """
    notices: list[Notice] = []
    if verdict.cleared is not None:
        notices.append(_cleared(service, verdict.cleared))
    match verdict:
        case Granted():
            notices += _of_addresses(service, verdict, is_corrected=is_corrected)
            if _is_news(service.condition, condition):
                notices += (_remark(reason) for reason in weighty(verdict))
        case Refused():
            if _is_news(service.condition, condition):
                notices.append(_refused(service, verdict))
    about = about_service(service)
    return tuple(Emit(about=about, notice=notice) for notice in notices)


def not_moved(service: Service, why: MoveRefusal) -> Notice:
    """It is not announced from the node that its annotation names."""
    node = service.annotations.get(ANNOUNCE_FROM, "").strip()
    message = f'not announced from node "{node}", which {ANNOUNCE_FROM} names: {why}: {MOVE_SENTENCES[why]}'
    return _warning(EventReason.NOT_MOVED, message)


def proxy_suspected(mac: MacAddress, addresses: Collection[str]) -> Notice:
    """A station answers for so many addresses that exchanging them would help nobody."""
    named = ", ".join(sorted(addresses)[:NAMED_MAX])
    message = (
        f"{mac} answers for {len(addresses)} addresses of Services, such as {named}: a router with proxy "
        "ARP? None is exchanged for that; turn it off there, or take its addresses out of the pools"
    )
    return _warning(EventReason.PROXY_ARP_SUSPECTED, message)


def of_acceptance(acceptance: Acceptance) -> tuple[Emit, ...]:
    """What to tell once the configuration is in force."""
    if acceptance.offer is None or acceptance.in_force is None:
        return ()
    message = f"configuration in force, generation {acceptance.in_force.generation}"
    return (Emit(about=acceptance.offer.about, notice=_normal(EventReason.CONFIGURATION_ACCEPTED, message)),)


def standing(
    acceptance: Acceptance, unreadable: Mapping[ObjectKey, tuple[Problem, ...]]
) -> Mapping[ObjectReference, Notice]:
    """What is wrong now, and stays wrong until somebody changes something: told once, not with every look."""
    notices = dict(_of_configuration(acceptance))
    for key, problems in unreadable.items():
        about = ObjectReference(kind="Service", key=key)
        notices[about] = _unreadable(problems)
    return notices


def _of_addresses(service: Service, granted: Granted, *, is_corrected: bool) -> Iterator[Notice]:
    shown, given = service.ingress, granted.addresses
    if shown == given:
        return
    if is_corrected:
        message = f"status showed {quoted(shown)}, which was not assigned; it shows {quoted(given)} again"
        yield _warning(EventReason.STATUS_CORRECTED, message)
    elif shown and set(shown) < set(given):
        told = " ".join(f'"{address}"' for address in given if address not in shown)
        yield _normal(EventReason.ASSIGNED, f"Assigned additional IP {told}")
    else:
        yield _normal(EventReason.ASSIGNED, f"Assigned IP {quoted(given)}")
    for key in sorted(service.annotations):
        if key.startswith(DEPRECATED_PREFIX):
            yield _warning(EventReason.DEPRECATED_ANNOTATION, f"Service uses deprecated annotation {key}")


def _cleared(service: Service, lost: Cleared) -> Notice:
    families = {address.version for address in service.ingress}
    if len(families) < len(service.ingress):
        few = len(service.ingress) <= FAMILIES_MAX
        why = "same address family" if few else f"invalid ips length {len(service.ingress)}"
        message = f"Failed to retrieve LBIPs IPFamily for {quoted(service.ingress)}"
        return _warning(EventReason.SHOWN_FAMILIES, f"{message}: IPFamilyForAddresses: {why}")
    message = (
        f'current IP for "{service.key}" not allowed by config, will attempt for new IP assignment: '
        f"{lost.reason.message}"
    )
    return _normal(EventReason.CLEARED, message)


def _remark(reason: WhyNot) -> Notice:
    if reason.word is Refusal.INVALID_REQUEST:
        return _invalid(reason)
    message = f"cannot assign additional IP in PreferDualStack: {reason.message}"
    return _normal(EventReason.SECOND_FAMILY_REFUSED, message)


def _refused(service: Service, refused: Refused) -> Notice:
    if refused.reason.word is Refusal.INVALID_REQUEST:
        return _invalid(refused.reason)
    if refused.reason.word is Refusal.NOT_DUAL_STACK:
        return _warning(EventReason.NOT_DUAL_STACK, refused.reason.message)
    message = f'Failed to allocate IP for "{service.key}": {"; ".join(refused.sentences)}'
    return _warning(EventReason.REFUSED, message)


def _invalid(reason: WhyNot) -> Notice:
    return _warning(EventReason.INVALID_REQUEST, f"invalid requested loadbalancer IPs: {reason.message}")


def _unreadable(problems: tuple[Problem, ...]) -> Notice:
    """With MetalLB's word where the fault is one that it knows; what is shown stays as it is."""
    told = "; ".join(map(str, problems))
    if any(problem.path.startswith("spec.clusterIPs") for problem in problems):
        return _warning(EventReason.CLUSTER_FAMILIES, f"Failed to retrieve ClusterIPs IPFamily: {told}")
    return _warning(EventReason.UNREADABLE, f"cannot be read and is left as it is: {told}")


def _is_news(before: Condition | None, after: Condition) -> bool:
    if before is None:
        return True
    return (before.is_true, before.reason, before.message) != (after.is_true, after.reason, after.message)


def lacking(refusals: Collection[str], about: ObjectReference) -> Mapping[ObjectReference, Notice]:
    """Rights that were taken away while we run; the rest goes on."""
    if not refusals:
        return {}
    message = f"a right is missing, the rest goes on: {'; '.join(refusals)}"
    return {about: _warning(EventReason.RIGHT_MISSING, message)}


def _of_configuration(acceptance: Acceptance) -> Iterator[tuple[ObjectReference, Notice]]:
    if acceptance.offer is None:
        return
    about = acceptance.offer.about
    if acceptance.refusal is None:
        if acceptance.problems:
            told = "; ".join(map(str, acceptance.problems))
            yield about, _warning(EventReason.CONFIGURATION_WARNING, told)
        return
    stays = "the last good one stays in force" if acceptance.in_force else "there is none in force"
    errors = (problem for problem in acceptance.problems if problem.severity is Severity.ERROR)
    message = f"configuration refused, {stays}: {'; '.join(map(str, errors))}"
    yield about, Notice(type=EventType.WARNING, reason=acceptance.refusal, message=message)


def _normal(reason: EventReason, message: str) -> Notice:
    return Notice(type=EventType.NORMAL, reason=reason, message=message)


def _warning(reason: EventReason, message: str) -> Notice:
    return Notice(type=EventType.WARNING, reason=reason, message=message)
