"""Planned moves: a speaker is told to end, a node is drained, all are rolled; nothing new may fail."""

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import pairwise

import msgspec

from bench.layer2.conditions import Conditions
from bench.layer2.crowd import Crowd, crowded
from bench.trials import say, until_calm
from lab.apis import PORT as API_PORT
from lab.machine import Machine
from lab.observations import Attempt, Marked, answers, two_answerers
from lab.stations import IMPORTABLE, NeighbourWatch, Prober, StallWatch
from lab.waiting import wait_for

EVERY_MS = "5"
"""Between two new requests of one protocol; each goes to the next of the owner's addresses."""
WATCHED = 3
"""Addresses of the moved node that are asked for by ARP or NDP all the time, of each family."""
MOVED_WITHIN_S = 20.0
WATCHED_ON_S = 3.0
"""After the move: a late loss is seen too."""
PORT = 80
IN_A_ROW = 100
"""Requests that were served one after the other: half a second of service."""


Act = Callable[[Crowd, Machine], float]
"""Begins a move; returns when."""


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """What one planned move did."""

    move: str
    node: str
    addresses: int
    """How many the node announced."""
    requests: dict[str, int]
    """New requests sent meanwhile, by protocol."""
    failed: dict[str, int]
    reasons: dict[str, int]
    """Of all that failed: ``ConnectionResetError`` was open while its address moved."""
    answered_s: float
    """The move's beginning to the successor's first answer to "who has", of the slowest watched address."""
    gap_s: float
    """How long nobody answered at most."""
    two_answerers_s: float
    """The longest of any watched address."""
    stall_s: float


def sigterm(conditions: Conditions) -> list[Move]:
    """A speaker is told to end, as the kubelet does; afterwards it is started again."""

    return _moves(conditions, "SIGTERM", _end, _restart)


def drain(conditions: Conditions) -> list[Move]:
    """A node gets the operator's mark; afterwards it is taken off.

    It begins when the API server is asked to set the mark; kubectl itself needs a tenth of a second before.
    """

    def act(crowd: Crowd, node: Machine) -> float:
        body = '{"metadata": {"annotations": {"bareway.io/drain": "maintenance"}}}'
        words = (f"http://{crowd.site.api.address}:{API_PORT}", f"/api/v1/nodes/{node.name}", body)
        python = ("env", f"PYTHONPATH={IMPORTABLE['PYTHONPATH']}", sys.executable)
        told = crowd.site.api.run(*python, "-m", "lab.tools.marking", *words)
        return msgspec.json.decode(told, type=Marked).sent_at

    def undo(crowd: Crowd, node: Machine) -> None:
        crowd.system.kubectl("annotate", "node", node.name, "bareway.io/drain-")

    return _moves(conditions, "drain", act, undo)


def roll(conditions: Conditions) -> list[Move]:
    """Every speaker is told to end and started anew, one after the other."""
    done: list[Move] = []
    with crowded(conditions) as crowd:
        for _ in range(conditions.trials):
            for node in crowd.site.nodes:
                done += until_calm(partial(_there_and_back, crowd, node, "roll", _end, _restart))
    return done


def _end(crowd: Crowd, node: Machine) -> float:
    began = time.monotonic()
    crowd.system.speakers[node.name].stop()
    return began


def _restart(crowd: Crowd, node: Machine) -> None:
    crowd.system.start_speaker(node)
    crowd.system.settle()


def _moves(
    conditions: Conditions,
    name: str,
    act: Act,
    undo: Callable[[Crowd, Machine], None],
) -> list[Move]:
    done: list[Move] = []
    with crowded(conditions) as crowd:
        for number in range(conditions.trials):
            node = crowd.site.nodes[number % len(crowd.site.nodes)]
            done += until_calm(partial(_there_and_back, crowd, node, name, act, undo))
    return done


def _there_and_back(
    crowd: Crowd, node: Machine, name: str, act: Act, undo: Callable[[Crowd, Machine], None]
) -> list[Move]:
    done = [_move(crowd, node, name, act)]
    undo(crowd, node)
    return done


class _Eyes:
    """New requests of both protocols to the addresses of one node, and questions for some of them."""

    def __init__(self, crowd: Crowd, addresses: list[str]) -> None:
        site, all_of_them = crowd.site, ",".join(addresses)
        flags = ("--every-ms", EVERY_MS)
        self.watched = [
            address
            for family in (False, True)
            for address in [each for each in addresses if (":" in each) is family][:WATCHED]
        ]
        self.probers = {
            "TCP": Prober(site.client, all_of_them, PORT, *flags, name="tcp"),
            "UDP": Prober(site.client, all_of_them, PORT, "--udp", *flags, name="udp"),
        }
        self.wires = {
            family: NeighbourWatch(site.observer, *some, name=f"neighbours-{family}")
            for family in (False, True)
            if (some := [each for each in self.watched if (":" in each) is family])
        }
        self.stalls = StallWatch(site.observer)

    def wire(self, address: str) -> NeighbourWatch:
        return self.wires[":" in address]

    def stop(self) -> None:
        self.stalls.process.kill()
        for prober in self.probers.values():
            prober.process.kill()
        for wire in self.wires.values():
            wire.process.kill()


@contextmanager
def _looking(crowd: Crowd, addresses: list[str]) -> Iterator[_Eyes]:
    eyes = _Eyes(crowd, addresses)
    try:
        began = time.monotonic()

        def seen() -> bool:
            heard = all(answers(eyes.wire(each).frames, each, since=began) for each in eyes.watched)
            return heard and all(_is_served(prober.attempts) for prober in eyes.probers.values())

        wait_for(seen, what="every protocol to be served", within_s=MOVED_WITHIN_S, poll_s=0.1)
        yield eyes
    finally:
        eyes.stop()


def _is_served(attempts: list[Attempt]) -> bool:
    last = attempts[-IN_A_ROW:]
    return len(last) == IN_A_ROW and all(attempt.body is not None for attempt in last)


def _move(crowd: Crowd, node: Machine, name: str, act: Act) -> Move:
    mine = crowd.held_by(node)
    with _looking(crowd, mine) as eyes:
        began = act(crowd, node)

        def moved() -> bool:
            return all(
                answers(eyes.wire(each).frames, each, since=began, but=node.mac) for each in eyes.watched
            )

        wait_for(moved, what=f"others to answer for the addresses of {node.name}", within_s=MOVED_WITHIN_S)
        ends_at = time.monotonic() + WATCHED_ON_S
        wait_for(lambda: time.monotonic() > ends_at, what="a while", within_s=2 * WATCHED_ON_S, poll_s=0.1)
        found = _told(eyes, node, name, began, mine)
    say(
        f"  {name} of {node.name} with {len(mine)} addresses: failed {found.failed} of {found.requests}"
        f" {found.reasons};"
        f" next answer after {found.answered_s:.3f} s, silent {found.gap_s:.3f} s,"
        f" two answerers {found.two_answerers_s:.3f} s"
    )
    return found


def _told(eyes: _Eyes, node: Machine, name: str, began: float, mine: list[str]) -> Move:
    sent = {
        protocol: [attempt for attempt in prober.attempts if attempt.sent_at >= began]
        for protocol, prober in eyes.probers.items()
    }
    frames = {address: eyes.wire(address).frames for address in eyes.watched}
    heard = {address: answers(frames[address], address, since=began - 1) for address in eyes.watched}
    return Move(
        move=name,
        node=node.name,
        addresses=len(mine),
        requests={protocol: len(some) for protocol, some in sent.items()},
        failed={protocol: sum(one.body is None for one in some) for protocol, some in sent.items()},
        reasons=dict(Counter(one.failure for some in sent.values() for one in some if one.body is None)),
        answered_s=round(
            max(
                answers(frames[each], each, since=began, but=node.mac)[0].at - began for each in eyes.watched
            ),
            4,
        ),
        gap_s=round(
            max(later.at - earlier.at for some in heard.values() for earlier, later in pairwise(some)),
            4,
        ),
        two_answerers_s=round(
            max(two_answerers(frames[each], each, since=began) for each in eyes.watched), 4
        ),
        stall_s=round(max((each.late_s for each in eyes.stalls.stalls if each.at >= began), default=0.0), 4),
    )
