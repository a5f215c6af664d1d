"""Faults that end: a freeze, a crash, gossip alone cut, a cable out for a while. Who answered, and when?"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from bench.layer2.conditions import Conditions
from bench.layer2.stage import Stage, staged
from bench.trials import say, until_calm
from lab.machine import Machine
from lab.observations import answers, longest_silence, longest_stall, two_answerers
from lab.site import Watchers
from lab.trial import steady_owner
from lab.waiting import pause

WATCHED_ON_S = 8.0
"""After the repair: MetalLB's two answerers lasted for 34 s, ours must be over in a flood."""
BEFORE_S = 0.1
"""A silence begins with the last answer before the fault."""
GOSSIP = ("tcp dport 7947", "tcp sport 7947")


class Disturbance(msgspec.Struct, frozen=True, kw_only=True):
    """What one fault and its repair did to one address."""

    fault: str
    address: str
    owner: str
    owner_after: str
    two_answerers_during_s: float
    two_answerers_after_s: float
    silent_during_s: float
    """How long nobody answered at most, from the fault to the repair."""
    silent_after_s: float
    stale_replies: int
    """By the struck node from the repair on, before another node's last answer: it should have known."""
    stall_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is done to the owner, for how long, and how it is undone."""

    name: str
    lasts_s: float
    strike: Callable[[Stage, Machine], None]
    repair: Callable[[Stage, Machine], None]


def _freeze(stage: Stage, node: Machine) -> None:
    stage.system.speakers[node.name].freeze()


def _thaw(stage: Stage, node: Machine) -> None:
    stage.system.speakers[node.name].thaw()


FREEZE = Fault(name="speaker frozen 20 s", lasts_s=20.0, strike=_freeze, repair=_thaw)
GOSSIP_CUT = Fault(
    name="gossip cut 20 s",
    lasts_s=20.0,
    strike=lambda _, node: node.drop_incoming(*GOSSIP),
    repair=lambda _, node: node.drop_nothing(),
)
CRASH = Fault(
    name="kill -9 of the main program",
    lasts_s=6.0,
    strike=lambda stage, node: stage.system.crash(node),
    repair=lambda _stage, _node: None,
)
"""Its supervisor starts it anew; nothing should move."""
CABLE_1_S = Fault(
    name="cable out 1 s", lasts_s=1.0, strike=lambda _, node: node.cut(), repair=lambda _, node: node.join()
)
CABLE_5_S = Fault(
    name="cable out 5 s", lasts_s=5.0, strike=lambda _, node: node.cut(), repair=lambda _, node: node.join()
)


def disturb(fault: Fault) -> Callable[[Conditions], list[Disturbance]]:
    """The scenario of this fault."""

    def run(conditions: Conditions) -> list[Disturbance]:
        with staged(conditions) as stage:
            return [
                found for _ in range(conditions.trials) for found in until_calm(lambda: _once(stage, fault))
            ]

    return run


def _once(stage: Stage, fault: Fault) -> list[Disturbance]:
    owner = stage.owner()
    began = time.monotonic()
    fault.strike(stage, owner)
    pause(fault.lasts_s)
    repaired = time.monotonic()
    fault.repair(stage, owner)
    pause(WATCHED_ON_S)
    stage.system.settle()
    found = [_told(watchers, fault, owner, began, repaired) for watchers in stage.watched]
    for one in found:
        say(
            f"  {fault.name} on {one.owner}, {one.address}: two answerers {one.two_answerers_during_s:.3f} s"
            f" during, {one.two_answerers_after_s:.3f} s after; silent {one.silent_during_s:.3f} s during,"
            f" {one.silent_after_s:.3f} s after; {one.stale_replies} stale replies"
        )
    return found


def _told(watchers: Watchers, fault: Fault, owner: Machine, began: float, repaired: float) -> Disturbance:
    frames, address = watchers.arp.frames, watchers.address
    during = [frame for frame in frames if began - BEFORE_S <= frame.at < repaired]
    after = [frame for frame in frames if frame.at >= repaired - BEFORE_S]
    others = answers(after, address, but=owner.mac)
    last_other = others[-1].at if others else repaired
    return Disturbance(
        fault=fault.name,
        address=address,
        owner=owner.name,
        owner_after=steady_owner(watchers).name,
        two_answerers_during_s=round(two_answerers(during, address), 4),
        two_answerers_after_s=round(two_answerers(after, address), 4),
        silent_during_s=round(longest_silence(during, address), 4),
        silent_after_s=round(longest_silence(after, address), 4),
        stale_replies=sum(
            repaired <= frame.at < last_other for frame in answers(after, address, by=owner.mac)
        ),
        stall_s=round(longest_stall(watchers.stalls.stalls, since=began), 4),
    )
