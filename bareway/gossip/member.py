"""A member of the group as others see it: its state, its identity in time, and what it says of itself.

``(epoch, incarnation)`` orders everything said about one member. The epoch is new with each start of its
process, so a restarted member beats its old life at once; the incarnation is raised only by the member
itself: to refute an accusation, or because one of its facts changed.

A member also says which links it has: the subnets decide who comes first for an address, and by the hardware
addresses others know whose frames they see.

Not covered: free metadata, which would join as fields of ``Report``.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, NamedTuple

from bareway.gossip.profile import SIDE_WINDOW_S
from bareway.model.mac import MacAddress
from bareway.model.names import InterfaceName, IPNetwork, NodeName


class MemberState(StrEnum):
    """How a member is held; at one ``(epoch, incarnation)`` a later word beats an earlier one."""

    ALIVE = "Alive"
    SUSPECT = "Suspect"
    DEAD = "Dead"
    LEFT = "Left"


STRENGTH = {MemberState.ALIVE: 0, MemberState.SUSPECT: 1, MemberState.DEAD: 2, MemberState.LEFT: 3}
"""The order of states at equal ``(epoch, incarnation)``."""


class MemberReason(StrEnum):
    """Why a member's state changed."""

    JOINED = "Joined"
    """Never heard of before."""
    RETURNED = "Returned"
    """It was held dead: it may have been cut off, and have announced what we did."""
    REJOINED = "Rejoined"
    """It had said goodbye."""
    REFUTED = "Refuted"
    SILENT = "Silent"
    CRASHED = "Crashed"
    ACCUSED = "Accused"
    NOT_REFUTED = "NotRefuted"
    REPORTED_DEAD = "ReportedDead"
    SAID_GOODBYE = "SaidGoodbye"


class Side(NamedTuple):
    """How much of the group a member saw at least in the last seconds: its weight after a partition."""

    members: int
    lowest: NodeName

    def is_greater_than(self, other: "Side") -> bool:
        """More members; of two equal parts the one with the lowest name."""
        if self.members != other.members:
            return self.members > other.members
        return self.lowest < other.lowest


NO_SIDE = Side(0, NodeName(""))
"""The side of who has not started or was just paused: it outweighs nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkFact:
    """A usable link of a member's node."""

    name: InterfaceName
    mac: MacAddress
    networks: tuple[IPNetwork, ...] = ()
    """The subnets in which it has an address."""

    @property
    def speaks_ipv6(self) -> bool:
        """Whether an IPv6 address can be served on it: every link that can has one network of that family.

        It is told first, so a link of which no network is told is one too many to tell them, and may well.
        """
        return not self.networks or any(network.version != 4 for network in self.networks)  # noqa: PLR2004 - of IP


LINKS_MAX: Final = 16
"""Links, and also networks of all links together, that a member publishes."""
LINKS_BYTES_MAX: Final = 512
"""What they may take on the wire: less than the names in a report may, so that frames are cut as before."""
LINK_NAME_MAX: Final = 15
"""Length of an interface's name in Linux."""
LINK_BYTES: Final = 12
"""On the wire: the MAC address, and what says where each part begins."""


def publishable(links: Iterable[LinkFact]) -> tuple[LinkFact, ...]:
    """As many links, and of these as many networks, as may be published, from the first on."""
    published: list[LinkFact] = []
    networks_left, bytes_left = LINKS_MAX, LINKS_BYTES_MAX
    for link in links:
        bytes_left -= LINK_BYTES + len(link.name.encode())
        if len(published) == LINKS_MAX or bytes_left < 0:
            break
        networks: list[IPNetwork] = []
        for network in link.networks[:networks_left]:
            size = network_bytes(network)
            if size > bytes_left:
                break
            bytes_left -= size
            networks.append(network)
        networks_left -= len(networks)
        published.append(replace(link, networks=tuple(networks)))
    return tuple(published)


def told_whole(published: tuple[LinkFact, ...]) -> tuple[LinkFact, ...]:
    """The links by which a member is judged, by itself too: none where it may have more than it published.

    Members that judged one another by other links than themselves would take an address from each other for
    ever. Whoever tells of none counts as having the link that is needed.
    """
    used = sum(LINK_BYTES + len(link.name.encode()) for link in published)
    used += sum(network_bytes(network) for link in published for network in link.networks)
    is_full = len(published) == LINKS_MAX or used + LINK_BYTES + LINK_NAME_MAX > LINKS_BYTES_MAX
    return () if is_full else published


def network_bytes(network: IPNetwork) -> int:
    """How many bytes a network takes on the wire: what says so, the prefix length and the address."""
    return 3 + network.max_prefixlen // 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a member says of itself; nobody else computes it."""

    started: bool = False
    """It has learnt the claims of others and may take addresses."""
    able: bool = False
    """Its own node may announce: the network is there and a link is usable."""
    leaving: bool = False
    """It is drained or about to stop: others take over, it serves until they have."""
    links: tuple[LinkFact, ...] = ()
    """As many as may be published; a member that publishes none counts as being in every subnet."""
    key_id: bytes = b""
    """Of the newest gossip key that it holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One thing said about one member, by itself or by another."""

    name: NodeName
    epoch: int
    incarnation: int
    state: MemberState
    facts: Facts = Facts()
    by: NodeName
    """Who says so; for a suspicion each sayer counts once."""
    side: Side | None = None
    """As it last published it, as far as the sender knows; no part of what reports are compared by."""
    crashed: bool = False
    """Its process ended while its node lives on: its port refused a connection."""

    @property
    def version(self) -> tuple[int, int]:
        """What orders reports about one member."""
        return (self.epoch, self.incarnation)


def supersedes(report: Report, known: Report) -> bool:
    """Whether ``report`` says more than what is ``known`` of the same member: a total order."""
    if report.version != known.version:
        return report.version > known.version
    return STRENGTH[report.state] > STRENGTH[known.state]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A member as we hold it now."""

    report: Report
    """The best thing said about it."""
    since: float
    """When we began to hold it so."""
    protected_until: float = 0.0
    """Its process crashed: until then its claims stay its own."""
    revived_at: float | None = None
    """When it was last held dead and came back."""
    parted_at: float | None = None
    """When it was held dead, that time."""
    is_restarted: bool = False
    """It came back as another process than the one that was held dead."""

    @property
    def name(self) -> NodeName:
        """The Node's name."""
        return self.report.name

    @property
    def state(self) -> MemberState:
        """How it is held."""
        return self.report.state

    @property
    def lives(self) -> bool:
        """Alive or suspect: a suspect keeps what it has."""
        return self.state in {MemberState.ALIVE, MemberState.SUSPECT}

    def is_back(self, now: float) -> bool:
        """Whether it was held dead within the time that sides are remembered for."""
        return self.revived_at is not None and self.revived_at > now - SIDE_WINDOW_S
