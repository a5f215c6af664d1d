"""Asks our own programs from outside: ``bareway --local …`` in their Pods, by the API's exec.

Each program is asked by the command of its own image, so that it says in its own version's words what it
knows. Who cannot be asked is named with the reason, and the others answer nevertheless.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from bareway.model.cluster import PodState, Unknown
from bareway.model.names import NodeName, ObjectKey
from bareway.runtime.kube.client import KubeClient
from bareway.runtime.kube.errors import Forbidden, KubeError, NotFound
from bareway.runtime.kube.exec import run_in_pod

COMMAND: Final = ("bareway", "--local")
POD_TIMEOUT_S: Final = 3.0  # the command starts in half a second, and the program behind it answers at once
OVERALL_TIMEOUT_S: Final = 8.0  # then whoever asked wants to know what there is
AT_ONCE: Final = 8  # streams through one API server, and as many commands that start on as many nodes
SPEAKERS_ASKED: Final = 16  # in a cluster of more; each tells of all members and all addresses that it knows
CODE_COULD_NOT_TELL: Final = 2
COMPLAINT_SHOWN: Final = 300  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long whoever asks is ready to wait."""

    pod_s: float = POD_TIMEOUT_S
    """For one Pod."""
    overall_s: float = OVERALL_TIMEOUT_S
    """For all of them together."""


PATIENT: Final = Patience()

Told: TypeAlias = bytes | Unknown
"""What the command printed, or why it did not."""


def subject_of(pod: PodState) -> str:
    """How it is called in answers."""
    if pod.component == "speaker" and pod.node is not None:
        return f"speaker on {pod.node}"
    return f"{pod.component or 'Pod'} {pod.name}"


def choose(
    pods: Collection[PodState], *, named: Collection[NodeName] = (), at_most: int = SPEAKERS_ASKED
) -> tuple[PodState, ...]:
    """Which speakers to ask, the same ones every time.

    First those on ``named`` nodes, then those that run and are not ready, then others evenly over the order
    of their names.
    """
    ordered = sorted(pods, key=lambda pod: (pod.node or "", pod.name))
    first = [pod for pod in ordered if pod.node in named]
    at_most = max(at_most, len(first))
    first += [pod for pod in ordered if pod.running and not pod.ready and pod not in first]
    rest = [pod for pod in ordered if pod not in first]
    room = at_most - len(first)
    if room <= 0:
        return tuple(first[:at_most])
    if len(rest) > room:
        rest = [rest[index * len(rest) // room] for index in range(room)]
    return tuple(sorted([*first, *rest], key=lambda pod: (pod.node or "", pod.name)))


async def ask_pods(
    client: KubeClient,
    namespace: str,
    pods: Sequence[PodState],
    words: Sequence[str],
    *,
    patience: Patience = PATIENT,
) -> Mapping[str, Told]:
    """What each of the ``pods`` answers to ``bareway --local WORDS…``, by the Pod's name."""
    ends_at = asyncio.get_running_loop().time() + patience.overall_s
    turns = asyncio.Semaphore(AT_ONCE)
    told: dict[str, Told] = {}

    async def ask(pod: PodState) -> None:
        try:
            async with asyncio.timeout_at(ends_at), turns:
                told[pod.name] = await ask_pod(client, namespace, pod, words, timeout_s=patience.pod_s)
        except TimeoutError:
            why = f"no answer within {patience.overall_s:g} s, in which {len(pods)} Pods were asked"
            told[pod.name] = Unknown(subject=subject_of(pod), why=why, remedy="give it more --timeout")

    async with asyncio.TaskGroup() as group:
        for pod in pods:
            group.create_task(ask(pod), name=f"ask {pod.name}")
    return told


async def ask_pod(
    client: KubeClient,
    namespace: str,
    pod: PodState,
    words: Sequence[str],
    *,
    timeout_s: float = POD_TIMEOUT_S,
) -> Told:
    """What one Pod answers to ``bareway --local WORDS…``."""
    subject = subject_of(pod)
    if not pod.running:
        remedy = f"kubectl -n {namespace} describe pod {pod.name}"
        return Unknown(subject=subject, why=f"its Pod does not run: {pod.reason}", remedy=remedy)
    key = ObjectKey(namespace, pod.name)
    try:
        ran = await run_in_pod(client, key, [*COMMAND, *words], container=pod.component, timeout_s=timeout_s)
    except Forbidden as error:
        why = f"no right to run a command in its Pod: {error.message}"
        remedy = f"kubectl auth can-i get pods --subresource=exec -n {namespace}"
        return Unknown(subject=subject, why=why, remedy=remedy)
    except NotFound:
        return Unknown(subject=subject, why="its Pod is gone since it was listed", remedy="ask again")
    except KubeError as error:
        return Unknown(subject=subject, why=str(error), remedy=f"kubectl -n {namespace} logs {pod.name}")
    if ran.code < CODE_COULD_NOT_TELL:
        return ran.output
    lines = ran.complaint.strip().splitlines()
    last = lines[-1].removeprefix("bareway: ")[:COMPLAINT_SHOWN] if lines else ""
    why = last or f"its command ended with code {ran.code}"
    return Unknown(subject=subject, why=why, remedy=f"kubectl -n {namespace} logs {pod.name}")
