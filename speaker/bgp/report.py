"""What this node says of BGP, to ``bareway bgp``, ``bareway status`` and Prometheus: read when asked."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from bareway.bfd.packet import State as BfdState
from bareway.bgp.capabilities import describe
from bareway.bgp.fsm import State
from bareway.bgp.peers import PeerSettings
from bareway.bgp.status import SessionStatus
from bareway.model.configuration import Peer
from bareway.model.names import IPAddress, ServiceKey
from bareway.model.problems import Problem
from bareway.model.status import AddressStatus, PeerStatus
from bareway.runtime.clock import monotonic
from bareway.runtime.figures import AnnouncedAddress, BfdFigures, PeerFigures
from speaker.bfd.records import Report
from speaker.bgp.desk import BgpDesk
from speaker.bgp.driver import BgpDriver
from speaker.settings import Settings
from speaker.watch import Watch

PROTOCOL: Final = "bgp"
NOT_BEGUN: Final = "notBegun"
"""In place of a refusal: it is to begin in this moment."""


class BgpReport:
    """Desk and driver, seen by whoever asks."""

    def __init__(self, settings: Settings, *, watch: Watch, desk: BgpDesk, driver: BgpDriver) -> None:
        self._settings = settings
        self._watch = watch
        self._desk = desk
        self._driver = driver

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What keeps us from doing all that is configured."""
        return self._driver.problems

    def peers(self) -> tuple[PeerStatus, ...]:
        """All routers of the configuration, in its order."""
        statuses, digests, troubles = self._driver.statuses(), self._driver.digests(), self._driver.troubles()
        bfd, now = self._driver.bfd(), monotonic()
        found = []
        for peer in self._peers():
            settings = self._desk.sessions.settings.get(peer.name)
            session = statuses.get(peer.name)
            if settings is None or session is None:
                found.append(self._absent(peer))
                continue
            told = _status(settings, session, now)
            found.append(
                replace(
                    told,
                    trouble=troubles.get(peer.name, ""),
                    digest=digests.get(peer.name, ""),
                    bfd=_bfd_word(bfd.get(peer.name)),
                )
            )
        return tuple(found)

    def figures(self) -> tuple[PeerFigures, ...]:
        """Of those with a session, up or on its way; packets of BFD as many as when this was asked last."""
        self._driver.ask_bfd()
        statuses, bfd = self._driver.statuses(), self._driver.bfd()
        wanted = self._desk.routing.routes if self._desk.routing is not None else {}
        found: dict[str, PeerFigures] = {}
        for peer in self._peers():
            session, report = statuses.get(peer.name), bfd.get(peer.name)
            if session is None:
                continue
            place = f"{peer.address}:{peer.port}"
            label = f"{place} ({peer.name})" if place in found else place  # a series is there once
            found[label] = PeerFigures(
                peer=label,
                address=peer.address,
                is_up=session.state is State.ESTABLISHED,
                updates_sent=session.updates_sent,
                announced=sum(session.told.values()),
                wanted=len(wanted.get(peer.name, ())),
                established=session.established,
                faults=session.faults,
                sent=session.sent,
                received=session.received,
                messages_received=session.messages_received,
                bfd=None if report is None else _bfd_figures(report),
            )
        return tuple(found.values())

    def addresses(self) -> tuple[AddressStatus, ...]:
        """All that belong to BGP, with why this node does not announce them."""
        routing = self._desk.routing
        if routing is None:
            return ()
        me = self._settings.node_name
        announced: dict[IPAddress, list[ServiceKey]] = {}
        for key, addresses in routing.announced.items():
            for address in addresses:
                announced.setdefault(address, []).append(key)
        here = [
            AddressStatus(address=address, services=tuple(keys), announced_by=me, protocol=PROTOCOL)
            for address, keys in announced.items()
        ]
        withheld = [
            AddressStatus(
                address=address, services=(key,), announced_by=None, reason=refusal, protocol=PROTOCOL
            )
            for key, refusal in routing.withheld.items()
            if (service := self._watch.services.objects.get(key)) is not None
            for address in service.ingress
            if routing.ground.terms(address) is not None and address not in announced
        ]
        return (*here, *withheld)

    def announced(self) -> tuple[AnnouncedAddress, ...]:
        """What this node announces, for MetalLB's figure."""
        routing = self._desk.routing
        return tuple(
            AnnouncedAddress(service=key, protocol=PROTOCOL, address=address)
            for key, addresses in (routing.announced if routing is not None else {}).items()
            for address in addresses
        )

    def _peers(self) -> Sequence[Peer]:
        configuration = self._watch.configured().configuration
        return configuration.peers if configuration is not None else ()

    def _absent(self, peer: Peer) -> PeerStatus:
        refusal = self._desk.sessions.refused.get(peer.name)
        return PeerStatus(name=peer.name, address=peer.address, port=peer.port, reason=refusal or NOT_BEGUN)


def _status(settings: PeerSettings, session: SessionStatus, now: float) -> PeerStatus:
    began = session.established_at
    return PeerStatus(
        name=settings.name,
        address=settings.address,
        port=settings.port,
        state=session.state.name.title().replace("_", ""),
        up_s=max(0.0, now - began) if began is not None and session.state is State.ESTABLISHED else 0.0,
        local=str(session.local or ""),
        local_asn=settings.local_asn,
        peer_asn=session.peer_asn or settings.peer_asn or 0,
        peer_id=str(session.peer_id or ""),
        hold_time_s=session.hold_time_s or 0,
        families=tuple(map(str, session.families)),
        our_capabilities=tuple(map(describe, session.our_capabilities)),
        peer_capabilities=tuple(map(describe, session.peer_capabilities)),
        graceful_restart=session.has_graceful_restart,
        told={str(family): count for family, count in session.told.items()},
        owed=session.owed,
        held_back=session.held_back,
        established=session.established,
        messages_received=session.messages_received,
        updates_sent=session.updates_sent,
        faults=session.faults,
        last_sent=str(session.last_sent or ""),
        last_received=str(session.last_received or ""),
    )


def _bfd_figures(report: Report) -> BfdFigures:
    return BfdFigures(
        is_up=report.state is BfdState.UP,
        packets_in=report.packets_in,
        packets_out=report.packets_out,
        ups=report.ups,
        downs=report.downs,
    )


def _bfd_word(report: Report | None) -> str:
    return "" if report is None else report.state.name.title().replace("_", "")
