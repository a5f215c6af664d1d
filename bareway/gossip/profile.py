"""The timing of gossip: three profiles, and the constants that no profile changes.

Detection takes at most ``silence_s + suspicion_s`` and the flood. A member announces its interval in each
heartbeat, and what others allow it is derived from that: members of different profiles bear each other. What
adapts to an edge that loses frames (``edges``) and to our own health (``health``) lengthens the accusation of
others only, never the fence.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import ceil, log2
from typing import Final


class ProfileName(StrEnum):
    """What a user writes as ``--profile``."""

    DEFAULT = "default"
    FAST = "fast"
    WAN = "wan"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """How often a member is heard, and how long it may be silent."""

    name: ProfileName
    interval_s: float
    """Between two heartbeats on an edge."""
    silence_s: float
    """So long without any frame and an edge raises the alarm; so old our own last turn may be (fence)."""
    suspicion_s: float
    """The time that a suspect has to refute when enough others confirm the suspicion."""

    @property
    def interval_ms(self) -> int:
        """As heartbeats carry it."""
        return round(self.interval_s * 1000)

    def silence_of(self, interval_s: float) -> float:
        """How long a member that announced ``interval_s`` may be silent."""
        return self.silence_s * (interval_s / self.interval_s)

    def suspicion_of(self, interval_s: float) -> float:
        """How long a member that announced ``interval_s`` may take to refute."""
        return max(self.suspicion_s * (interval_s / self.interval_s), interval_s + SUSPICION_MARGIN_S)

    @property
    def calm_s(self) -> float:
        """A view that did not change for so long is stable: what died before would be known by now."""
        return self.silence_s + self.suspicion_s

    @property
    def differ_s(self) -> float:
        """Digests that differ for so long are no flood on its way any more."""
        return 2 * self.interval_s


PROFILES: Final[Mapping[ProfileName, Profile]] = {
    profile.name: profile
    for profile in (
        Profile(name=ProfileName.DEFAULT, interval_s=0.1, silence_s=0.5, suspicion_s=0.25),
        Profile(name=ProfileName.FAST, interval_s=0.025, silence_s=0.125, suspicion_s=0.1),
        Profile(name=ProfileName.WAN, interval_s=0.5, silence_s=2.0, suspicion_s=1.0),
    )
}

SUSPICION_MARGIN_S: Final = 0.05
"""Suspicion lasts at least a heartbeat and this much: the flood there and back, also on a busy machine."""
SUSPICION_MAX_FACTOR: Final = 6
"""A suspicion that nobody confirms lasts this many times longer: the fault may lie with its only sayer."""
CONFIRMATIONS_MAX: Final = 2
"""With two others of one mind a suspicion has its shortest time; more add nothing."""

GAP_FACTOR: Final = 2.5
"""A peer may be silent for so many times the gap that is usual on its edge (its 99.9th percentile) …"""
SILENCE_MAX_FACTOR: Final = 2
"""… but never longer than this many times what its profile allows: loss must not hide a death for long."""

RETRY_MIN_S: Final = 0.05
RETRY_MAX_S: Final = 1.2
"""Back-off of reconnection: quick after a blip of the switch. With the half second that a dial into a cut
may take more, two halves that lost each other find each other within two seconds of the repair."""
RETRY_LOST_MAX_S: Final = 30.0
"""To one that was a member and that discovery knows no longer."""
RETRY_FOR_S: Final = 86_400.0
"""A dead member that discovery no longer names is forgotten after a day."""
DIAL_MAX_S: Final = 5.0
"""A dial of which nothing more was heard is tried again; far above the driver's own limit."""
SURPLUS_S: Final = 5.0
"""The edge of a former neighbour stays for so long: by then all have the same view, or it is one again."""
PROBE_DELAY_S: Final = 0.02
"""Who normally is dialled waits so long before it dials itself, so that two dials seldom cross."""
REACCUSE_S: Final = 2.0
"""A member that we alone cannot hear refutes; we accuse it anew so seldom. Finds who died unobserved."""

LADDER_STEP_S: Final = 0.3
"""Each further member in order waits so long for the one before it to claim: three heartbeats."""
UNLISTED_S: Final = 0.3
"""An address that is in no announcer list waits so long for one: the list is written before the status …"""
LISTS_LATE_S: Final = 3.0
"""… and so long while gossip knows of newer lists than we hold: a watch may lag."""
CRASH_GRACE_S: Final = 1.2
"""The claims of a crashed process stay its own so long: its supervisor starts it anew in less."""
START_MAX_S: Final = 3.0
"""Whoever met nobody, or never saw a stable view, starts after this."""
FENCE_MAX_S: Final = 1.0
"""After a pause, silent for this long if nobody can be reached to confirm what is still ours."""
SIDE_WINDOW_S: Final = 5.0
"""The side is the smallest view of this time; longer than detection and reconnection in every profile."""

PULL_GAP_MAX_S: Final = 5.0
"""Pulls that did not make digests equal are repeated at growing distances up to this."""
RELEASE_S: Final = 2.0
"""A holder gives up what it wants no more after this: others have seen it deleted too, or want it still."""
FORGET_S: Final = 60.0
"""An address wanted no more is forgotten after this: longer than the API takes to tell everybody."""

PATROL_S: Final = 1.0
"""Between two probes of members that are no neighbours; ten heartbeats if that is longer."""
RELAYS: Final = 3
"""Members that are asked whether they hear one that we do not hear (SWIM's k)."""
RELAY_SHARE: Final = 0.8
"""A third that was asked says no after this share of our patience, so that its answer still counts."""
SYNC_S: Final = 30.0
SYNC_SCALE_FROM: Final = 32
"""Between two pulls that nothing calls for, in a group of up to so many; see ``sync_s``."""

COUNTER_MAX: Final = 2**52
"""A generation, a count or an incarnation above this is garbage, and not believed: honest ones grow by one.
Whoever had to beat it could say no greater one, neither on the wire nor in a list."""

MEMBERS_MAX: Final = 5000
"""Members in a view, as many as Kubernetes supports Nodes; beyond it new ones are not learnt."""


def sync_s(members: int) -> float:
    """The wait between two pulls that nothing calls for; a pull grows with the group (as in memberlist)."""
    if members <= SYNC_SCALE_FROM:
        return SYNC_S
    return SYNC_S * (ceil(log2(members) - log2(SYNC_SCALE_FROM)) + 1)
