"""What ``why`` looks at: the objects, what the controller decided, and what speakers and members say.

None stands for what could not be found out; empty for what is not there.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from bareway.decide.allocation.allocate import AllocationView, allocate
from bareway.decide.allocation.verdicts import Allocation
from bareway.decide.answers.why.chain import Leadership, Place
from bareway.model.announcer_lists import AnnouncerLists
from bareway.model.cluster import Cluster, PodState, Unknown
from bareway.model.configuration import Configuration
from bareway.model.endpoints import EndpointSlice
from bareway.model.memory import AllocationMemory
from bareway.model.names import IPAddress, NodeName, ServiceKey
from bareway.model.nodes import Node
from bareway.model.problems import Problem, Severity
from bareway.model.services import Service
from bareway.model.status import ControllerStatus, FindingStatus, SpeakerStatus

SERVICES: Final = "Services"
NODES: Final = "Nodes"
SLICES: Final = "EndpointSlices"
CONFIGURATION: Final = "/bareway-config"
"""How the name of that ConfigMap ends, whatever its namespace."""
PODS: Final = "our Pods"
"""How ``Cluster.unknown`` calls them; of a speaker it says ``speaker on n1``."""
SPEAKER: Final = "speaker on "
UNREAD: Final = "Service "
"""Of a Service that cannot be read it says ``Service shop/web``; of too many to name, ``5 more services``."""
MORE_UNREAD: Final = " more services"


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """Somebody who hears gossip and announces nothing."""

    name: str
    """As it is told, such as ``the controller``."""
    holders: Mapping[IPAddress, NodeName] = field(default_factory=dict)
    """Who has the claim of each group, by its key."""
    states: Mapping[NodeName, str] = field(default_factory=dict)
    """Words of ``MemberState``."""
    able: frozenset[NodeName] = frozenset()
    """Who says that its own node may announce, whatever we make of its labels."""
    findings: tuple[tuple[NodeName, FindingStatus], ...] = ()
    """With who found it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyView:
    """A cluster at one moment."""

    services: Mapping[ServiceKey, Service] | None = None
    nodes: tuple[Node, ...] | None = None
    slices: tuple[EndpointSlice, ...] | None = None
    namespaces: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    configuration: Configuration | None = None
    is_configuration_known: bool = True
    """Otherwise no configuration does not mean that there is none."""
    generation: int = 0
    source: str = ""
    offered: tuple[Problem, ...] = ()
    memory: AllocationMemory = field(default_factory=AllocationMemory)
    lists: AnnouncerLists = field(default_factory=AnnouncerLists)
    allocation: Allocation | None = None
    """As it was decided already; None = it is decided here."""
    leadership: Leadership = field(default_factory=Leadership)
    witnesses: tuple[Witness, ...] = ()
    speakers: Mapping[NodeName, SpeakerStatus] = field(default_factory=dict)
    pods: Mapping[NodeName, PodState] | None = None
    """The Pod of each node's speaker; None = nobody knows."""
    load_balancer_class: str | None = None
    place: Place = field(default_factory=Place)
    now: int = 0
    """Unix seconds, as in the memory."""
    unknown: tuple[Unknown, ...] = ()

    @property
    def unread(self) -> frozenset[ServiceKey]:
        """Services that are there and cannot be read, as far as they are named."""
        names = (one.subject.removeprefix(UNREAD) for one in self.unknown if one.subject.startswith(UNREAD))
        parts = (name.rpartition("/") for name in names)
        return frozenset(ServiceKey(namespace, name) for namespace, _, name in parts)

    @property
    def are_services_known(self) -> bool:
        """Whether every Service was seen: otherwise any may be there, and have any address."""
        return self.services is not None and not self.unread and not self._has_unnamed

    def may_exist(self, key: ServiceKey) -> bool:
        """Whether nothing is known that speaks against a Service that was not seen."""
        return self.services is None or self._has_unnamed or key in self.unread

    @property
    def _has_unnamed(self) -> bool:
        return any(one.subject.endswith(MORE_UNREAD) for one in self.unknown)

    def decided(self) -> Allocation | None:
        """Who gets what; None where too little is known."""
        if self.allocation is not None:
            return self.allocation
        if self.services is None or self.configuration is None:
            return None
        return allocate(
            AllocationView(
                configuration=self.configuration,
                services=self.services.values(),
                namespaces=self.namespaces,
                memory=self.memory,
                now=self.now,
                load_balancer_class=self.load_balancer_class,
            )
        )


def view_of(cluster: Cluster, *, now: int, place: Place | None = None) -> WhyView:
    """What was gathered; ``now`` is Unix seconds, ``place`` where it was looked for."""
    missing = {one.subject for one in cluster.unknown}
    return WhyView(
        services=None if SERVICES in missing else cluster.services,
        nodes=None if NODES in missing else cluster.nodes,
        slices=None if SLICES in missing else cluster.slices,
        namespaces={one.name: one.labels for one in cluster.namespaces},
        configuration=cluster.configuration,
        is_configuration_known=not any(subject.endswith(CONFIGURATION) for subject in missing),
        generation=cluster.generation,
        source=cluster.source,
        offered=cluster.offered or _refused(cluster.controllers),
        memory=cluster.memory,
        lists=cluster.lists,
        leadership=_leadership(cluster, are_pods_known=PODS not in missing),
        speakers=cluster.speakers,
        pods=None if PODS in missing else _speaker_pods(cluster.pods),
        load_balancer_class=cluster.load_balancer_class,
        place=place or Place(),
        now=now,
        unknown=cluster.unknown,
    )


def _leadership(cluster: Cluster, *, are_pods_known: bool) -> Leadership:
    """Who leads, as controllers tell it; where none runs, nobody does."""
    known = cluster.controllers
    leader = next((one.identity or one.leader for one in known if one.leads), "")
    told = leader or next((one.leader for one in known if one.leader), "")
    runs = any(pod.component == "controller" and pod.running for pod in cluster.pods)
    return Leadership(is_known=bool(known) or (are_pods_known and not runs), leader=told)


def _refused(controllers: Iterable[ControllerStatus]) -> tuple[Problem, ...]:
    """Mistakes of the newest document, as a controller tells them."""
    problems = (problem for one in controllers for problem in one.configuration.problems)
    return tuple(dict.fromkeys(one for one in problems if one.severity is Severity.ERROR))


def _speaker_pods(pods: Iterable[PodState]) -> Mapping[NodeName, PodState]:
    return {one.node: one for one in pods if one.component == "speaker" and one.node is not None}
