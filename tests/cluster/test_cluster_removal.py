"""What is left after Bareway was removed as the README says: nothing."""

import time

import pytest

from cluster import audit
from cluster.conftest import Tell
from cluster.installation import SETTLED_WITHIN_S, Installation
from cluster.remains import in_the_api, on_a_node
from lab.commands import LabError
from lab.observations import answers
from lab.site import Watchers
from lab.waiting import pause, wait_for

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(400), pytest.mark.usefixtures("reported")]

SILENCE_S = 1.0


def test_nothing_is_left_when_everything_is_deleted(
    bareway: Installation, watchers: Watchers, address: str, tell: Tell
) -> None:
    assert on_a_node(bareway.ring.nodes[0], address)  # so that it is really looked for
    began = time.monotonic()
    bareway.remove()
    tell(f"deleted in {time.monotonic() - began:.1f} s")
    assert in_the_api(bareway) == []
    since = time.monotonic()

    def clean() -> bool:
        return not any(on_a_node(node, address) for node in bareway.ring.nodes)

    wait_for(clean, what="the nodes to be as they were", within_s=SETTLED_WITHIN_S, poll_s=0.5)
    pause(SILENCE_S)
    assert answers(watchers.arp.frames, address, since=since) == []
    with pytest.raises(LabError):
        bareway.ring.lan.client.run("curl", "-sS", "--max-time", "1", f"http://{address}/")


def test_in_all_that_time_the_programs_asked_nothing_that_is_not_on_record(bareway: Installation) -> None:
    """The record is what both API servers are tried with: ``make record`` after a new request."""
    assert audit.read(bareway.ring.plane.directory)  # the log was kept
    assert audit.unrecorded(bareway.ring.plane.directory) == []
