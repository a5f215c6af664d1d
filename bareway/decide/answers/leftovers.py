"""What is left of Bareway in a cluster, what takes it away, and when that may be done.

Only what is ours by proof counts: a Service by our condition in its status, its address by what that says or
by our pools, marks by their names, objects by our label. While a Bareway runs in another namespace than the
one asked for, all of that may be its own, and none of it is left over. What users wrote into their own
Services (``bareway.io/…`` annotations that ask for something) is theirs, and so are Events, which go by
themselves.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bareway.decide.announcement.moves import ANNOUNCE_FROM
from bareway.model.answers import Finding, Gravity, in_order
from bareway.model.names import IPAddress, ObjectKey
from bareway.model.nodes import DRAIN_ANNOTATION
from bareway.model.remains import Remains, Trace
from bareway.model.services import ALLOCATED_FROM_ANNOTATION, ANNOTATION_PREFIXES, Service

CONFIG_MARKS: Final = ("bareway.io/accept-loss", "bareway.io/log-level")
"""What operators write on the ConfigMap."""
POOL_KEYS: Final = tuple(prefix + ALLOCATED_FROM_ANNOTATION for prefix in ANNOTATION_PREFIXES)
REMOVE: Final = "bareway uninstall --yes"
ASSIGNED: Final = re.compile(r'assigned \[([0-9a-f.: "]*)\] from pool ')
"""How our condition begins if a Service has what it asks for."""
NAMED: Final = 4
"""Objects that a sentence names; the rest is counted."""


class Leftover(StrEnum):
    """What is still there."""

    ADDRESS_LEFT = "AddressLeft"
    """A Service shows an address that we gave it."""
    CONDITION_LEFT = "ConditionLeft"
    """A Service's status has our condition."""
    POOL_NAME_LEFT = "PoolNameLeft"
    """A Service has the annotation with the pool of its address."""
    MOVE_MARK_LEFT = "MoveMarkLeft"
    """A Service names the node that shall announce it."""
    DRAIN_MARK_LEFT = "DrainMarkLeft"
    """A Node is marked as drained."""
    CONFIG_MARK_LEFT = "ConfigMarkLeft"
    """A ConfigMap in a namespace that is not ours carries an operator's mark."""
    PROGRAM_LEFT = "ProgramLeft"
    """A Deployment, a DaemonSet or a Pod of ours exists."""
    NAMESPACE_LEFT = "NamespaceLeft"
    """Our Namespace exists, with what is in it."""
    RIGHTS_LEFT = "RightsLeft"
    """Roles of ours, or what gives them to somebody, exist."""
    OBJECT_LEFT = "ObjectLeft"
    """Another object with our label exists."""


class RemovalRefusal(StrEnum):
    """Why nothing is removed."""

    PROGRAMS_RUN = "ProgramsRun"
    """The controller would write all of it again, or a Bareway in another namespace needs it."""
    PROGRAMS_UNKNOWN = "ProgramsUnknown"
    """It could not be found out whether a controller runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRemoval:
    """What is taken from the status and the annotations of one Service."""

    service: Service
    addresses: tuple[IPAddress, ...] = ()
    """Those that it shows and that are ours."""
    has_condition: bool = False
    annotations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkRemoval:
    """A mark that is taken from an object."""

    kind: str
    key: ObjectKey
    annotation: str


Removal = ServiceRemoval | MarkRemoval


def removals(remains: Remains, *, keep_addresses: bool = False) -> tuple[Removal, ...]:
    """All that can be taken from objects that are not ours, by name; none while a Bareway elsewhere runs."""
    if remains.elsewhere:
        return ()
    found: list[Removal] = []
    for service in sorted(remains.services, key=lambda one: one.key):
        removal = removal_from(remains, service, keep_addresses=keep_addresses)
        if removal is not None:
            found.append(removal)
    for node in sorted(remains.nodes, key=lambda one: one.name):
        if node.drain is not None:
            key = ObjectKey("", node.name)
            found.append(MarkRemoval(kind="Node", key=key, annotation=DRAIN_ANNOTATION))
    marked = sorted(remains.marked)
    found += [MarkRemoval(kind="ConfigMap", key=key, annotation=mark) for key, mark in marked]
    return tuple(found)


def serves_too(remains: Remains, service: Service) -> bool:
    """Whether another load balancer serves the Service, or may: then what it shows is not ours to take."""
    classes = remains.foreign_classes
    return classes is None or service.load_balancer_class in classes


def strangers(remains: Remains, service: Service) -> tuple[IPAddress, ...]:
    """Addresses that the Service shows and that we did not give it, as far as can be seen.

    Ours are those that our condition names, also where the pools are gone, and those of our pools. Another
    load balancer may have written its own over them and left our condition where it was.
    """
    told = ASSIGNED.match(service.condition.message) if service.condition is not None else None
    named = set(told[1].replace('"', "").split()) if told is not None else set()
    pools = remains.pools
    return tuple(
        one for one in service.ingress if str(one) not in named and not any(one in pool for pool in pools)
    )


def removal_from(
    remains: Remains, service: Service, *, keep_addresses: bool = False
) -> ServiceRemoval | None:
    """What is ours on one Service; None: nothing.

    An address or a pool's name without our condition is anybody's; of a Service that another load balancer
    serves too, such as MetalLB after a way back, both are left to that one.
    """
    is_ours = service.condition is not None
    is_anothers = serves_too(remains, service)
    has_pools = is_ours and not is_anothers
    pools = [key for key in POOL_KEYS if key in service.annotations] if has_pools else []
    is_served = service.condition is not None and (service.condition.is_true or bool(pools))
    marks = [ANNOUNCE_FROM] if ANNOUNCE_FROM in service.annotations else []
    if not (is_ours or marks):
        return None
    not_ours = strangers(remains, service)
    ours = tuple(one for one in service.ingress if one not in not_ours)
    return ServiceRemoval(
        service=service,
        addresses=ours if is_served and not (keep_addresses or is_anothers) else (),
        has_condition=is_ours,
        annotations=(*pools, *marks),
    )


def words_of(removal: Removal) -> tuple[Leftover, ...]:
    """What it takes away."""
    if isinstance(removal, MarkRemoval):
        return (Leftover.DRAIN_MARK_LEFT if removal.kind == "Node" else Leftover.CONFIG_MARK_LEFT,)
    found = [Leftover.ADDRESS_LEFT] * bool(removal.addresses)
    found += [Leftover.CONDITION_LEFT] * removal.has_condition
    found += [Leftover.POOL_NAME_LEFT] * any(key in POOL_KEYS for key in removal.annotations)
    found += [Leftover.MOVE_MARK_LEFT] * (ANNOUNCE_FROM in removal.annotations)
    return tuple(found)


def running(remains: Remains) -> tuple[str, ...]:
    """Controllers that run, or will again, and all that runs elsewhere; as the objects are called."""
    found = [
        f"{one.kind} {one.key}"
        for one in remains.workloads
        if one.kind == "Deployment" and one.labels.get("component") == "controller" and not one.is_idle
    ]
    found += [f"Pod {one.name}" for one in remains.pods if one.component == "controller" and one.running]
    found += [f"{one.kind} {one.key}" for one in remains.elsewhere]
    return tuple(found)


def leftovers(remains: Remains, *, keep_addresses: bool = False) -> tuple[Finding, ...]:
    """All that is left, the gravest first; none: it is as if Bareway had never been there."""
    found: list[Finding] = []
    for removal in removals(remains, keep_addresses=keep_addresses):
        match removal:
            case MarkRemoval():
                found.append(_mark(removal))
            case ServiceRemoval():
                found += [_on_service(removal, word) for word in words_of(removal)]
    found += _programs(remains)
    found += _objects(remains)
    return in_order(tuple(found))


def _mark(removal: MarkRemoval) -> Finding:
    (word,) = words_of(removal)
    where = f"-n {removal.key.namespace} " if removal.key.namespace else ""
    return Finding(
        word=word,
        gravity=Gravity.ODD,
        subject=f"{removal.kind} {removal.key}",
        evidence=f"It has the annotation {removal.annotation}.",
        consequence="Nobody heeds it, until Bareway is installed again.",
        remedy=f"kubectl {where}annotate {removal.kind.lower()} {removal.key.name} {removal.annotation}-",
    )


def _on_service(removal: ServiceRemoval, word: Leftover) -> Finding:
    key = removal.service.key
    evidence, consequence, gravity = {
        Leftover.ADDRESS_LEFT: (
            f"It shows {', '.join(map(str, removal.addresses))}, which Bareway gave it.",
            "Clients are sent to an address that nobody answers for.",
            Gravity.BROKEN,
        ),
        Leftover.CONDITION_LEFT: (
            "Its status has the condition bareway.io/AddressAssigned.",
            "It says what is no longer so.",
            Gravity.ODD,
        ),
        Leftover.POOL_NAME_LEFT: (
            f"It has the annotation {next((one for one in removal.annotations if one in POOL_KEYS), '')}.",
            "It names a pool that nobody has.",
            Gravity.ODD,
        ),
        Leftover.MOVE_MARK_LEFT: (
            f"It has the annotation {ANNOUNCE_FROM}.",
            "Nobody heeds it, until Bareway is installed again.",
            Gravity.ODD,
        ),
    }[word]
    return Finding(
        word=word,
        gravity=gravity,
        subject=f"Service {key}",
        evidence=evidence,
        consequence=consequence,
        remedy=REMOVE,
    )


def _programs(remains: Remains) -> Iterator[Finding]:
    consequence = "Addresses are given and announced as long as it is there."
    for one in remains.workloads:
        yield Finding(
            word=Leftover.PROGRAM_LEFT,
            gravity=Gravity.ODD,
            subject=f"{one.kind} {one.key}",
            evidence="It exists, and runs nothing." if one.is_idle else "It exists.",
            consequence="" if one.is_idle else consequence,
            remedy=_delete(one.kind, one.key),
        )
    for one in remains.elsewhere:
        yield Finding(
            word=Leftover.PROGRAM_LEFT,
            gravity=Gravity.ODD,
            subject=f"{one.kind} {one.key}",
            evidence=f"It runs, in another namespace than {remains.namespace}.",
            consequence="What Bareway wrote into Services and Nodes may be in use, and is not looked at.",
            remedy=f"bareway uninstall -n {one.key.namespace}",
        )
    if remains.workloads:  # its Pods go with it
        return
    for pod in remains.pods:
        key = ObjectKey(remains.namespace, pod.name)
        yield Finding(
            word=Leftover.PROGRAM_LEFT,
            gravity=Gravity.ODD,
            subject=f"Pod {key}",
            evidence="It exists, although nothing of ours keeps it.",
            consequence=consequence,
            remedy=_delete("Pod", key),
        )


def _objects(remains: Remains) -> Iterator[Finding]:
    """Our Namespace stands for what is in it; objects elsewhere are told one by one."""
    own = remains.own_namespace
    inside = [one for one in remains.traces if own is not None and one.key.namespace == own.key.name]
    if own is not None:
        yield Finding(
            word=Leftover.NAMESPACE_LEFT,
            gravity=Gravity.ODD,
            subject=f"Namespace {own.key.name}",
            evidence=f"It {'is being deleted' if own.is_going else 'exists'}{_with(inside)}.",
            consequence="What is remembered of addresses is used when Bareway is installed again.",
            remedy=f"kubectl wait --for=delete namespace/{own.key.name} --timeout=120s"
            if own.is_going
            else _delete("Namespace", own.key),
        )
    for one in remains.traces:
        if one not in inside:
            is_right = "Role" in one.kind
            yield Finding(
                word=Leftover.RIGHTS_LEFT if is_right else Leftover.OBJECT_LEFT,
                gravity=Gravity.ODD,
                subject=f"{one.kind} {one.key}",
                evidence="It is being deleted." if one.is_going else "It exists.",
                consequence="Whoever gets a ServiceAccount of our name has its rights." if is_right else "",
                remedy=_delete(one.kind, one.key),
            )


def _with(inside: list[Trace]) -> str:
    if not inside:
        return ""
    names = [f"{one.kind} {one.key.name}" for one in sorted(inside, key=lambda one: (one.kind, one.key))]
    shown = ", ".join(names[:NAMED])
    return f", with {shown}" + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")


def _delete(kind: str, key: ObjectKey) -> str:
    where = f"-n {key.namespace} " if key.namespace else ""
    return f"kubectl {where}delete {kind.lower()} {key.name}"
