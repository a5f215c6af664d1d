"""Learns what there is to know of a cluster, from the API and from our own programs, each part by itself.

What cannot be found out, because a right is missing or somebody does not answer, becomes an ``Unknown`` with
the reason, and the rest goes on. Nothing is written anywhere, and nothing is asked twice.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from bareway.cli.asking.attempts import MISREAD_NAMED, Attempts
from bareway.cli.asking.parts import Part
from bareway.cli.asking.pods import PATIENT, SPEAKERS_ASKED, Patience, Told, ask_pods, choose, subject_of
from bareway.cli.asking.running import run
from bareway.cli.settings import usual_kubeconfig
from bareway.model.announcer_lists import SHARDS, AnnouncerLists, Shard
from bareway.model.arguments import CONFIG_NAME as CONFIG_FLAG
from bareway.model.arguments import CONFIG_NAMESPACE, LOAD_BALANCER_CLASS, value_of
from bareway.model.cluster import Cluster, PodState, Unknown
from bareway.model.endpoints import EndpointSlice
from bareway.model.memory import AllocationMemory
from bareway.model.names import NodeName, ObjectKey
from bareway.model.nodes import Node
from bareway.model.objects import ConfigMap, Namespace
from bareway.model.problems import Problem
from bareway.model.services import Service
from bareway.model.status import ControllerStatus, SpeakerStatus
from bareway.resources.announcer_lists import SELECTOR as LISTS
from bareway.resources.announcer_lists import read_lists, read_shard, shard_key
from bareway.resources.configurations import DOCUMENT_KEY, EXTENSION_KEY, read_configuration
from bareway.resources.in_force import IN_FORCE_NAME, InForce, read_in_force
from bareway.resources.kinds import (
    CONFIG_MAPS,
    ENDPOINT_SLICES,
    NAMESPACES,
    NODES,
    PODS,
    SERVICES,
    Kind,
)
from bareway.resources.pods import SELECTOR as OUR_PODS
from bareway.resources.said import Unintelligible
from bareway.resources.state import STATE_NAME, read_state
from bareway.resources.statuses import read_statuses
from bareway.runtime.clock import monotonic
from bareway.runtime.kube.client import KubeClient
from bareway.runtime.kube.credentials import CredentialsUnusable, open_source
from bareway.runtime.settings import DEFAULT_NAMESPACE

T = TypeVar("T")

USUAL_CONFIG: Final = "config"
NO_KUBECONFIG: Final = "no $KUBECONFIG, no ~/.kube/config, and this is no Pod: pass --kubeconfig"
STATUS: Final = ("status", "-o", "json")


class NoCluster(Exception):
    """Nobody could be asked anything; the sentence says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wants to know, and how long they wait for it."""

    namespace: str = DEFAULT_NAMESPACE
    """Of our own objects and Pods."""
    config: ObjectKey | None = None
    """The ConfigMap that the user writes; None = as our Pods' arguments say."""
    parts: frozenset[Part] = frozenset(Part)
    """Our Pods are listed in any case."""
    nodes: frozenset[NodeName] = frozenset()
    """Whose speakers are asked before others."""
    speakers_max: int = SPEAKERS_ASKED
    patience: Patience = PATIENT


EVERYTHING: Final = Wish()


def gathered(kubeconfig: Path | None, wish: Wish = EVERYTHING) -> Cluster:
    """All that is wished for, of the cluster that the kubeconfig names.

    Raises:
        NoCluster: nobody could be asked anything.
    """

    async def work() -> Cluster:
        async with open_cluster(kubeconfig) as client:
            return await gather(client, wish)

    return run(work())


@asynccontextmanager
async def open_cluster(kubeconfig: Path | None) -> AsyncIterator[KubeClient]:
    """A client for the cluster that this kubeconfig names, or the one that kubectl would take.

    Raises:
        NoCluster: there is none, and we are in no Pod either.
    """
    path = kubeconfig or usual_kubeconfig()
    try:
        source = open_source(path)
        await source.current(now=monotonic())  # a plug-in that asks for a password takes its time now
    except CredentialsUnusable as error:
        sentence = str(error) if path else f"{NO_KUBECONFIG} ({error})"
        raise NoCluster(sentence) from error
    async with KubeClient(source) as client:
        yield client


async def gather(client: KubeClient, wish: Wish = EVERYTHING) -> Cluster:
    """All that is wished for, or why not.

    Raises:
        NoCluster: nobody could be asked anything.
    """
    gathering = _Gathering(client, wish)
    await gathering.run()
    return gathering.cluster()


class _Gathering:
    """One round of questions; every answer is kept as it comes."""

    def __init__(self, client: KubeClient, wish: Wish) -> None:
        self._client = client
        self._wish = wish
        self._attempts = Attempts(client)
        self._services: list[Service] = []
        self._nodes: list[Node] = []
        self._slices: list[EndpointSlice] = []
        self._namespaces: list[Namespace] = []
        self._in_force: InForce | None = None
        self._offered: tuple[Problem, ...] = ()
        self._memory = AllocationMemory()
        self._lists = AnnouncerLists()
        self._pods: list[PodState] = []
        self._unasked: tuple[NodeName, ...] = ()
        self._controllers: list[ControllerStatus] = []
        self._speakers: dict[NodeName, SpeakerStatus] = {}

    async def run(self) -> None:
        wanted = self._wish.parts
        async with asyncio.TaskGroup() as group:
            group.create_task(self._ask_programs(), name="programs")
            if Part.SERVICES in wanted:
                group.create_task(self._list(SERVICES, self._services), name="services")
            if Part.NODES in wanted:
                group.create_task(self._list(NODES, self._nodes), name="nodes")
            if Part.SLICES in wanted:
                group.create_task(self._list(ENDPOINT_SLICES, self._slices), name="slices")
            if Part.NAMESPACES in wanted:
                group.create_task(self._list(NAMESPACES, self._namespaces), name="namespaces")
            if Part.MEMORY in wanted:
                group.create_task(self._read_memory(), name="memory")
            if Part.LISTS in wanted:
                group.create_task(self._read_lists(), name="lists")
        if not self._attempts.has_answered:
            raise NoCluster(self._attempts.silence)

    def cluster(self) -> Cluster:
        in_force = self._in_force
        classes = (value_of(pod.arguments, LOAD_BALANCER_CLASS) for pod in in_charge(self._pods))
        return Cluster(
            services={one.key: one for one in self._services},
            nodes=tuple(self._nodes),
            slices=tuple(self._slices),
            namespaces=tuple(self._namespaces),
            configuration=in_force.configuration if in_force else None,
            generation=in_force.generation if in_force else 0,
            source=in_force.source if in_force else "",
            offered=self._offered,
            memory=self._memory,
            lists=self._lists,
            pods=tuple(self._pods),
            controllers=tuple(self._controllers),
            speakers=self._speakers,
            load_balancer_class=next(filter(None, classes), None),
            unasked=self._unasked,
            unknown=tuple(sorted(self._attempts.unknown, key=lambda one: one.subject)),
        )

    async def _list(self, kind: Kind[T], into: list[T]) -> None:
        into += await self._attempts.listed(kind, subject=f"{kind.name}s")

    async def _read_memory(self) -> None:
        config_map = await self._attempts.config_map(ObjectKey(self._wish.namespace, STATE_NAME))
        if config_map is not None:
            memory = read_state(config_map)
            if isinstance(memory, AllocationMemory):
                self._memory = memory
            else:
                self._tell_problems(config_map, memory)

    async def _read_lists(self) -> None:
        config_maps = await self._attempts.listed(
            CONFIG_MAPS, namespace=self._wish.namespace, selector=LISTS, subject="announcer lists"
        )
        by_key = {one.key: one for one in config_maps}
        shards: dict[int, Shard] = {}
        for number in range(SHARDS):
            config_map = by_key.get(shard_key(self._wish.namespace, number))
            if config_map is not None:
                shard = read_shard(config_map)
                if isinstance(shard, Shard):
                    shards[number] = shard
                else:
                    self._tell_problems(config_map, shard)
        self._lists = read_lists(shards)

    async def _read_configuration(self) -> None:
        config_map = await self._attempts.config_map(ObjectKey(self._wish.namespace, IN_FORCE_NAME))
        if config_map is not None:
            in_force = read_in_force(config_map)
            if isinstance(in_force, InForce):
                self._in_force = in_force
            else:
                self._tell_problems(config_map, in_force)
        offered = await self._attempts.config_map(
            self._wish.config or config_of(self._pods, self._wish.namespace)
        )
        if offered is not None:
            document, extension = offered.data.get(DOCUMENT_KEY, ""), offered.data.get(EXTENSION_KEY, "")
            self._offered = read_configuration(document, extension).problems

    def _tell_problems(self, config_map: ConfigMap, problems: Sequence[Problem]) -> None:
        why = "; ".join(map(str, problems[:MISREAD_NAMED]))
        self._attempts.tell(f"ConfigMap {config_map.key}", f"it cannot be read: {why}")

    async def _ask_programs(self) -> None:
        self._pods += await self._attempts.listed(
            PODS, namespace=self._wish.namespace, selector=OUR_PODS, subject="our Pods"
        )
        wanted = self._wish.parts
        asked: list[PodState] = []
        if Part.CONTROLLERS in wanted:
            asked += [pod for pod in self._pods if pod.component == "controller"]
        if Part.SPEAKERS in wanted:
            speakers = [pod for pod in self._pods if pod.component == "speaker"]
            chosen = choose(speakers, named=self._wish.nodes, at_most=self._wish.speakers_max)
            self._unasked = tuple(pod.node for pod in speakers if pod not in chosen and pod.node is not None)
            asked += chosen
        async with asyncio.TaskGroup() as group:
            if Part.CONFIGURATION in wanted:
                group.create_task(self._read_configuration(), name="configuration")
            telling = group.create_task(self._told(asked), name="statuses")
        for pod in asked:  # read once nobody is waited for any more: it may take a while
            self._keep(pod, telling.result()[pod.name])

    async def _told(self, pods: Sequence[PodState]) -> dict[str, Told]:
        patience = self._wish.patience
        words = (*STATUS, "--timeout", f"{patience.pod_s:g}")
        return dict(await ask_pods(self._client, self._wish.namespace, pods, words, patience=patience))

    def _keep(self, pod: PodState, told: Told) -> None:
        if isinstance(told, Unknown):
            self._attempts.unknown.append(told)
            return
        try:
            controllers, speakers = read_statuses(told)
        except Unintelligible as error:
            remedy = f"its version is {pod.version or 'unknown'}; use the command of that version"
            self._attempts.tell(subject_of(pod), str(error), remedy)
            return
        self._controllers += controllers
        self._speakers |= {one.node: one for one in speakers}


def in_charge(pods: Sequence[PodState]) -> Sequence[PodState]:
    """Whose flags count where all have the same: the controllers, else the speakers."""
    return [pod for pod in pods if pod.component == "controller"] or pods


def config_of(pods: Sequence[PodState], namespace: str) -> ObjectKey:
    """Where our programs, which run in this namespace, look for the user's ConfigMap."""
    words = [word for pod in in_charge(pods) for word in pod.arguments]
    where = value_of(words, CONFIG_NAMESPACE) or namespace
    return ObjectKey(where, value_of(words, CONFIG_FLAG) or USUAL_CONFIG)
