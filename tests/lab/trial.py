"""One fault and what the client and the observer saw of it; the same for every product that is measured."""

import time
from collections.abc import Callable, Sequence

import msgspec

from lab.commands import LabError
from lab.machine import Machine
from lab.observations import (
    announcements,
    answers,
    longest_stall,
    outage,
    served_again,
    two_answerers,
)
from lab.site import Watchers
from lab.waiting import wait_for

STEADY_WITHIN_S = 60.0
"""A product that has not settled on one answerer by then never will."""

TAKEN_OVER_WITHIN_S = 30.0
"""Many times what the slowest product measured needs."""

WATCHED_ON_S = 1.0
"""After service is back, so that a second answerer or a late loss is seen."""


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """What one fault did; all in seconds after the fault unless said otherwise."""

    product: str
    fault: str
    owner: str
    successor: str
    outage_s: float
    """Of a client that knew the old owner's MAC: last good answer to next good one."""
    requests_failed: int
    failures: dict[str, int]
    """The same by reason."""
    announced_s: float | None
    """First gratuitous ARP of another node."""
    answered_s: float
    """First answer by another node to "who has": the outage of a client that knew no MAC."""
    two_answerers_s: float
    """How long two nodes answered side by side."""
    stall_s: float
    """How long the host itself stood still at most."""


def steady_owner(watchers: Watchers) -> Machine:
    """The one machine that answers, once the client also gets its pages without failure."""

    def settled() -> Machine | None:
        now = time.monotonic()
        owner = watchers.owner(now=now)
        return owner if served_again(watchers.prober.attempts, since=now - 1.0) else None

    return wait_for(settled, what="one answerer and a client that is served", within_s=STEADY_WITHIN_S)


def measure(watchers: Watchers, product: str, fault: str, strike: Callable[[Machine], None]) -> Trial:
    """Wait until all is well, strike the owner, wait until all is well again; tell what happened between."""
    return measure_each([watchers], product, fault, strike)[0]


def measure_each(
    watched: Sequence[Watchers], product: str, fault: str, strike: Callable[[Machine], None]
) -> list[Trial]:
    """The same for several addresses that one node owns together: a trial for each, in their order."""
    owners = {steady_owner(watchers) for watchers in watched}
    if len(owners) != 1:
        raise LabError(f"the addresses belong to several nodes: {sorted(owner.name for owner in owners)}")
    owner = owners.pop()
    began = time.monotonic()
    strike(owner)
    for watchers in watched:
        _await_successor(watchers, owner, began)
    back_at = time.monotonic()
    for watchers in watched:
        _await_service(watchers, back_at)
    return [_told(watchers, product, fault, owner, began) for watchers in watched]


def _await_successor(watchers: Watchers, owner: Machine, began: float) -> None:
    address = watchers.address

    def taken_over() -> bool:
        return bool(answers(watchers.arp.frames, address, since=began, but=owner.mac))

    wait_for(taken_over, what=f"another node to answer for {address}", within_s=TAKEN_OVER_WITHIN_S)


def _await_service(watchers: Watchers, back_at: float) -> None:
    def well_again() -> bool:
        is_over = time.monotonic() > back_at + WATCHED_ON_S
        return is_over and served_again(watchers.prober.attempts, since=back_at)

    wait_for(well_again, what="the client to be served again", within_s=TAKEN_OVER_WITHIN_S)


def _told(watchers: Watchers, product: str, fault: str, owner: Machine, began: float) -> Trial:
    address, frames = watchers.address, watchers.arp.frames
    first = answers(frames, address, since=began, but=owner.mac)[0]
    told = [frame for frame in announcements(frames, address, since=began) if frame.sender_mac != owner.mac]
    seen = outage(watchers.prober.attempts, since=began)
    assert seen is not None, "served before and after, so the outage has two ends"
    successor = watchers.site.lab.machine_with(first.sender_mac)
    return Trial(
        product=product,
        fault=fault,
        owner=owner.name,
        successor=successor.name if successor else first.sender_mac,
        outage_s=round(seen.seconds, 4),
        requests_failed=seen.failed,
        failures=seen.failures,
        announced_s=round(told[0].at - began, 4) if told else None,
        answered_s=round(first.at - began, 4),
        two_answerers_s=round(two_answerers(frames, address, since=began), 4),
        stall_s=round(longest_stall(watchers.stalls.stalls, since=began), 4),
    )
