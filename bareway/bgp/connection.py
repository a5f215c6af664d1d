"""One TCP connection of a session: what was said on it, its timers, and what it still owes.

Its state changes by the table alone (`fsm`); the session decides between two of them.
"""

from dataclasses import dataclass, field, replace
from math import inf
from typing import Final

from bareway.bgp import opening
from bareway.bgp.codec import Reader
from bareway.bgp.events import Connected, ConnectionId, Readdressed
from bareway.bgp.fsm import State
from bareway.bgp.messages import Notification, Open
from bareway.bgp.negotiated import Negotiated, negotiate
from bareway.bgp.peers import PeerSettings
from bareway.bgp.prefixes import Family
from bareway.bgp.ribout import RibOut

LARGE_HOLD_S: Final = 240.0  # until OPEN tells a better one (RFC 4271 section 8.2.2)
SEND_HOLD_MIN_S: Final = 480.0
"""RFC 9687 section 6: eight minutes, or twice the hold time."""
NEXT_HOP_WAIT_S: Final = 10.0
"""For an address on its way to an interface (by RFC 4862 a second or two): so long End-of-RIB waits for a
family's next hop, and a router that restarts itself for us."""
CROSSING_S: Final = 1.0
"""So late a dial of the router's may be told that began before the session was up: it crossed ours, or waited
to be accepted. A router is not up, gone and back within that time."""
REFRESH_PACE_S: Final = 1.0  # a router that asks without end would have us encode without end


def send_hold_s(hold_time_s: int) -> float:
    """How long a peer may leave unread what it was sent (RFC 9687 section 6)."""
    return max(SEND_HOLD_MIN_S, 2.0 * hold_time_s)


@dataclass(slots=True, kw_only=True)
class Connection:
    """From TCP to its end."""

    told: Connected
    began_at: float
    state: State
    ours: Open
    theirs: Open | None = None
    session: Negotiated = Negotiated()  # noqa: RUF009 - frozen
    reader: Reader = field(default_factory=Reader)
    hold_at: float = inf
    keepalive_at: float = inf
    unsent_since: float = inf
    """When the oldest message was sent that has not left our buffer."""
    established_at: float | None = None
    rib: RibOut | None = None
    farewell: Notification | None = None
    """What is said last, once the session is to end."""
    leave_by: float = inf
    """When the withdrawals must be out, because the node leaves."""
    patient_until: float = inf
    """When End-of-RIB is said for families without a next hop, too."""
    refreshes: dict[Family, float] = field(default_factory=dict)
    """Families to be told again, each with the time for it."""
    refreshed_at: dict[Family, float] = field(default_factory=dict)

    @property
    def id(self) -> ConnectionId:
        """Its number."""
        return self.told.connection

    @property
    def is_clear(self) -> bool:
        """All that was sent has left our buffer."""
        return self.unsent_since == inf

    @property
    def is_up(self) -> bool:
        """Routes are told on it."""
        return self.state is State.ESTABLISHED

    @property
    def told_routes(self) -> RibOut:
        """Of a connection that is up."""
        assert self.rib is not None  # noqa: S101 - made when it came up
        return self.rib

    @property
    def send_hold_at(self) -> float:
        """When a peer that does not read is given up."""
        if not self.is_up or not self.session.hold_time_s:
            return inf
        return self.unsent_since + send_hold_s(self.session.hold_time_s)

    @property
    def deadline(self) -> float:
        """The first of its timers."""
        refresh_at = min(self.refreshes.values(), default=inf) if self.is_clear else inf
        patient_until = self.patient_until if self.is_clear else inf
        ours = min(self.keepalive_at, self.leave_by, refresh_at, patient_until)
        return min(self.hold_at, self.send_hold_at, ours)

    def hear(self, now: float) -> None:
        """Something came that restarts the HoldTimer."""
        self.hold_at = now + self.session.hold_time_s if self.session.hold_time_s else inf

    def agree(self, theirs: Open, settings: PeerSettings) -> None:
        """Both OPEN are there; what follows is read and written by them."""
        self.theirs = theirs
        self.session = negotiate(self.ours, theirs, keepalive_time_s=settings.keepalive_time_s)
        self.reader.session = self.session

    def is_replaced_by(self, other: "Connection") -> bool:
        """Whether the peer has restarted and opened the other one (RFC 4724 section 4.2).

        Only what the peer opened after this one was up says so. A dial of ours that it answers late, or one
        of its own that crossed, is a collision like any other (RFC 4271 section 6.8). If it had restarted all
        the same, its kernel would end this one, and the next one that it opens is taken.
        """
        if self.session.restart is None or self.established_at is None:
            return False
        return other.told.is_incoming and other.began_at > self.established_at + CROSSING_S

    def outlasts(self, other: "Connection", theirs: Open) -> bool:
        """Whether of both, with the same peer behind, this one stays (RFC 4271 section 6.8)."""
        if self.told.is_incoming == other.told.is_incoming:
            return self.id > other.id  # the peer has given the older one up
        return opening.ours_stays(self.ours, theirs) is not self.told.is_incoming

    def readdress(self, event: Readdressed) -> None:
        """Other next hops than it began with."""
        self.told = replace(self.told, link_local=event.link_local, other_family=event.other_family)

    def be_patient(self, now: float) -> None:
        """Wait for a next hop from when one is missed first, and then no longer."""
        if self.patient_until <= now:
            self.told_routes.wait_no_longer()
            self.patient_until = inf
        elif self.patient_until == inf and self.told_routes.is_waiting:
            self.patient_until = now + NEXT_HOP_WAIT_S

    def ask_again(self, family: Family, now: float) -> None:
        """The peer wants all of a family; at once, or when the last time is long enough ago."""
        last = self.refreshed_at.get(family, -inf)
        self.refreshes.setdefault(family, max(now, last + REFRESH_PACE_S))

    def due_refreshes(self, now: float) -> list[Family]:
        """Families whose time has come; they count as told again from now on."""
        due = [family for family, at in self.refreshes.items() if at <= now]
        for family in due:
            del self.refreshes[family]
            self.refreshed_at[family] = now
        return due
