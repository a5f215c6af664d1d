"""What is missing between what should be and what is shown, as effects in an order that is always safe.

A configuration is written before anything is decided by it. An address moves from one Service to another in
two steps, so that no two ever show it: as long as one shows it, another that shall have it waits for the next
plan. Interrupted anywhere, the plan made anew leads to the same end.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from bareway.decide.verdicts import Allocation, Granted, Refused
from bareway.model.names import IPAddress, ObjectKey, ServiceKey
from bareway.model.objects import ObjectReference
from bareway.model.services import ALLOCATED_FROM_ANNOTATION, Service
from bareway.resources.in_force import InForce
from bareway.resources.status import WRITTEN_PREFIX
from controller import notices
from controller.effects import ClearIngress, CreateKey, Effect, Emit, Notice, SetIngress, WriteConfiguration


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """What should be."""

    in_force: InForce | None = None
    allocation: Allocation | None = None
    """None as long as there is nothing to decide by."""
    notices: Mapping[ObjectReference, Notice] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What Kubernetes shows."""

    services: Mapping[ServiceKey, Service]
    configuration_key: ObjectKey
    configuration_version: str = ""
    """resourceVersion of the ConfigMap; empty without one."""
    in_force: InForce | None = None
    """What can be read in it."""
    missing_key: ObjectKey | None = None
    """The Secret for gossip, if it is known that there is none."""
    told: Mapping[ObjectReference, Notice] = field(default_factory=dict)


def plan(desired: Desired, shown: Shown) -> tuple[Effect, ...]:
    """The effects that lead from ``shown`` towards ``desired``; none if nothing is missing."""
    return tuple(_plan(desired, shown))


def _plan(desired: Desired, shown: Shown) -> Iterator[Effect]:
    if shown.missing_key is not None:
        yield CreateKey(key=shown.missing_key)
    for about, notice in desired.notices.items():
        if shown.told.get(about) != notice:
            yield Emit(about=about, notice=notice)
    if desired.in_force is not None and desired.in_force != shown.in_force:
        yield WriteConfiguration(
            key=shown.configuration_key, over=shown.configuration_version, in_force=desired.in_force
        )
    elif desired.allocation is not None:
        yield from _clears(desired.allocation, shown.services)
        yield from _assignments(desired.allocation, shown.services)


def _clears(allocation: Allocation, services: Mapping[ServiceKey, Service]) -> Iterator[ClearIngress]:
    for key in sorted(allocation.released):
        yield ClearIngress(service=services[key])
    for key, verdict in allocation.verdicts.items():
        service = services[key]
        if isinstance(verdict, Refused) and (service.ingress or _is_marked(service)):
            then = (notices.cleared(service, verdict.cleared),) if verdict.cleared else ()
            yield ClearIngress(service=service, then=then)


def _assignments(allocation: Allocation, services: Mapping[ServiceKey, Service]) -> Iterator[SetIngress]:
    shown_by: defaultdict[IPAddress, list[ServiceKey]] = defaultdict(list)
    for service in services.values():
        for address in service.ingress:
            shown_by[address].append(service.key)
    for key, verdict in allocation.verdicts.items():
        service = services[key]
        if not isinstance(verdict, Granted) or _is_shown(verdict, service):
            continue
        fresh = [address for address in verdict.addresses if address not in service.ingress]
        if not any(_is_elsewhere(shown_by.get(address, ()), key) for address in fresh):
            yield _assignment(service, verdict)


def _assignment(service: Service, granted: Granted) -> SetIngress:
    then: tuple[Emit, ...] = ()
    if granted.cleared is not None:
        then += (notices.cleared(service, granted.cleared),)
    if service.ingress != granted.addresses:
        then += (notices.assigned(service, granted.addresses),)
    return SetIngress(service=service, addresses=granted.addresses, pool=granted.pool, then=then)


def _is_shown(granted: Granted, service: Service) -> bool:
    """Only fields that we own are compared; what others write beside them, such as ipMode, is theirs."""
    pool = service.annotations.get(WRITTEN_PREFIX + ALLOCATED_FROM_ANNOTATION)
    return service.ingress == granted.addresses and pool == granted.pool


def _is_marked(service: Service) -> bool:
    return service.annotation(ALLOCATED_FROM_ANNOTATION) is not None


def _is_elsewhere(holders: Collection[ServiceKey], key: ServiceKey) -> bool:
    return any(holder != key for holder in holders)
