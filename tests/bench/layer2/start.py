"""All speakers start at once where thousands of addresses wait for them: exec to the last one announced."""

import time

import msgspec

from bench.layer2.conditions import Conditions
from bench.layer2.many import CALM_S, settle
from bench.trials import say
from lab.machine import Machine
from lab.multitude import Multitude, Wire, multitude
from lab.observations import longest_stall
from lab.process import waited_s
from lab.stations import StallWatch
from lab.waiting import pause


class Started(msgspec.Struct, frozen=True, kw_only=True):
    """One of the speakers; in seconds after its exec."""

    addresses: int
    told_first_s: float
    told_last_s: float
    """The last of its addresses that nobody else told of before."""
    cpu_s: float
    """Up to the moment when all addresses of all nodes were told of, the supervisor included."""
    waited_s: float
    """How long its main thread waited for a processor up to then: a node of its own would have spared it."""


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """One start of all."""

    told_last_s: float
    """The first exec to the first frame of the last address."""
    speakers: dict[str, Started]
    api_cpu_s: float
    """Of the API server meanwhile, on the same machine."""
    stall_s: float


def start(conditions: Conditions) -> list[Start]:
    """Again and again; before each start all of them were killed."""
    done: list[Start] = []
    with multitude(
        count=conditions.addresses,
        nodes=conditions.nodes,
        families=conditions.families,
        flags=("--profile", conditions.profile),
    ) as crowd:
        say(f"{conditions.addresses} addresses on {conditions.nodes} nodes")
        settle(crowd)
        for _ in range(conditions.trials):
            crowd.kill_speakers()
            pause(CALM_S)
            done.append(begin(crowd))
            pause(CALM_S)
            crowd.wait_quiet()
    return done


def begin(crowd: Multitude) -> Start:
    """Start them, and look until everything is announced."""
    wire, stalls = Wire(crowd.site), StallWatch(crowd.site.observer)
    try:
        pause(1.0)  # the watches hear by then
        api_cpu_s, began = crowd.api.process.cpu_s(), time.monotonic()
        executed: dict[str, float] = {}
        for node in crowd.site.nodes:
            executed[node.name] = time.monotonic()
            crowd.system.start_speaker(node)
        told = crowd.wait_told(wire, crowd.addresses, since=began)
        speakers = {
            node.name: _started(crowd, wire, node, executed[node.name], told) for node in crowd.site.nodes
        }
        found = Start(
            told_last_s=round(max(told.values()) - began, 4),
            speakers=speakers,
            api_cpu_s=round(crowd.api.process.cpu_s() - api_cpu_s, 4),
            stall_s=round(longest_stall(stalls.stalls, since=began), 4),
        )
    finally:
        wire.stop()
        stalls.process.kill()
    each = ", ".join(
        f"{name} {one.addresses} in {one.told_last_s:.3f} s"
        f" (CPU {one.cpu_s:.2f} s, waited {one.waited_s:.2f} s)"
        for name, one in speakers.items()
    )
    say(f"  the last of {len(told)} told of after {found.told_last_s:.3f} s: {each}")
    return found


def _started(crowd: Multitude, wire: Wire, node: Machine, executed: float, told: dict[str, float]) -> Started:
    own = [at for address, at in wire.told(since=executed, by=node.mac).items() if told[address] == at]
    program = crowd.speaker(node)
    return Started(
        addresses=len(own),
        told_first_s=round(min(own, default=executed) - executed, 4),
        told_last_s=round(max(own, default=executed) - executed, 4),
        cpu_s=round(program.cpu_s(), 4),
        waited_s=round(sum(waited_s(pid) for pid in program.children()), 4),
    )
