"""The power fails for all nodes, and all start at once: when each address is answered, and by whom."""

import time

import msgspec

from bench.layer2.conditions import Conditions
from bench.layer2.many import CALM_S, settle
from bench.trials import say
from lab.multitude import Multitude, Wire, multitude
from lab.observations import answers, longest_stall, two_answerers
from lab.stations import StallWatch
from lab.waiting import pause, wait_for

DARK_S = 0.5
EVERY_MS = 20.0
"""So often every address is asked for."""
ANSWERED_WITHIN_S = 60.0
WATCHED_ON_S = 10.0
"""After the last one is answered: a second answerer would be seen."""


class Blackout(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the addresses; in seconds after the first program of a node was started."""

    addresses: int
    answered_first_s: float
    answered_all_s: float
    told_first_s: float
    told_last_s: float
    two_answerers_s: float
    """Of the worst address, from the power's return on."""
    moved_again: int
    """Addresses that were answered by more than one node in all, one after the other or not."""
    dark_s: float
    """From the failure until the nodes had power again, their programs not yet started."""
    stall_s: float


def blackout(conditions: Conditions) -> list[Blackout]:
    """Again and again."""
    done: list[Blackout] = []
    with multitude(
        count=conditions.addresses,
        nodes=conditions.nodes,
        families=conditions.families,
        flags=("--profile", conditions.profile),
    ) as crowd:
        say(f"{conditions.addresses} addresses on {conditions.nodes} nodes")
        settle(crowd)
        for _ in range(conditions.trials):
            done.append(fail(crowd))
            pause(CALM_S)
            crowd.wait_quiet()
    return done


def fail(crowd: Multitude) -> Blackout:
    """Let it get dark, and look until every address is answered again, and for a while after."""
    nodes, addresses = crowd.site.nodes, crowd.addresses
    wire, stalls = Wire(crowd.site, addresses, every_ms=EVERY_MS), StallWatch(crowd.site.observer)

    def answered(since: float) -> bool:
        return len({frame.sender_ip for frame in wire.answers(since=since)}) == len(addresses)

    try:
        wait_for(lambda: answered(0.0), what="answers to all that is asked", within_s=ANSWERED_WITHIN_S)
        failed = time.monotonic()
        for node in nodes:
            node.power_off()
        pause(max(0.0, failed + DARK_S - time.monotonic()))
        for node in nodes:
            node.power_on()
        began = time.monotonic()
        crowd.start_speakers()
        wait_for(lambda: answered(began), what="an answer for each", within_s=ANSWERED_WITHIN_S)
        pause(WATCHED_ON_S)
        frames = wire.answers(since=began)
        told = crowd.wait_told(wire, addresses, since=began)
        stall_s = longest_stall(stalls.stalls, since=began)
    finally:
        wire.stop()
        stalls.process.kill()
    per_address = {address: answers(frames, address) for address in addresses}
    first = [some[0].at - began for some in per_address.values()]
    found = Blackout(
        addresses=len(addresses),
        answered_first_s=round(min(first), 4),
        answered_all_s=round(max(first), 4),
        told_first_s=round(min(told.values()) - began, 4),
        told_last_s=round(max(told.values()) - began, 4),
        two_answerers_s=round(max(two_answerers(some, one) for one, some in per_address.items()), 4),
        moved_again=sum(len({frame.sender_mac for frame in some}) > 1 for some in per_address.values()),
        dark_s=round(began - failed, 4),
        stall_s=round(stall_s, 4),
    )
    say(
        f"  dark for {found.dark_s:.2f} s; first of {found.addresses} answered after"
        f" {found.answered_first_s:.3f} s, all after {found.answered_all_s:.3f} s; two answerers"
        f" {found.two_answerers_s:.3f} s; {found.moved_again} moved again"
    )
    return found
