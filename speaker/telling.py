"""What operators are told: one log line for each change of what they would ask about, and Events.

Level, not edge: the state is looked at again and again, and spoken of when it is another one.
"""

import logging
from collections.abc import Mapping
from typing import Protocol

from bareway.decide.announcement.announcers import Group, Refusal
from bareway.decide.announcement.leaving import LeavingReason
from bareway.model.names import ObjectKey
from bareway.model.objects import ObjectReference
from bareway.model.problems import Problem
from bareway.resources.events import EventType
from bareway.resources.kinds import NODES, SERVICES
from speaker.settings import Settings
from speaker.watch import Watch

logger = logging.getLogger(__name__)


class Recorder(Protocol):
    """Where Events go."""

    def emit(self, about: ObjectReference, type_: EventType, reason: str, message: str) -> None:
        """Tell something about an object."""


class Teller:
    """Remembers what it said last."""

    def __init__(self, settings: Settings, *, watch: Watch, recorder: Recorder) -> None:
        self._settings = settings
        self._watch = watch
        self._recorder = recorder
        self._logged: dict[str, object] = {}
        self._outage = ""
        self._refused: frozenset[str] = frozenset()

    def announced(self, group: Group) -> None:
        """An Event for each Service whose address is announced here now."""
        message = f'announcing from node "{self._settings.node_name}" with protocol "layer2"'
        for key in group.services:
            service = self._watch.services.objects.get(key)
            about = SERVICES.reference(key, service.uid if service else "")
            self._recorder.emit(about, EventType.NORMAL, "nodeAssigned", message)

    def look(self, *, refusal: Refusal | None, leaving: LeavingReason | None) -> None:
        """Say what changed since the last look.

        Args:
            refusal: why this node may announce nothing.
            leaving: why it hands over what it announces.
        """
        self._say_configuration()
        self._say_key()
        self._say_api()
        self._say_refusals()
        self._say_lists(self._watch.lists.problems)
        if refusal is not None:
            self._say("own", "this node announces nothing", logging.WARNING, refusal)
        else:
            self._say("own", "this node may announce", logging.INFO, "")
        self.leaving(leaving)

    def leaving(self, reason: LeavingReason | None) -> None:
        """Say why this node hands over, or that it no longer does."""
        if reason is not None:
            self._say("leaving", "this node hands over what it announces", logging.INFO, reason)
        elif "leaving" in self._logged:
            self._say("leaving", "this node takes addresses again", logging.INFO, "")

    def once(self, about: str, message: str, detail: str) -> None:
        """A warning that is repeated only after it was another one, or ``forget`` was called."""
        self._say(about, message, logging.WARNING, detail)

    def forget(self, about: str) -> None:
        """The same one later is news again."""
        self._logged.pop(about, None)

    def _say_configuration(self) -> None:
        configured = self._watch.configured()
        if self._watch.synced and configured.configuration is None:
            place = f"{self._settings.configuration_namespace}/{self._settings.config_name}"
            self._say("configuration", "waiting for a configuration", logging.WARNING, place)
        elif configured.configuration is not None:
            self._say("configuration", "configuration loaded", logging.INFO, configured.status.sha256)
        if configured.status.problems:
            problems = "; ".join(map(str, configured.status.problems))
            self.once("problems", "the configuration has problems", problems)
        else:
            self.forget("problems")

    def _say_key(self) -> None:
        if self._watch.lacks_gossip_key:
            secret = f"{self._settings.namespace}/{self._settings.gossip_secret}"
            self.once("key", "waiting for the Secret with the gossip key", secret)
        else:
            self.forget("key")

    def _say_lists(self, problems: Mapping[ObjectKey, tuple[Problem, ...]]) -> None:
        if problems:
            told = "; ".join(f"{key}: {found[0]}" for key, found in sorted(problems.items()))
            self.once("lists", "announcer lists cannot be read; the last good ones count", told)
        else:
            self.forget("lists")

    def _say_api(self) -> None:
        """One line an outage, with how it began: its story changes with each mirror that notices."""
        if self._watch.troubles:
            self._outage = self._outage or "; ".join(self._watch.troubles)
            self._say("api", "the API server is away; announcing goes on", logging.WARNING, self._outage)
        elif self._watch.connected:
            self._outage = ""
            self._say("api", "the API server answers", logging.INFO, "")

    def _say_refusals(self) -> None:
        """One line and one Event for each right that was taken away while we run; the rest goes on."""
        told, self._refused = self._refused, frozenset(self._watch.refusals)
        about = node_reference(self._settings.node_name)
        for sentence in sorted(self._refused - told):
            logger.warning("a right is missing; the rest goes on", extra={"detail": sentence})
            self._recorder.emit(about, EventType.WARNING, "RightMissing", sentence)

    def _say(self, about: str, message: str, level: int, detail: str) -> None:
        if self._logged.get(about) != (message, detail):
            self._logged[about] = (message, detail)
            logger.log(level, message, extra={"detail": detail} if detail else {})


def node_reference(name: str) -> ObjectReference:
    """A Node as the kubelet refers to it in Events, so that ``kubectl describe node`` shows them."""
    return ObjectReference(kind=NODES.name, key=ObjectKey("", name), uid=name)
