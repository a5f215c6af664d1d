"""A cluster at one moment, as far as somebody who asked could find out: what answers are made from.

Nothing here is complete by right. What could not be found out stands in ``unknown``, and who judges says so
instead of taking silence for an answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bareway.model.announcer_lists import AnnouncerLists
from bareway.model.configuration import Configuration
from bareway.model.endpoints import EndpointSlice
from bareway.model.memory import AllocationMemory
from bareway.model.names import NodeName, ServiceKey
from bareway.model.nodes import Node
from bareway.model.objects import Namespace
from bareway.model.problems import Problem
from bareway.model.services import Service
from bareway.model.status import ControllerStatus, SpeakerStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """Something that was asked and not answered."""

    subject: str
    """What would have been learnt, as ``speaker on n2`` or ``Services``."""
    why: str
    """As a sentence: no right to list Services; the Pod does not run; no answer within 3 s."""
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PodState:
    """One of our own Pods."""

    name: str
    component: str
    """``controller`` or ``speaker``."""
    node: NodeName | None
    ready: bool
    reason: str = ""
    """Why it is not, in Kubernetes' words, such as ``CrashLoopBackOff``."""
    restarts: int = 0
    version: str = ""
    """Of its image."""
    running: bool = False
    """Whether its program runs, ready or not, so that it can be asked."""
    arguments: tuple[str, ...] = ()
    """Of its program: what class it serves, where its configuration is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """What is known. None and empty mean "not found out" only where ``unknown`` says so."""

    services: Mapping[ServiceKey, Service] = field(default_factory=dict)
    nodes: tuple[Node, ...] = ()
    slices: tuple[EndpointSlice, ...] = ()
    namespaces: tuple[Namespace, ...] = ()
    configuration: Configuration | None = None
    """In force; None = there never was a good one, or it could not be read."""
    generation: int = 0
    source: str = ""
    offered: tuple[Problem, ...] = ()
    """Mistakes of the document that the user wrote last."""
    memory: AllocationMemory = field(default_factory=AllocationMemory)
    lists: AnnouncerLists = field(default_factory=AnnouncerLists)
    pods: tuple[PodState, ...] = ()
    controllers: tuple[ControllerStatus, ...] = ()
    speakers: Mapping[NodeName, SpeakerStatus] = field(default_factory=dict)
    """By the node that each runs on; who did not answer stands in ``unknown``."""
    load_balancer_class: str | None = None
    """Which Services are ours: None = those without a class."""
    unasked: tuple[NodeName, ...] = ()
    """Speakers that were left out on purpose: there are many, and each tells of all members."""
    unknown: tuple[Unknown, ...] = ()
