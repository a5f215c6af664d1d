"""What is missing between what should be and what is shown, as effects in an order that is always safe.

A configuration is written before anything is decided by it. An address moves from one Service to another in
two steps, so that no two ever show it unless they share it: as long as one shows it, another that shall have
it waits for the next plan; where all wait for each other, they give up first what they must. What is
remembered of an address is written before it is given to somebody else. Interrupted anywhere, the plan made
anew leads to the same end.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain

from bareway.decide.allocation.verdicts import Allocation, Granted
from bareway.model.mac import MacAddress
from bareway.model.memory import AllocationMemory
from bareway.model.names import IPAddress, ObjectKey, ServiceKey
from bareway.model.objects import ObjectReference
from bareway.model.services import ALLOCATED_FROM_ANNOTATION, Service
from bareway.resources.in_force import IN_FORCE_NAME, InForce
from bareway.resources.state import STATE_NAME
from bareway.resources.status import WRITTEN_PREFIX
from controller.writing import notices
from controller.writing.conditions import condition_of
from controller.writing.effects import (
    ClearIngress,
    CreateKey,
    Effect,
    Emit,
    Notice,
    ServiceWrite,
    SetCondition,
    SetIngress,
    WriteConfiguration,
    WriteState,
)

NO_MEMORY = AllocationMemory()


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """What should be."""

    in_force: InForce | None = None
    when_in_force: tuple[Emit, ...] = ()
    """Told once it is written."""
    allocation: Allocation | None = None
    """None as long as there is nothing to decide by."""
    memory: AllocationMemory = NO_MEMORY
    is_memory_due: bool = False
    """Changes of the memory were gathered for long enough."""
    notices: Mapping[ObjectReference, Notice] = field(default_factory=dict)
    corrected: frozenset[ServiceKey] = frozenset()
    """Services whose status somebody else wrote over."""
    withheld: frozenset[ServiceKey] = frozenset()
    """Of these, those that are corrected later: somebody insists."""
    in_use: Mapping[IPAddress, MacAddress] | None = field(default_factory=dict)
    """Addresses that stay though somebody else answers for them, and who; None = nobody knows yet."""
    now: int = 0
    """Unix seconds, for what people read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What Kubernetes shows."""

    services: Mapping[ServiceKey, Service]
    shown_by: Mapping[IPAddress, Collection[ServiceKey]]
    """Which of ``services`` show an address."""
    namespace: str = "bareway-system"
    """Where our own objects are."""
    configuration_version: str = ""
    """resourceVersion of the ConfigMap; empty without one."""
    in_force: InForce | None = None
    """What can be read in it."""
    state_version: str = ""
    memory: AllocationMemory = NO_MEMORY
    """What can be read in ``bareway-state``."""
    missing_key: ObjectKey | None = None
    """The Secret for gossip, if it is known that there is none."""
    told: Mapping[ObjectReference, Notice] = field(default_factory=dict)


def who_shows(services: Iterable[Service]) -> Mapping[IPAddress, Collection[ServiceKey]]:
    """For each address shown, by whom."""
    found: defaultdict[IPAddress, list[ServiceKey]] = defaultdict(list)
    for service in services:
        for address in service.ingress:
            found[address].append(service.key)
    return found


def plan(desired: Desired, shown: Shown) -> tuple[Effect, ...]:
    """The effects that lead from ``shown`` towards ``desired``; none if nothing is missing."""
    return effects_of(missing(desired, shown, shown.services), desired, shown)


def missing(desired: Desired, shown: Shown, keys: Iterable[ServiceKey]) -> Mapping[ServiceKey, ServiceWrite]:
    """What the status of each of these Services lacks, whether it may be written by now or not."""
    found: dict[ServiceKey, ServiceWrite] = {}
    if desired.allocation is not None:
        for key in keys:
            service = shown.services.get(key)
            write = _write(desired, desired.allocation, service) if service is not None else None
            if write is not None:
                found[key] = write
    return found


def effects_of(
    writes: Mapping[ServiceKey, ServiceWrite], desired: Desired, shown: Shown, *, is_all: bool = True
) -> tuple[Effect, ...]:
    """The plan, where of Services only these writes are missing.

    ``is_all``: there are no others, which these might wait for.
    """
    return tuple(_effects(writes, desired, shown, is_all=is_all))


def was_made(write: ServiceWrite, service: Service) -> bool:
    """Whether the Service shows what was to be written."""
    if service.condition != write.condition:
        return False
    match write:
        case SetIngress(addresses=addresses):
            return service.ingress == addresses
        case ClearIngress():
            return not service.ingress
        case SetCondition():
            return True


def _effects(
    writes: Mapping[ServiceKey, ServiceWrite], desired: Desired, shown: Shown, *, is_all: bool
) -> Iterator[Effect]:
    if shown.missing_key is not None:
        yield CreateKey(key=shown.missing_key)
    for about, notice in desired.notices.items():
        if shown.told.get(about) != notice:
            yield Emit(about=about, notice=notice)
    if desired.in_force is not None and desired.in_force != shown.in_force:
        key = ObjectKey(shown.namespace, IN_FORCE_NAME)
        then, over = desired.when_in_force, shown.configuration_version
        yield WriteConfiguration(key=key, over=over, in_force=desired.in_force, then=then)
    elif desired.allocation is not None:
        possible = (write for key, write in writes.items() if key not in desired.withheld)
        yield from _of_services(possible, desired, desired.allocation, shown, is_all=is_all)


def _of_services(
    writes: Iterable[ServiceWrite],
    desired: Desired,
    allocation: Allocation,
    shown: Shown,
    *,
    is_all: bool,
) -> Iterator[Effect]:
    """Releases first, since others wait for them; what only says something comes last."""
    every = [*writes]
    clears = [write for write in every if isinstance(write, ClearIngress)]
    conditions = [write for write in every if isinstance(write, SetCondition)]
    assignments = [write for write in every if isinstance(write, SetIngress)]
    possible = [write for write in assignments if _may_show(write, allocation, shown)]
    due: list[SetIngress | ClearIngress] = [*clears, *possible]
    ready: list[ServiceWrite] = [write for write in due if not _needs_memory(write, desired, shown)]
    waits = len(ready) < len(due)
    if desired.memory != shown.memory and (desired.is_memory_due or waits):
        key = ObjectKey(shown.namespace, STATE_NAME)
        yield WriteState(key=key, over=shown.state_version, memory=desired.memory)
    elif is_all and not due:
        ready += filter(None, (_give_up(write, allocation) for write in assignments))
    yield from chain(ready, conditions)


def _write(desired: Desired, allocation: Allocation, service: Service) -> ServiceWrite | None:
    verdict = allocation.verdicts.get(service.key)
    if verdict is None:
        is_left = _shows_any(service) or service.condition is not None
        return ClearIngress(service=service) if is_left and service.key in allocation.released else None
    condition = condition_of(verdict, service, now=desired.now, in_use=desired.in_use)
    is_shown = _is_shown(verdict, service) if isinstance(verdict, Granted) else not _shows_any(service)
    if is_shown and condition == service.condition:
        return None
    is_corrected = service.key in desired.corrected
    then = notices.of_change(service, verdict, condition, is_corrected=is_corrected)
    if is_shown:
        return SetCondition(service=service, condition=condition, then=then)
    if isinstance(verdict, Granted):
        return SetIngress(
            service=service, addresses=verdict.addresses, pool=verdict.pool, condition=condition, then=then
        )
    return ClearIngress(service=service, condition=condition, then=then)


def _give_up(write: SetIngress, allocation: Allocation) -> ServiceWrite | None:
    """Show no more what the Service may not keep, though what it gets instead is not free yet."""
    service, verdict = write.service, allocation.verdicts[write.service.key]
    if not isinstance(verdict, Granted) or verdict.cleared is None:
        return None
    told = write.then[:1]  # what is cleared comes first; what is assigned is told when it is
    kept = [pair for pair in zip(verdict.addresses, verdict.pools, strict=True) if pair[0] in service.ingress]
    if not kept:
        return ClearIngress(service=service, condition=service.condition, then=told)
    rest = replace(verdict, addresses=tuple(one for one, _ in kept), pools=tuple(pool for _, pool in kept))
    condition = replace(write.condition, message=condition_of(rest, service, now=0).message)
    return SetIngress(
        service=service, addresses=rest.addresses, pool=rest.pool, condition=condition, then=told
    )


def _may_show(write: SetIngress, allocation: Allocation, shown: Shown) -> bool:
    """Whether nobody shows a fresh address but those that shall share it."""
    for address in write.addresses:
        if address in write.service.ingress:
            continue
        holders = allocation.holders.get(address, ())
        if any(key != write.service.key and key not in holders for key in shown.shown_by.get(address, ())):
            return False
    return True


def _needs_memory(write: SetIngress | ClearIngress, desired: Desired, shown: Shown) -> bool:
    """Whether what is written down would mislead a successor.

    It speaks of another's address as free, or it does not say yet that one is left to a stranger.
    """
    addresses = write.addresses if isinstance(write, SetIngress) else ()
    if any(
        _is_misleading(a, desired.memory, shown.memory) for a in addresses if a not in write.service.ingress
    ):
        return True
    wanted, stored = desired.memory.quarantine, shown.memory.quarantine
    return any(a in wanted and a not in stored for a in write.service.ingress if a not in addresses)


def _is_misleading(address: IPAddress, wanted: AllocationMemory, stored: AllocationMemory) -> bool:
    if any(holder not in wanted.holders.get(address, ()) for holder in stored.holders.get(address, ())):
        return True
    return (
        stored.freed.get(address) != wanted.freed.get(address)
        or stored.holds.get(address) != wanted.holds.get(address)
        or stored.quarantine.get(address) != wanted.quarantine.get(address)
    )


def _is_shown(granted: Granted, service: Service) -> bool:
    """Only fields that we own are compared; what others write beside them, such as ipMode, is theirs."""
    pool = service.annotations.get(WRITTEN_PREFIX + ALLOCATED_FROM_ANNOTATION)
    return service.ingress == granted.addresses and pool == granted.pool


def _shows_any(service: Service) -> bool:
    return bool(service.ingress) or service.annotation(ALLOCATED_FROM_ANNOTATION) is not None
