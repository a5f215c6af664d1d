"""A speaker as in a Pod that also tells when its gossip held a member dead: a ``Verdict`` among its log.

python -m lab.tools.traced_pod http://192.0.2.2:6443 --node-name node1 …
"""

import sys
import time

import msgspec

from bareway.gossip.events import Event, MemberChanged, Output
from bareway.gossip.machine import GossipMachine
from bareway.gossip.member import MemberState
from lab.observations import Verdict
from lab.tools import pod
from speaker import joining


class Traced(GossipMachine):
    """The machine, overheard."""

    def handle(self, event: Event, *, now: float) -> list[Output]:
        """As ever; a verdict counts from the beginning of the call that makes it."""
        began = time.monotonic()
        outputs = super().handle(event, now=now)
        for output in outputs:
            if isinstance(output, MemberChanged) and output.state is MemberState.DEAD:
                told = Verdict(at=began, dead=output.name, took_s=time.monotonic() - began)
                sys.stdout.buffer.write(msgspec.json.encode(told) + b"\n")
                sys.stdout.buffer.flush()
        return outputs


if __name__ == "__main__":
    vars(joining)["GossipMachine"] = Traced  # the speaker makes its machine by this name
    sys.exit(pod.main())
