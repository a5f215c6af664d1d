"""What this speaker says of itself, to ``bareway status`` and as metrics: read from the parts when asked."""

from collections import Counter
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Protocol

from bareway import __version__
from bareway.decide.announcement.announcers import IPV6, Group, Refusal
from bareway.gossip.claims import Claim
from bareway.gossip.findings import FindingWord
from bareway.gossip.machine import GossipMachine
from bareway.gossip.member import Member, told_whole
from bareway.gossip.profile import PROFILES, ProfileName
from bareway.model.names import InterfaceName, IPAddress, NodeName
from bareway.model.problems import Problem
from bareway.model.status import (
    AddressStatus,
    ConfigurationStatus,
    FindingStatus,
    LinkStatus,
    MemberStatus,
    PeerStatus,
    SpeakerStatus,
)
from bareway.runtime.figures import AnnouncedAddress, PeerFigures, SpeakerFigures
from bareway.runtime.gossip.report import GossipCounters
from speaker.layer2.driver import Layer2Driver
from speaker.loop import AS_BY_DEFAULT, Speaker
from speaker.settings import Settings
from speaker.watch import Watch


class Bgp(Protocol):
    """What BGP says of itself, once there are peers (`speaker.bgp.report`)."""

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What keeps it from doing all that is configured."""

    def peers(self) -> tuple[PeerStatus, ...]:
        """All routers."""

    def figures(self) -> tuple[PeerFigures, ...]:
        """Of each session."""

    def addresses(self) -> tuple[AddressStatus, ...]:
        """All in bgp pools."""

    def announced(self) -> tuple[AnnouncedAddress, ...]:
        """Those that this node announces."""


class SelfReport:
    """The speaker's parts, seen by whoever asks."""

    def __init__(
        self,
        settings: Settings,
        *,
        watch: Watch,
        speaker: Speaker,
        layer2: Layer2Driver,
        events_dropped: Callable[[], int] = lambda: 0,
        profile: Callable[[], str] = lambda: "",
        bgp: Callable[[], Bgp | None] = lambda: None,
    ) -> None:
        self._settings = settings
        self._watch = watch
        self._speaker = speaker
        self._layer2 = layer2
        self._events_dropped = events_dropped
        self._profile = profile
        self._bgp = bgp
        self._machine: GossipMachine | None = None
        self._gossip = GossipCounters()
        self._forgot_at = speaker.decided

    def connect(self, machine: GossipMachine, counters: GossipCounters) -> None:
        """There is gossip now."""
        self._machine, self._gossip = machine, counters
        self._speaker.measuring.last_heard = counters.heard_at.get

    def not_ready(self) -> tuple[str, ...]:
        """What stands between us and readiness: caches and a configuration; lost peers do not."""
        waits = []
        if not self._watch.synced:
            waits.append("Kubernetes objects were not all listed yet")
        elif self._watch.view() is None:
            waits.append("there is no configuration yet")
        if self._watch.gossip_key is None:
            secret = f"{self._settings.namespace}/{self._settings.gossip_secret}"
            waits.append(f"Secret {secret} with the gossip key is not there yet")
        if self._machine is not None and not self._machine.own.facts.started and self._machine.turned_away_by:
            others = ", ".join(self._machine.turned_away_by)
            waits.append(
                f"{others} turn this speaker away: it has another gossip key or Node name than they know"
            )
        return tuple(waits)

    def status(self, *, now: float, some: AbstractSet[IPAddress] | None = None) -> SpeakerStatus:
        """All of it; of addresses only ``some``, unless that is None."""
        bgp = self._bgp()
        return SpeakerStatus(
            version=__version__,
            node=self._settings.node_name,
            api_connected=self._watch.connected,
            not_ready=self.not_ready(),
            configuration=self._configuration(),
            members=self._members(now),
            addresses=self._addresses(bgp.addresses() if bgp is not None else (), some, now),
            links=self._links(),
            leaving=self._speaker.leaving() or "",
            list_generation=self._watch.lists.lists.generation,
            profile=self._profile(),
            partition=(self._watch.layer2 or AS_BY_DEFAULT).partition,
            findings=tuple(
                FindingStatus(address=one.address, reason=one.word, mac=str(one.mac), node=one.node)
                for one in self._speaker.findings.lasting
            ),
            peers=bgp.peers() if bgp is not None else (),
            bgp_problems=bgp.problems if bgp is not None else (),
        )

    def _configuration(self) -> ConfigurationStatus:
        """Its problems, and what is configured and not proven for a group like ours."""
        status = self._watch.configured().status
        found = () if self._machine is None else self._machine.problems
        return replace(status, problems=(*status.problems, *found)) if found else status

    def figures(self) -> SpeakerFigures:
        """The same for Prometheus, with what was counted since the start."""
        self._forget()
        groups, bgp = self._speaker.announcing.groups, self._bgp()
        announced = tuple(
            AnnouncedAddress(service=service, protocol="layer2", address=address)
            for address, key in self._speaker.announcing.addresses.items()
            for service in groups[key].services
        )
        states = [member.state for member in self._members_now()]
        layer2, measuring = self._layer2.counters, self._speaker.measuring
        return SpeakerFigures(
            node=self._settings.node_name,
            kubernetes=replace(self._watch.figures(), events_dropped=self._events_dropped()),
            announced=(*announced, *bgp.announced()) if bgp is not None else announced,
            peers=bgp.figures() if bgp is not None else (),
            requests_received=layer2.requests,
            responses_sent=layer2.responses,
            gratuitous_sent=layer2.gratuitous,
            layer2_dropped={str(reason): count for reason, count in layer2.drops.items()},
            layer2_conflicts=layer2.conflicts,
            layer2_failures=dict(layer2.failures),
            layer2_frames=layer2.frames,
            why_not=self._why_not(bgp),
            members={state: states.count(state) for state in states},
            claims=len(self._claims_now()),
            claims_taken=self._speaker.taken,
            withdrawn=self._speaker.withdrawn,
            gossip_sessions=self._gossip.sessions,
            gossip_sent=self._gossip.frames_sent,
            gossip_received=self._gossip.frames_received,
            gossip_dropped=self._gossip.dropped,
            silence_limit_s=PROFILES[ProfileName(self._profile())].silence_s if self._profile() else 0.0,
            silences=self._gossip.silences.measured(),
            lateness=self._gossip.lateness.measured(),
            member_changes={(state, reason): n for (state, reason), n in measuring.changes.items()},
            convergence=measuring.convergence.measured(),
            failover=measuring.failover.measured(),
            list_generation=self._watch.lists.lists.generation,
            leaving=self._speaker.leaving() is not None,
            findings={word: self._speaker.findings.counts[word] for word in FindingWord},
        )

    def _forget(self) -> None:
        """What was counted of addresses that no Service has any more: MetalLB's series stay for ever."""
        decided = self._speaker.decided
        if decided is not self._forgot_at:
            self._forgot_at = decided
            groups = (*decided.groups.values(), *decided.resting.values())
            self._layer2.counters.keep({one for group in groups for one in (*group.addresses, *group.idle)})

    def _members(self, now: float) -> tuple[MemberStatus, ...]:
        where = self._speaker.members()
        return tuple(
            MemberStatus(
                name=member.name,
                state=member.state,
                since_s=max(0.0, now - member.since),
                address=f"{at.host}:{at.port}" if (at := where.get(member.name)) else "",
            )
            for member in self._members_now()
        )

    def _addresses(
        self, by_bgp: tuple[AddressStatus, ...], some: AbstractSet[IPAddress] | None, now: float
    ) -> tuple[AddressStatus, ...]:
        of_bgp = {one.address for one in by_bgp}
        holders = {claim.address: claim.node for claim in self._claims_now()}
        links = {member.name: told_whole(member.report.facts.links) for member in self._members_now()}
        spoken: dict[NodeName, Mapping[InterfaceName, bool]] = {
            name: {link.name: link.speaks_ipv6 for link in some} for name, some in links.items() if some
        }
        spoken[self._settings.node_name] = self._speaker.spoken
        withheld = tuple(
            AddressStatus(address=address, services=(key,), announced_by=None, reason=refusal)
            for key, refusal in self._speaker.decided.withheld.items()
            if (service := self._watch.services.objects.get(key)) is not None
            for address in service.ingress
            if address not in of_bgp and (some is None or address in some)
        )
        wanted = tuple(
            self._wanted(address, group, holders, spoken, now)
            for group in self._speaker.announcing.groups.values()
            for address in group.addresses
            if some is None or address in some
        )
        return (*wanted, *withheld, *(one for one in by_bgp if some is None or one.address in some))

    def _wanted(
        self,
        address: IPAddress,
        group: Group,
        holders: Mapping[IPAddress, NodeName],
        spoken: Mapping[NodeName, Mapping[InterfaceName, bool]],
        now: float,
    ) -> AddressStatus:
        is_here = address in self._speaker.announcing.addresses
        wish = self._speaker.wishes.get(group.key)
        holder = self._settings.node_name if is_here else holders.get(group.key)
        links = spoken.get(holder) if holder is not None and address.version == IPV6 else None
        is_mute = links is not None and group.lacks_ipv6(links)
        return AddressStatus(
            address=address,
            services=group.services,
            announced_by=None if is_mute else holder,
            reason="" if is_here and not is_mute else self._reason(group),
            listed=wish.nodes if wish is not None else (),
            on_link=self._layer2.on_link(address, now=now) if is_here else None,
        )

    def _members_now(self) -> tuple[Member, ...]:
        return self._machine.members() if self._machine else ()

    def _claims_now(self) -> tuple[Claim, ...]:
        return self._machine.claims() if self._machine else ()

    def _reason(self, group: Group) -> str:
        """Why not here: what the node says of itself, then what speaks against it for this group."""
        own, leaving = self._speaker.own_refusal(), self._speaker.leaving()
        return own or self._objection(group, self._speaker.spoken) or leaving or Refusal.NOT_OWNER

    def _objection(self, group: Group, links: Mapping[InterfaceName, bool]) -> Refusal | None:
        refusal = group.why_not(self._settings.node_name) or group.link_refusal(links)
        return refusal or (Refusal.NO_IPV6_LINK if group.lacks_ipv6(links) else None)

    def _why_not(self, bgp: Bgp | None) -> Mapping[str, int]:
        """Of how many addresses ``_reason`` says what; of 5,000 at once, so what is common is asked once."""
        here, links = self._speaker.announcing.addresses, self._speaker.spoken
        own, leaving = self._speaker.own_refusal(), self._speaker.leaving()
        count: Counter[str] = Counter()
        for group in self._speaker.announcing.groups.values():
            if group.addresses[0] not in here:  # all of a group are announced by the same node
                reason = own or self._objection(group, links) or leaving or Refusal.NOT_OWNER
                count[reason] += len(group.addresses)
            elif group.has_both and group.lacks_ipv6(links):
                count[Refusal.NO_IPV6_LINK] += sum(one.version == IPV6 for one in group.addresses)
        by_bgp = bgp.addresses() if bgp is not None else ()
        of_bgp = {one.address for one in by_bgp}
        count.update(one.reason for one in by_bgp if one.reason)
        for key, refusal in self._speaker.decided.withheld.items():
            service = self._watch.services.objects.get(key)
            if service is not None:
                count[refusal] += sum(address not in of_bgp for address in service.ingress)
        return +count

    def _links(self) -> tuple[LinkStatus, ...]:
        used = [
            LinkStatus(name=link.name, mac=str(link.mac), subnets=tuple(str(s.network) for s in link.subnets))
            for link in self._layer2.links
        ]
        refused = [LinkStatus(name=name, reason=why) for name, why in self._layer2.refused.items()]
        return (*used, *refused)
