"""Why a Service has no address, as the controller knows it: all objects, what it decided, and gossip.

Made when somebody asks, by the same pure function that the command uses on what it gathers; what speakers
alone know (links, frames, sessions) the command asks them for.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from bareway.decide.answers.why.answer import page_of, why_text
from bareway.decide.answers.why.chain import Leadership, Place
from bareway.decide.answers.why.view import MORE_UNREAD, UNREAD, WhyView, Witness
from bareway.gossip.findings import Finding
from bareway.gossip.member import MemberState
from bareway.gossip.observer import Picture
from bareway.model.cluster import Unknown
from bareway.model.names import ObjectKey, ServiceKey
from bareway.model.problems import Problem
from bareway.model.status import FindingStatus
from bareway.runtime.clock import monotonic
from controller.announcement.gossip import Gossip
from controller.leading.elector import Elector
from controller.loop import Loop
from controller.rival import Rival
from controller.settings import Settings
from controller.watch import Watch

UNREAD_NAMED: Final = 5
"""Services that cannot be read: each by name, the rest as a number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyReport:
    """Reads what the parts know; keeps nothing."""

    settings: Settings
    watch: Watch
    loop: Loop
    elector: Elector
    gossip: Gossip
    rival: Rival
    unix_time: Callable[[], int]

    def answer(self, about: str) -> str:
        """The chain as JSON text; empty before everything was listed once."""
        if self.watch.unsynced:
            return ""
        return json.dumps(page_of(why_text(self.view(), about)), ensure_ascii=False)

    def view(self) -> WhyView:
        """All that the controller sees at this moment."""
        report, watch = self.loop.report, self.watch
        in_force = report.in_force
        return WhyView(
            services=watch.services.objects,
            nodes=tuple(watch.nodes.objects.values()),
            slices=tuple(watch.slices.objects.values()),
            namespaces=watch.namespace_labels,
            configuration=in_force.configuration if in_force is not None else None,
            generation=in_force.generation if in_force is not None else 0,
            source=in_force.source if in_force is not None else "",
            offered=report.acceptance.problems,
            memory=report.memory,
            lists=report.lists,
            allocation=report.allocation,
            leadership=Leadership(is_known=True, leader=self.elector.holder, refusal=self.rival.refusal),
            witnesses=self._witnesses(),
            load_balancer_class=self.settings.load_balancer_class,
            place=place_of(self.settings),
            now=self.unix_time(),
            unknown=tuple(unread(watch.services.problems, watch.services.objects)),
        )

    def _witnesses(self) -> tuple[Witness, ...]:
        """What is heard in gossip; nothing while nobody is heard."""
        now = monotonic()
        picture = self.gossip.picture(now=now)
        if picture is None:
            return ()
        return (witness_of(picture, self.gossip.findings(now=now) or ()),)


def witness_of(picture: Picture, findings: Iterable[Finding]) -> Witness:
    """What gossip tells, as the chain takes it."""
    members = picture.members.items()
    return Witness(
        name="the controller",
        holders={key: claim.node for key, claim in picture.claims.items() if claim.node},
        states={name: MemberState.ALIVE if seen.alive else MemberState.DEAD for name, seen in members},
        able=frozenset(name for name, seen in members if seen.alive and seen.eligible),
        findings=tuple(
            (one.by, FindingStatus(address=one.address, reason=one.word, mac=str(one.mac), node=one.node))
            for one in findings
        ),
    )


def place_of(settings: Settings) -> Place:
    """Where remedies say that our things are."""
    config = ObjectKey(settings.configuration_namespace, settings.config_name)
    return Place(namespace=settings.namespace, config=str(config))


def unread(
    problems: Mapping[ServiceKey, tuple[Problem, ...]], objects: Mapping[ServiceKey, object]
) -> Iterator[Unknown]:
    """Services that are there and of which no form could ever be read."""
    keys = sorted(problems.keys() - objects.keys())
    for key in keys[:UNREAD_NAMED]:
        yield Unknown(subject=f"{UNREAD}{key}", why=f"it cannot be read: {problems[key][0]}")
    if len(keys) > UNREAD_NAMED:
        yield Unknown(subject=f"{len(keys) - UNREAD_NAMED}{MORE_UNREAD}", why="they cannot be read")
