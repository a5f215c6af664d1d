"""What operators are told of BGP: a log line and an Event on the Node when a session comes up or goes down.

Only changes are told. Services hear which node announces them as they do from MetalLB; at a start only if
they are few, since every node announces every Service, and a roll-out would tell all of each by all.
"""

import logging
from collections.abc import Iterable
from typing import Final

from bareway.bgp.events import Faulty, SessionReason, StateChanged, Told
from bareway.bgp.fsm import State
from bareway.bgp.messages import Notification
from bareway.bgp.peers import PeerSettings
from bareway.decide.routing.sessions import SessionRefusal, Sessions
from bareway.model.configuration import Configuration, Peer
from bareway.model.names import ServiceKey
from bareway.resources.events import EventType
from bareway.resources.kinds import SERVICES
from speaker.bgp.passwords import Passwords
from speaker.settings import Settings
from speaker.telling import Recorder, node_reference
from speaker.watch import Watch

logger = logging.getLogger(__name__)

AT_START_MAX: Final = 256
"""Services that are told at a start; of more than that none is."""
ON_PURPOSE: Final = frozenset({SessionReason.STOPPED, SessionReason.SETTINGS_CHANGED})
"""Ends of a session that nobody need look into."""
UNTOLD: Final = frozenset({SessionRefusal.NODE_NOT_SELECTED, SessionRefusal.NODE_UNKNOWN})
"""The one is the operator's wish, the other is told elsewhere."""


class Teller:
    """Remembers what it said last."""

    def __init__(self, settings: Settings, *, watch: Watch, recorder: Recorder) -> None:
        self._me = node_reference(settings.node_name)
        self._settings = settings
        self._watch = watch
        self._recorder = recorder
        self._notified: dict[str, Told] = {}
        self._refused: dict[str, str] = {}

    def take(self, name: str, settings: PeerSettings | None, output: StateChanged | Told | Faulty) -> None:
        """Tell what a session did, if it matters."""
        match output:
            case StateChanged(before=before, after=State.ESTABLISHED) if before is not State.ESTABLISHED:
                self._notified.pop(name, None)
                self._up(_named(name, settings))
            case StateChanged(before=State.ESTABLISHED, after=after) if after is not State.ESTABLISHED:
                self._down(_named(name, settings), output.reason, self._notified.pop(name, None))
            case StateChanged():
                logger.debug("BGP session", extra={"peer": name, "state": output.after.name})
            case Told():
                self._notified[name] = output
                extra = {"peer": name, "detail": str(output.notification)}
                logger.info(
                    "BGP notification sent" if output.is_ours else "BGP notification received", extra=extra
                )
            case Faulty(fault=fault):
                told = Notification(code=fault.code, subcode=fault.subcode)
                logger.debug("BGP peer erred", extra={"peer": name, "detail": str(told)})

    def refused(self, configuration: Configuration, sessions: Sessions, passwords: Passwords) -> None:
        """Tell with whom there is no session although there should be; once, and again if it is another."""
        peers = {peer.name: peer for peer in configuration.peers}
        found = {
            name: sentence
            for name, refusal in sessions.refused.items()
            if refusal not in UNTOLD and (sentence := _sentence(peers[name], refusal, passwords))
        }
        for name, sentence in found.items():
            if self._refused.get(name) != sentence:
                logger.warning("no BGP session", extra={"peer": name, "detail": sentence})
                self._recorder.emit(self._me, EventType.WARNING, "BGPSessionRefused", sentence)
        self._refused = found

    def announced(self, services: Iterable[ServiceKey], *, at_start: bool = False) -> None:
        """An Event for each Service that is announced here now and was not before."""
        told = list(services)
        if at_start and len(told) > AT_START_MAX:
            return
        message = f'announcing from node "{self._settings.node_name}" with protocol "bgp"'
        for key in told:
            service = self._watch.services.objects.get(key)
            about = SERVICES.reference(key, service.uid if service else "")
            self._recorder.emit(about, EventType.NORMAL, "nodeAssigned", message)

    def _up(self, peer: str) -> None:
        logger.info("BGP session up", extra={"peer": peer})
        self._recorder.emit(self._me, EventType.NORMAL, "BGPSessionUp", f"BGP session with {peer} is up")

    def _down(self, peer: str, reason: SessionReason, told: Told | None) -> None:
        detail = reason.value if told is None else f"{reason}, {_said(told)}"
        is_meant = reason in ON_PURPOSE
        logger.log(
            logging.INFO if is_meant else logging.WARNING,
            "BGP session down",
            extra={"peer": peer, "detail": detail},
        )
        type_ = EventType.NORMAL if is_meant else EventType.WARNING
        message = f"BGP session with {peer} is down: {detail}"
        self._recorder.emit(self._me, type_, "BGPSessionDown", message)


def _named(name: str, settings: PeerSettings | None) -> str:
    return f"{name} ({settings.address})" if settings is not None else name


def _said(told: Told) -> str:
    return f"{'sent' if told.is_ours else 'received'} {told.notification}"


def _sentence(peer: Peer, refusal: SessionRefusal, passwords: Passwords) -> str:
    """Why there is no session with ``peer``, and what to do; empty while that is being found out."""
    secret = peer.password_secret
    if not passwords.is_settled(secret):
        return ""
    if secret in passwords.refused:
        why = f"Secret {secret} cannot be read: {passwords.refused[secret]}"
    elif refusal is SessionRefusal.KEY_MISSING:
        why = f"there is no Secret {secret} in this namespace"
    else:
        why = f"Secret {secret} has no key `password` of 1 to 80 bytes"
    return f"no BGP session with {peer.name} ({peer.address}) without its password: {why}"
