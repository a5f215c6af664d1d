"""Learns what ``bareway doctor`` looks at besides: kube-proxy, other controllers, rights, clocks, kernels.

Each part by itself: what is refused or not answered becomes an ``Unknown`` with the reason, and the rest goes
on. Nothing is written; questions about rights are reviews, which leave nothing behind.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Final, TypeVar

import msgspec
from msgspec import Struct

from bareway.cli.asking.accounts import missing_rights
from bareway.cli.asking.attempts import Attempts
from bareway.cli.asking.pods import SPEAKERS_ASKED, Patience, ask_pods, choose, subject_of
from bareway.decide.answers.foreigners import recognised
from bareway.model.arguments import value_of
from bareway.model.cluster import PodState, Unknown
from bareway.model.names import NodeName, ObjectKey
from bareway.model.surroundings import ForeignController, KubeProxy, NodeFacts, Surroundings, Workload
from bareway.resources.kinds import LEASES, Kind
from bareway.resources.kube_proxy import NODE_WORDS, NodeWords, from_config_map, from_workload
from bareway.resources.pods import SELECTOR
from bareway.resources.said import Unintelligible, read_page, read_said
from bareway.resources.workloads import ANY_PODS, DAEMON_SETS, DEPLOYMENTS
from bareway.runtime.kube.client import KubeClient

T = TypeVar("T")

SYSTEM: Final = "kube-system"
HEARTBEATS: Final = "kube-node-lease"
KUBE_PROXY_MAPS: Final = ("kube-proxy", "kube-proxy-config")
"""ConfigMaps in kube-system: kubeadm's and those like it, EKS'."""
CILIUM_POOLS: Final = "/apis/cilium.io/v2alpha1/ciliumloadbalancerippools"
OBJECTS_MAX: Final = 5_000  # of a kind that are looked at; a cluster of 1,000 nodes has as many Leases
WHERE_TO_LOOK: Final = (
    "ip link show kube-ipvs0, on a node: with that link it is in IPVS mode, which needs strictARP"
)
PATIENCE: Final = Patience()
FACTS: Final = ("doctor", "-o", "json")


async def surroundings(
    client: KubeClient,
    namespace: str,
    pods: Sequence[PodState],
    *,
    speakers_max: int = SPEAKERS_ASKED,
    patience: Patience = PATIENCE,
) -> Surroundings:
    """All that can be found out; ``pods`` are ours, as they were listed."""
    looking = _Looking(client, namespace)
    async with asyncio.TaskGroup() as group:
        version = group.create_task(looking.version(), name="version")
        proxies = group.create_task(looking.kube_proxy_maps(), name="kube-proxy")
        workloads = group.create_task(looking.workloads(), name="workloads")
        cilium = group.create_task(looking.cilium(), name="cilium")
        nodes = group.create_task(looking.nodes(), name="nodes")
        beats = group.create_task(looking.heartbeats(), name="heartbeats")
        words = group.create_task(looking.last_words(), name="last words")
        rights = group.create_task(looking.rights(pods), name="rights")
        facts = group.create_task(looking.facts(pods, speakers_max, patience), name="kernels")
    ready = {one.name for one in nodes.result() if one.is_ready}
    told: Sequence[KubeProxy] = [
        *proxies.result(),
        *(one for each in workloads.result() if (one := _proxy_of(each)) is not None),
        *(one.kube_proxy for one in nodes.result() if one.kube_proxy is not None),
    ] or _static_proxies(workloads.result())
    silent = [str(one.key) for one in workloads.result() if _is_proxy(one) and _has_file(one)]
    if silent and not told and not facts.result():  # a kernel tells it by the link that this mode makes
        why = f"{silent[0]} is there, and neither its flags nor a ConfigMap say it"
        looking.attempts.tell("mode of kube-proxy", why, WHERE_TO_LOOK)
    return Surroundings(
        namespace=namespace,
        kubernetes=version.result(),
        kube_proxies=tuple(told),
        foreign=(*recognised(workloads.result(), namespace), *cilium.result()),
        missing_rights=rights.result(),
        last_words=words.result(),
        heartbeats={name: at for name, at in beats.result().items() if name in ready},
        nodes=facts.result(),
        unknown=tuple(sorted(looking.attempts.unknown, key=lambda one: one.subject)),
    )


class _Version(Struct, frozen=True):
    gitVersion: str = ""  # noqa: N815 - its name in the answer to /version


class _Looking:
    """One round of questions."""

    def __init__(self, client: KubeClient, namespace: str) -> None:
        self._client = client
        self._namespace = namespace
        self.attempts = Attempts(client)

    async def version(self) -> str:
        async def ask() -> str:
            body = await self._client.get("/version")
            return msgspec.json.decode(body, type=_Version).gitVersion

        return await self.attempts.attempt("version of Kubernetes", ask(), may_lack=True) or ""

    async def kube_proxy_maps(self) -> list[KubeProxy]:
        found: list[KubeProxy] = []
        for name in KUBE_PROXY_MAPS:
            key = ObjectKey(SYSTEM, name)
            there = await self.attempts.config_map(key)
            told = from_config_map(f"ConfigMap {key}", there.data) if there is not None else None
            if told is not None:
                found.append(told)
        return found

    async def workloads(self) -> list[Workload]:
        """Those in all namespaces, and the Pods of kube-system: some are started from files of the node."""
        every = [await self._list(kind) for kind in (DAEMON_SETS, DEPLOYMENTS)]
        return [*every[0], *every[1], *await self._list(ANY_PODS, SYSTEM)]

    async def cilium(self) -> list[ForeignController]:
        """Cilium gives addresses where it has pools; without its CRD there is nothing to read."""

        class Named(Struct, frozen=True):
            name: str = ""

        class Pool(Struct, frozen=True):
            metadata: Named = Named()

        class Pools(Struct, frozen=True):
            items: tuple[Pool, ...] = ()

        async def ask() -> list[str]:
            body = await self._client.get(CILIUM_POOLS, {"limit": "1"})
            return [pool.metadata.name for pool in msgspec.json.decode(body, type=Pools).items]

        right = "list ciliumloadbalancerippools.cilium.io"
        names = await self.attempts.attempt("Cilium's pools", ask(), right=right, may_lack=True) or []
        return [
            ForeignController(
                product="Cilium's LB IPAM",
                kind="CiliumLoadBalancerIPPool",
                key=ObjectKey("", name),
                remedy="Give Cilium's pools a serviceSelector that leaves our Services out, delete the"
                " pools, or"
                " set defaultLBServiceIPAM: none in Cilium's chart.",
            )
            for name in names
        ]

    async def nodes(self) -> list[NodeWords]:
        return await self._list(NODE_WORDS)

    async def heartbeats(self) -> dict[NodeName, float]:
        """When each kubelet renewed its Lease last."""
        found: dict[NodeName, float] = {}
        for lease in await self._list(LEASES, HEARTBEATS):
            try:
                found[NodeName(lease.key.name)] = datetime.fromisoformat(lease.renewed_at).timestamp()
            except ValueError:
                continue
        return found

    async def last_words(self) -> dict[str, str]:
        """What our containers said when they ended."""

        async def ask() -> dict[str, str]:
            query = {"labelSelector": SELECTOR, "limit": str(OBJECTS_MAX)}
            body = await self._client.get(f"/api/v1/namespaces/{self._namespace}/pods", query)
            return read_last_words(body)

        return await self.attempts.attempt("our Pods' ends", ask(), may_lack=True) or {}

    async def rights(self, pods: Sequence[PodState]) -> dict[str, tuple[str, ...]]:
        if not pods:
            return {}
        right = "create subjectaccessreviews.authorization.k8s.io"
        asked = missing_rights(self._client, self._namespace, pods)
        subject = "rights of our ServiceAccounts"
        return await self.attempts.attempt(subject, asked, right=right, may_lack=True) or {}

    async def facts(
        self, pods: Sequence[PodState], at_most: int, patience: Patience
    ) -> dict[NodeName, NodeFacts]:
        """What the speakers' Pods see of their nodes; who does not answer is named."""
        chosen = choose([pod for pod in pods if pod.component == "speaker" and pod.running], at_most=at_most)
        words = (*FACTS, "--timeout", f"{patience.pod_s:g}")
        told = await ask_pods(self._client, self._namespace, chosen, words, patience=patience)
        found: dict[NodeName, NodeFacts] = {}
        for pod in chosen:
            answer = told[pod.name]
            subject = f"kernel of {pod.node}"
            if isinstance(answer, Unknown):
                self.attempts.tell(subject, answer.why, answer.remedy)
                continue
            try:
                facts = read_said(NodeFacts, read_page(answer).get("node"))
            except Unintelligible as error:
                self.attempts.tell(subject, f"{subject_of(pod)}: {error}")
                continue
            found[pod.node or facts.node] = facts
        return found

    async def _list(self, kind: Kind[T], namespace: str | None = None) -> list[T]:
        subject = f"{kind.plural} in {namespace}" if namespace else kind.plural
        return await self.attempts.listed(
            kind, namespace=namespace, subject=subject, at_most=OBJECTS_MAX, may_lack=True
        )


def _static_proxies(workloads: Sequence[Workload]) -> list[KubeProxy]:
    """Those that kubelets start from files, as their mirror Pods show them: each way of working once."""
    pods = (one for one in workloads if one.kind == "Pod" and _is_proxy(one))
    told = {(one.mode, one.strict_arp): one for pod in pods if (one := from_workload(pod)) is not None}
    return list(told.values())


def _proxy_of(workload: Workload) -> KubeProxy | None:
    return from_workload(workload) if _is_proxy(workload) and workload.kind != "Pod" else None


def _has_file(proxy: Workload) -> bool:
    """Whether its mode may stand in a file of its own; without one and without a flag it is not IPVS."""
    return bool(value_of(proxy.arguments, "config"))


def _is_proxy(workload: Workload) -> bool:
    return workload.key.namespace == SYSTEM and workload.key.name.startswith("kube-proxy")


class _Ended(Struct, frozen=True):
    message: str | None = None


class _State(Struct, frozen=True):
    terminated: _Ended | None = None


class _ContainerStatus(Struct, frozen=True, rename="camel"):
    last_state: _State | None = None
    state: _State | None = None


class _Status(Struct, frozen=True, rename="camel"):
    container_statuses: tuple[_ContainerStatus, ...] | None = None


class _Metadata(Struct, frozen=True):
    name: str = ""


class _Pod(Struct, frozen=True):
    metadata: _Metadata = _Metadata()
    status: _Status | None = None


class _Pods(Struct, frozen=True):
    items: tuple[_Pod, ...] = ()


def read_last_words(body: bytes) -> dict[str, str]:
    """By Pod: the termination message of a container that is not running, or that ran before this one.

    Raises:
        msgspec.MsgspecError: it is no list of Pods.
    """
    found: dict[str, str] = {}
    for pod in msgspec.json.decode(body, type=_Pods).items:
        for status in (pod.status or _Status()).container_statuses or ():
            for state in (status.last_state, status.state):  # the newer one counts
                ended = state.terminated if state is not None else None
                if ended is not None and ended.message:
                    found[pod.metadata.name] = ended.message
    return found
