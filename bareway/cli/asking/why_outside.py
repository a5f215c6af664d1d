"""The chain of a Service or an address in a cluster: asked of the controllers, completed by the speakers.

First the controllers are asked, which saves listing thousands of Services; then those speakers whose word
counts: who holds the address or is listed for it, and some others.
"""

from argparse import Namespace
from collections.abc import Sequence
from typing import Final

from bareway.cli.asking.gathering import NoCluster, Wish, config_of, gather, open_cluster
from bareway.cli.asking.parts import Part
from bareway.cli.asking.place import EVERY_SPEAKER, IN_ONE_ROUND, OVERALL_FACTOR, CannotLook
from bareway.cli.asking.pods import Patience, Told, ask_pods, choose, subject_of
from bareway.cli.asking.running import run
from bareway.cli.asking.why_here import read_chain
from bareway.decide.answers.why.answer import completed, why_text
from bareway.decide.answers.why.chain import Place, Why
from bareway.decide.answers.why.told import Hearsay
from bareway.decide.answers.why.view import view_of
from bareway.model.cluster import Cluster, PodState, Unknown
from bareway.model.names import NodeName
from bareway.model.status import SpeakerStatus
from bareway.resources.said import Unintelligible, read_page, read_said
from bareway.runtime.clock import unix_time
from bareway.runtime.kube.client import KubeClient

OBJECTS: Final = frozenset({*Part} - {Part.SPEAKERS, Part.CONTROLLERS})


def why_outside(arguments: Namespace) -> tuple[Why, int]:
    """The chain, and how many speakers were left out.

    Raises:
        CannotLook: nobody could be asked anything.
    """
    try:
        return run(_ask(arguments))
    except NoCluster as error:
        raise CannotLook(f"the cluster cannot be asked: {error}") from error


async def _ask(arguments: Namespace) -> tuple[Why, int]:
    patience = Patience(pod_s=arguments.timeout, overall_s=arguments.timeout * OVERALL_FACTOR)
    async with open_cluster(arguments.kubeconfig) as client:
        asking = _Asking(client, arguments.namespace, arguments.about, patience)
        return await asking.run(EVERY_SPEAKER if arguments.all else IN_ONE_ROUND)


class _Asking:
    """One question."""

    def __init__(self, client: KubeClient, namespace: str, about: str, patience: Patience) -> None:
        self._client = client
        self._namespace = namespace
        self._about = about
        self._patience = patience
        self._unknown: list[Unknown] = []

    async def run(self, speakers_max: int) -> tuple[Why, int]:
        ours = await gather(self._client, Wish(namespace=self._namespace, parts=frozenset()))
        chain = await self._of_controllers(ours)
        if chain is None:
            chain = await self._of_objects()
        pods = [pod for pod in ours.pods if pod.component == "speaker"]
        chosen = choose(pods, named=concerned(chain), at_most=speakers_max) if chain.addresses else ()
        found = await self._completed(chain, ours, chosen)
        # Who has the address may be known from others only: its own word counts more than theirs.
        unheard = tuple(pod for pod in pods if pod not in chosen and pod.node in concerned(found))
        if unheard and chosen:
            found = await self._completed(found, ours, unheard)
        return found, len(pods) - len(chosen) - len(unheard) if chosen else 0

    async def _completed(self, chain: Why, ours: Cluster, pods: Sequence[PodState]) -> Why:
        """With what these speakers say of the addresses."""
        addresses = ",".join(one.address for one in chain.addresses)
        told = await self._asked(pods, addresses)
        hearsay = Hearsay(
            speakers=self._speakers(pods, told),
            pods=view_of(ours, now=0).pods,
            unknown=(*ours.unknown, *self._unknown),
        )
        return completed(chain, hearsay)

    async def _of_controllers(self, ours: Cluster) -> Why | None:
        """What the leading controller says, else another one; None if none says anything."""
        pods = [pod for pod in ours.pods if pod.component == "controller"]
        told = await self._asked(pods, self._about)
        chains: list[tuple[bool, Why]] = []
        for pod in pods:
            page = self._page(pod, told)
            chain = read_chain(page.get("chain"), self._place(ours)) if page is not None else None
            if chain is not None:
                leads = chain.leadership.leader.startswith(f"{pod.name}_")
                chains.append((not leads, chain))
        return min(chains, key=lambda one: one[0])[1] if chains else None

    async def _of_objects(self) -> Why:
        wish = Wish(namespace=self._namespace, parts=OBJECTS, patience=self._patience)
        found = await gather(self._client, wish)
        return why_text(view_of(found, now=unix_time(), place=self._place(found)), self._about)

    def _place(self, ours: Cluster) -> Place:
        return Place(namespace=self._namespace, config=str(config_of(ours.pods, self._namespace)))

    async def _asked(self, pods: Sequence[PodState], about: str) -> dict[str, Told]:
        words = ("why", about, "--as-told", "--timeout", f"{self._patience.pod_s:g}")
        return dict(await ask_pods(self._client, self._namespace, pods, words, patience=self._patience))

    def _speakers(self, pods: Sequence[PodState], told: dict[str, Told]) -> dict[NodeName, SpeakerStatus]:
        found: dict[NodeName, SpeakerStatus] = {}
        for pod in pods:
            page = self._page(pod, told)
            rows = page.get("speakers") if page is not None else None
            for row in rows if isinstance(rows, list) else ():
                try:
                    status = read_said(SpeakerStatus, row)
                except Unintelligible as error:
                    self._unknown.append(Unknown(subject=subject_of(pod), why=str(error)))
                else:
                    found[status.node] = status
        return found

    def _page(self, pod: PodState, told: dict[str, Told]) -> dict[str, object] | None:
        answer = told[pod.name]
        if isinstance(answer, Unknown):
            self._unknown.append(answer)
            return None
        try:
            return dict(read_page(answer))
        except Unintelligible as error:
            self._unknown.append(Unknown(subject=subject_of(pod), why=str(error)))
            return None


def concerned(chain: Why) -> frozenset[NodeName]:
    """The nodes whose own word matters most: who has an address, or is listed for it."""
    links = [one.layer2 for one in chain.addresses if one.layer2 is not None]
    nodes = {name for link in links for name in (link.holder, *link.listed) if name}
    return frozenset(map(NodeName, nodes))
