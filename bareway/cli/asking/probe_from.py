"""Asks the wire from a node: ``bareway --local probe …`` in the Pod of its speaker, by the API's exec."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bareway.cli.asking.gathering import Wish, gather, gathered, open_cluster
from bareway.cli.asking.parts import Part
from bareway.cli.asking.pods import ask_pod
from bareway.cli.asking.running import run
from bareway.decide.answers.probing import Probed, ProbeRefusal, known_of
from bareway.model.cluster import Cluster, Unknown
from bareway.model.names import IPAddress, NodeName
from bareway.resources.said import Unintelligible, read_page, read_said

START_S: Final = 10.0
"""Seconds that the command on the node, and scapy in it, may take to start: a speaker has little CPU."""


class NotAsked(Exception):
    """The node did not ask; the sentence says why."""


def speakers_of(kubeconfig: Path | None, namespace: str) -> Cluster:
    """What the speakers say of their links, and of who announces what.

    Raises:
        NoCluster: nobody could be asked anything.
    """
    return gathered(kubeconfig, Wish(namespace=namespace, parts=frozenset({Part.SPEAKERS})))


def probe_from(
    kubeconfig: Path | None,
    namespace: str,
    node: NodeName,
    address: IPAddress,
    *,
    words: Sequence[str],
    timeout_s: float,
) -> tuple[Probed, Cluster]:
    """What ``node`` heard, and what is known beside that.

    Raises:
        NoCluster: nobody could be asked anything.
        NotAsked: there is no such speaker, it announces the address itself, or it could not ask.
    """
    return run(_probe_from(kubeconfig, namespace, node, address, words=words, timeout_s=timeout_s))


async def _probe_from(
    kubeconfig: Path | None,
    namespace: str,
    node: NodeName,
    address: IPAddress,
    *,
    words: Sequence[str],
    timeout_s: float,
) -> tuple[Probed, Cluster]:
    async with open_cluster(kubeconfig) as client:
        wish = Wish(namespace=namespace, parts=frozenset({Part.SPEAKERS}), nodes=frozenset({node}))
        cluster = await gather(client, wish)
        pods = (pod for pod in cluster.pods if pod.component == "speaker")
        pod = next((pod for pod in pods if pod.node == node), None)
        if pod is None:
            raise NotAsked(_no_speaker(node, cluster))
        if known_of(cluster.speakers, address).announced_by == node:
            raise NotAsked(
                f"{ProbeRefusal.OWN_ADDRESS}: node {node} announces {address} itself, and nobody asks for"
                " what is its own; choose another node"
            )
        told = await ask_pod(client, namespace, pod, words, timeout_s=START_S + timeout_s)
    if isinstance(told, Unknown):
        raise NotAsked(
            f"{told.subject} did not ask: {told.why}" + (f"; {told.remedy}" if told.remedy else "")
        )
    try:
        return read_said(Probed, read_page(told).get("probed")), cluster
    except Unintelligible as error:
        raise NotAsked(f"speaker on {node}: {error}; is it of the same version?") from error


def _no_speaker(node: NodeName, cluster: Cluster) -> str:
    there = sorted(pod.node for pod in cluster.pods if pod.component == "speaker" and pod.node)
    if there:
        return f"no speaker runs on a node {node}; speakers run on: {', '.join(there)}"
    return "; ".join([f"no speaker is known on a node {node}", *(one.why for one in cluster.unknown)])
