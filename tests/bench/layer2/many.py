"""A node with thousands of addresses loses power: when the last one is served again, and what that costs.

``takeover`` is the same with all addresses on one node, all taken by another: told from the verdict on.
"""

import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from itertools import cycle, islice

import msgspec

from bench.layer2.conditions import Conditions
from bench.trials import say
from lab.machine import Machine
from lab.multitude import Multitude, Wire, multitude
from lab.observations import ArpFrame, Verdict, answers, longest_stall, two_answerers
from lab.process import Process
from lab.stations import StallWatch
from lab.waiting import pause, wait_for

WITNESSES = 1
SAMPLE = 32
"""So many of the struck node's addresses are asked for all the time, evenly chosen; all are listened for."""
EVERY_MS = 20.0
CALM_S = 12.0
"""After the first frames: all repeats are over by then, and what is left is the work of an idle member."""
COUNTED_S = 10.0
"""CPU time is counted for so long after the fault, the repeats of the first four seconds included."""
SWEPT_OVER_S = 4.0
ANSWERED_WITHIN_S = 30.0


class Loss(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one node's addresses; all in seconds after the fault unless said otherwise."""

    node: str
    addresses: int
    told_first_s: float
    """First frame by which another node told of one of them."""
    told_last_s: float
    """The same of the last one of all."""
    asked: int
    """Of how many the answers were awaited."""
    answered_last_s: float
    """The first answer of another node, of the slowest of those."""
    two_answerers_s: float
    verdicts_s: dict[str, float]
    """When each survivor held the node dead."""
    first_frame_ms: float
    """From a survivor's verdict to its first frame, the slowest."""
    last_frame_ms: float
    """From a survivor's verdict to the last of its first frames, the slowest."""
    answered_after: int
    """Of all addresses there are: for how many one survivor, and only one, answered afterwards."""
    addresses_in_all: int
    survivors_cpu_s: dict[str, float]
    """In ten seconds after the fault, above what they use in ten quiet ones."""
    quiet_cpu_s: dict[str, float]
    writes_until_told: dict[str, int]
    """To the API, by kind, until the last address was told of."""
    writes: dict[str, int]
    """The same in all of the ten seconds."""
    stall_s: float


def many(conditions: Conditions) -> list[Loss]:
    """Power off one node after the other; each comes back before the next."""
    with _crowd(conditions) as crowd:
        settle(crowd)
        return [_lose_and_mend(crowd, node) for node in islice(cycle(crowd.site.nodes), conditions.trials)]


def takeover(conditions: Conditions) -> list[Loss]:
    """All addresses are one node's, since it started first, and then those of the next one.

    A third node is there, drained: who hears nobody any more would first ask the link for each address.
    """
    with _crowd(msgspec.structs.replace(conditions, nodes=max(conditions.nodes, 2 + WITNESSES))) as crowd:
        two, others = crowd.site.nodes[:2], crowd.site.nodes[2:]
        for node in others:
            crowd.system.kubectl("annotate", "node", node.name, "bareway.io/drain=a witness")
        settle(crowd, two[:1])
        for node in (*two[1:], *others):
            crowd.system.start_speaker(node)
        pause(CALM_S)
        crowd.wait_quiet()
        return [_lose_and_mend(crowd, node) for node in islice(cycle(two), conditions.trials)]


def _crowd(conditions: Conditions) -> AbstractContextManager[Multitude]:
    say(f"{conditions.addresses} addresses on {conditions.nodes} nodes")
    return multitude(
        count=conditions.addresses,
        nodes=conditions.nodes,
        families=conditions.families,
        tool="traced_pod",
        flags=("--profile", conditions.profile),
    )


def settle(crowd: Multitude, nodes: Sequence[Machine] = ()) -> None:
    """Start the speakers of these nodes, or of all, and wait until all is announced, told and written."""
    wire = Wire(crowd.site)
    try:
        began = time.monotonic()
        for node in nodes or crowd.site.nodes:
            crowd.system.start_speaker(node)
        crowd.wait_told(wire, crowd.addresses, since=began)
        pause(CALM_S)
        crowd.wait_quiet()
    finally:
        wire.stop()


def _lose_and_mend(crowd: Multitude, node: Machine) -> Loss:
    loss = lose(crowd, node)
    node.power_on()
    crowd.system.start_speaker(node)
    pause(CALM_S)
    crowd.wait_quiet()
    return loss


def lose(crowd: Multitude, node: Machine) -> Loss:
    """Power it off, and look until all is well again."""
    holders = crowd.answerers(crowd.addresses, over_s=SWEPT_OVER_S)
    held = [address for address in crowd.addresses if node.mac in holders[address]]
    sample = evenly(held, SAMPLE)
    survivors = {each.name: crowd.speaker(each) for each in crowd.site.nodes if each is not node}
    wire, asking = Wire(crowd.site), Wire(crowd.site, sample, every_ms=EVERY_MS)
    stalls = StallWatch(crowd.site.observer)

    def answered(since: float, but: str = "") -> bool:
        heard = {f.sender_ip for f in asking.answers(since=since) if f.sender_mac != but}
        return len(heard) == len(sample)

    try:
        wait_for(lambda: answered(0.0), what="answers to all that is asked", within_s=ANSWERED_WITHIN_S)
        quiet = _spent(survivors, COUNTED_S)
        before = {name: one.cpu_s() for name, one in survivors.items()}
        began = time.monotonic()
        node.power_off()
        told = crowd.wait_told(wire, held, since=began, but=node.mac)
        wait_for(lambda: answered(began, node.mac), what="answers again", within_s=ANSWERED_WITHIN_S)
        asking.stop()  # to answer has its price, and the struck node paid it before
        pause(max(began + COUNTED_S - time.monotonic(), 0.0))
        spent = {name: one.cpu_s() - before[name] for name, one in survivors.items()}
        ended = time.monotonic()
        found = _told(crowd, wire, node, began=began, told=told, frames=asking.answers(since=began))
        stall_s = longest_stall(stalls.stalls, since=began)
    finally:
        wire.stop()
        asking.stop()
        stalls.process.kill()
    whole = crowd.answerers(crowd.addresses, over_s=SWEPT_OVER_S)
    loss = msgspec.structs.replace(
        found,
        answered_after=sum(len(macs) == 1 and node.mac not in macs for macs in whole.values()),
        quiet_cpu_s=_rounded(quiet),
        survivors_cpu_s=_rounded({name: spent[name] - quiet[name] for name in spent}),
        writes=_kinds(crowd, began, ended),
        stall_s=round(stall_s, 4),
    )
    say(
        f"  {node.name} with {len(held)} addresses: the last told of after {loss.told_last_s:.3f} s,"
        f" answered after {loss.answered_last_s:.3f} s; {loss.first_frame_ms:.1f} and"
        f" {loss.last_frame_ms:.1f} ms after the verdict; CPU of the survivors {loss.survivors_cpu_s} s;"
        f" writes {loss.writes_until_told}; {loss.answered_after} of {loss.addresses_in_all} answered"
    )
    return loss


def _told(
    crowd: Multitude,
    wire: Wire,
    node: Machine,
    *,
    began: float,
    told: dict[str, float],
    frames: Sequence[ArpFrame],
) -> Loss:
    verdicts = {name: at for name, at in _verdicts(crowd, node).items() if at >= began}
    by = {
        each.name: [at for one, at in wire.told(since=began, by=each.mac).items() if one in told]
        for each in crowd.site.nodes
    }
    after = [(min(by[name]) - at, max(by[name]) - at) for name, at in verdicts.items() if by[name]]
    sample = {frame.sender_ip for frame in frames}
    return Loss(
        node=node.name,
        addresses=len(told),
        told_first_s=round(min(told.values()) - began, 4),
        told_last_s=round(max(told.values()) - began, 4),
        asked=len(sample),
        answered_last_s=round(
            max(answers(frames, one, since=began, but=node.mac)[0].at - began for one in sample), 4
        ),
        two_answerers_s=round(max(two_answerers(frames, one) for one in sample), 4),
        verdicts_s={name: round(at - began, 4) for name, at in verdicts.items()},
        first_frame_ms=round(1000 * max(first for first, _ in after), 2),
        last_frame_ms=round(1000 * max(last for _, last in after), 2),
        answered_after=0,
        addresses_in_all=len(crowd.addresses),
        survivors_cpu_s={},
        quiet_cpu_s={},
        writes_until_told=_kinds(crowd, began, max(told.values())),
        writes={},
        stall_s=0.0,
    )


def _verdicts(crowd: Multitude, node: Machine) -> dict[str, float]:
    """When each other speaker held the node dead for the last time."""
    told: dict[str, float] = {}
    for each in crowd.site.nodes:
        for line in crowd.speaker(each).output.read_bytes().splitlines():
            if line.startswith(b'{"dead"'):
                verdict = msgspec.json.decode(line, type=Verdict)
                if verdict.dead == node.name:
                    told[each.name] = verdict.at
    return told


def _kinds(crowd: Multitude, since: float, until: float) -> dict[str, int]:
    earlier, later = crowd.writes(since=since), crowd.writes(since=until)
    return {kind: count - later[kind] for kind, count in earlier.items() if count != later[kind]}


def _spent(programs: dict[str, Process], seconds: float) -> dict[str, float]:
    before = {name: one.cpu_s() for name, one in programs.items()}
    pause(seconds)
    return {name: one.cpu_s() - before[name] for name, one in programs.items()}


def _rounded(figures: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in figures.items()}


def evenly(some: Sequence[str], most: int) -> list[str]:
    """So many of them at most, the first and the last included."""
    if len(some) <= most:
        return list(some)
    return [some[place * (len(some) - 1) // (most - 1)] for place in range(most)]
