"""Looks for what is left of Bareway in a cluster, each part by itself; nothing is written.

What is refused or not answered becomes an ``Unknown`` with the reason. A kind that the API server does not
know, such as PodMonitor, has no objects.
"""

import asyncio
from typing import Final, TypeVar

from bareway.cli.asking.attempts import Attempts
from bareway.decide.answers.foreigners import recognised
from bareway.decide.answers.leftovers import CONFIG_MARKS
from bareway.model.addresses import AddressRange
from bareway.model.arguments import CONFIG_NAMESPACE, value_of
from bareway.model.cluster import PodState
from bareway.model.names import ObjectKey
from bareway.model.nodes import Node
from bareway.model.remains import Remains, Trace
from bareway.model.services import Service
from bareway.model.surroundings import Workload
from bareway.resources.in_force import IN_FORCE_NAME, InForce, read_in_force
from bareway.resources.kinds import NODES, PODS, SERVICES, Kind
from bareway.resources.traces import EVERYWHERE, NAMESPACES, SELECTOR, WITHIN
from bareway.resources.workloads import DAEMON_SETS, DEPLOYMENTS
from bareway.runtime.kube.client import KubeClient

T = TypeVar("T")

METALLB_NAMESPACE: Final = "metallb-system"
CONFIG_NAME: Final = "config"
OURS: Final = "bareway"
"""How names of our objects begin: somebody else may use our label."""
COMPONENTS: Final = frozenset({"controller", "speaker"})
"""As a second label says it on our workloads: outside of our namespace the first one alone proves nothing."""


class NoAnswer(Exception):
    """Nobody could be asked anything; the sentence says why."""


async def look_for_remains(client: KubeClient, namespace: str) -> Remains:
    """All that can be found out.

    Raises:
        NoAnswer: nothing could.
    """
    looking = _Looking(client, namespace)
    await looking.run()
    if not looking.attempts.has_answered:
        raise NoAnswer(looking.attempts.silence)
    own = next((one for one in looking.namespaces if one.key.name == namespace), None)
    return Remains(
        namespace=namespace,
        services=tuple(looking.services),
        nodes=tuple(looking.nodes),
        marked=tuple(looking.marked),
        workloads=tuple(one for one in looking.workloads if _is_our_workload(one, namespace)),
        elsewhere=tuple(one for one in looking.workloads if _runs_elsewhere(one, namespace)),
        pools=tuple(looking.pools),
        pods=tuple(looking.pods),
        own_namespace=own,
        traces=tuple(one for one in looking.traces if _is_our_trace(one, namespace)),
        foreign_classes=_foreign_classes(looking, namespace),
        unknown=tuple(sorted(looking.attempts.unknown, key=lambda one: one.subject)),
    )


class _Looking:
    """One round of questions; every answer is kept as it comes."""

    def __init__(self, client: KubeClient, namespace: str) -> None:
        self._namespace = namespace
        self.attempts = Attempts(client)
        self.services: list[Service] = []
        self.nodes: list[Node] = []
        self.workloads: list[Workload] = []
        self.pods: list[PodState] = []
        self.namespaces: list[Trace] = []
        self.traces: list[Trace] = []
        self.marked: list[tuple[ObjectKey, str]] = []
        self.pools: list[AddressRange] = []

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._list(SERVICES, self.services), name="services")
            group.create_task(self._list(NODES, self.nodes), name="nodes")
            group.create_task(self._list(PODS, self.pods, self._namespace, SELECTOR), name="pods")
            group.create_task(self._list(NAMESPACES, self.namespaces, None, SELECTOR), name="namespaces")
            group.create_task(self._programs(), name="programs")
            group.create_task(self._pools(), name="pools")
            for kind in EVERYWHERE:
                group.create_task(self._list(kind, self.traces, None, SELECTOR), name=kind.plural)
            for kind in WITHIN:
                listing = self._list(kind, self.traces, self._namespace, SELECTOR)
                group.create_task(listing, name=kind.plural)

    async def _programs(self) -> None:
        """Workloads of everybody, since MetalLB counts too; and the ConfigMap that our arguments name."""
        for kind in (DEPLOYMENTS, DAEMON_SETS):
            await self._list(kind, self.workloads)
        arguments = [one.arguments for one in self.workloads if _is_our_workload(one, self._namespace)]
        told = {value_of(some, CONFIG_NAMESPACE) for some in arguments}
        for namespace in sorted({METALLB_NAMESPACE, *told} - {"", self._namespace}):
            await self._marks(ObjectKey(namespace, CONFIG_NAME))

    async def _marks(self, key: ObjectKey) -> None:
        config_map = await self.attempts.config_map(key)
        if config_map is not None:
            self.marked += [(key, mark) for mark in CONFIG_MARKS if mark in config_map.annotations]

    async def _pools(self) -> None:
        """Of the configuration in force; one that cannot be used proves of no address that it is ours."""
        config_map = await self.attempts.config_map(ObjectKey(self._namespace, IN_FORCE_NAME))
        in_force = read_in_force(config_map) if config_map is not None else None
        if isinstance(in_force, InForce):
            self.pools += [each for pool in in_force.configuration.pools for each in pool.ranges]

    async def _list(
        self, kind: Kind[T], into: list[T], namespace: str | None = None, selector: str = ""
    ) -> None:
        into += await self.attempts.listed(kind, namespace=namespace, selector=selector, may_lack=True)


def _foreign_classes(looking: _Looking, namespace: str) -> frozenset[str | None] | None:
    """Of Services that others serve, who run; in doubt nobody knows, and what may be theirs stays."""
    unknown = {one.subject for one in looking.attempts.unknown}
    if unknown & {DEPLOYMENTS.plural, DAEMON_SETS.plural}:
        return None
    return frozenset(one.load_balancer_class or None for one in recognised(looking.workloads, namespace))


def _is_our_workload(one: Workload, namespace: str) -> bool:
    return one.labels.get("app") == OURS and one.key.namespace == namespace


def _runs_elsewhere(one: Workload, namespace: str) -> bool:
    is_ours = one.labels.get("app") == OURS and one.labels.get("component") in COMPONENTS
    return is_ours and one.key.namespace != namespace and not one.is_idle


def _is_our_trace(one: Trace, namespace: str) -> bool:
    return one.key.namespace == namespace or one.key.name.startswith(OURS)
