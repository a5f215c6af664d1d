"""A new user's path: what README.md and the pages that it leads to say is typed on a cluster without Bareway.

It is the first of the stories by its name, so that it finds nothing installed, and leaves nothing. All that
the pages show of a terminal is compared with what was printed; what is said is compared with what a client
and an observer outside see on the wire.
"""

import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from cluster.conftest import Tell
from cluster.installation import EXAMPLE, SETTLED_WITHIN_S, SYSTEM, Installation
from cluster.newcomer import Answer, Newcomer
from cluster.remains import ANYTHING, in_the_api, on_a_node
from lab.machine import Machine
from lab.observations import served_again
from lab.site import Watchers
from lab.stations import Prober
from lab.trial import steady_owner
from lab.waiting import wait_for
from support.first_day import READ

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600), pytest.mark.usefixtures("reported")]

ADDRESS = "192.0.2.240"
"""The lowest of the example's pool."""
FIRST_PAGE_WITHIN_S = 60.0
PATIENCE_MS = 900.0
OPEN_THEN = "ConnectionResetError"
"""What a connection may end with that was open in the very moment of a planned move."""


@contextmanager
def watching(bareway: Installation) -> Iterator[Watchers]:
    """A client that asks for the page all the time, and an observer."""
    watchers = bareway.ring.lan.watch(ADDRESS)
    try:
        yield watchers
    finally:
        watchers.stop()


def answers_now(watchers: Watchers, *, but: str = "") -> str:
    """The node that answers, once one does, and is another one than a former."""

    def other() -> Machine | None:
        owner = steady_owner(watchers)
        return owner if owner.name != but else None

    what = f"a node to answer for {ADDRESS}" + (f", and not {but}" if but else "")
    return wait_for(other, what=what, within_s=SETTLED_WITHIN_S).name


@contextmanager
def asking(bareway: Installation) -> Iterator[Prober]:
    """A client that waits as long as a lost first packet shows, which would be sent anew after 1 s."""
    client = bareway.ring.lan.client
    prober = Prober(client, ADDRESS, 80, "--deadline-ms", f"{PATIENCE_MS:.0f}", name="patient")
    try:
        wait_for(lambda: served_again(prober.attempts, since=0.0), what="pages", within_s=SETTLED_WITHIN_S)
        yield prober
    finally:
        prober.process.kill()


def moves(answer: Answer) -> list[tuple[str | None, str | None, str, str]]:
    """From whom to whom, why, and the note."""
    assert answer.code == 0, answer.output
    told = json.loads(answer.output)["changes"]
    return [(one["from"], one["to"], one["reason"], one["note"]) for one in told]


def test_a_new_user_installs_asks_why_drains_and_removes_as_the_pages_say(
    bareway: Installation, tell: Tell
) -> None:
    if SYSTEM in bareway.kubectl("get", "namespaces", "-o", "name"):
        bareway.remove()
    newcomer = Newcomer(bareway.ring)
    began = time.monotonic()
    for part in READ[:3]:  # a first look, the programs and addresses, the first Service
        list(newcomer.reads(*part))
    page = bareway.ring.lan.page(f"http://{ADDRESS}/", within_s=FIRST_PAGE_WITHIN_S)
    tell(f"the first page {time.monotonic() - began:.1f} s after the first word: {page}")
    with watching(bareway) as watchers:
        first = newcomer.announcer = answers_now(watchers)
        list(newcomer.reads(*READ[3]))
        must_be_told_well(newcomer, first, tell)
        second = drains(bareway, newcomer, watchers, first, tell)
        replaces(bareway, newcomer, watchers, first, second)
    removes(bareway, newcomer, tell)
    assert newcomer.has_read == list(READ)


def must_be_told_well(newcomer: Newcomer, announcer: str, tell: Tell) -> None:
    """The sentence and the code of each verb that says whether all is well; and how long it took."""
    sentence = f"Node {announcer} answers for {ADDRESS} of default/web on eth0."
    told = [newcomer.types(f"bareway why {about}") for about in ("web", "default/web", ADDRESS)]
    assert [(one.code, one.output.splitlines()[-1]) for one in told] == [(0, sentence)] * len(told)
    status = newcomer.types("bareway status")
    assert (status.code, status.output.splitlines()[0].partition("; ")[2]) == (0, "all is well")
    doctor = newcomer.types("bareway doctor")
    assert (doctor.code, doctor.output.splitlines()[-1]) == (0, "Nothing was found")
    tell(f"why after {told[0].seconds:.1f} s, status {status.seconds:.1f} s, doctor {doctor.seconds:.1f} s")


def drains(bareway: Installation, newcomer: Newcomer, watchers: Watchers, first: str, tell: Tell) -> str:
    """As the README says; returns the node that answers then, which it goes on to do."""
    with asking(bareway) as prober:
        list(newcomer.reads(*READ[4]))
        second = answers_now(watchers, but=first)
        asked = prober.attempts
    lost = Counter(one.failure for one in asked if one.body is None)
    assert set(lost) <= {OPEN_THEN}
    told = moves(newcomer.types(f"bareway history {ADDRESS} -o json"))
    assert told == [(None, first, "FirstClaim", ""), (first, second, "HolderDrained", "Drained: new-disk")]
    assert newcomer.types("bareway why web").output.endswith(
        f"Node {second} answers for {ADDRESS} of default/web on eth0."
    )
    tell(f"drained, from {first} to {second}: {lost.total()} of {len(asked)} requests failed")
    return second


def replaces(bareway: Installation, newcomer: Newcomer, watchers: Watchers, first: str, second: str) -> None:
    """What was is still told when the speaker that announces was replaced."""
    before = moves(newcomer.types(f"bareway history {ADDRESS} -o json"))
    bareway.replace(bareway.pod_on(bareway.ring.node(second)))
    bareway.settle()
    third = answers_now(watchers, but=second)
    after = moves(newcomer.types(f"bareway history {ADDRESS} -o json"))
    assert after[: len(before)] == before
    assert [(former, holder) for former, holder, *_ in after[len(before) :]] == [(second, third)]
    own = bareway.pod_on(bareway.ring.node(second)).name
    assert newcomer.types(f"kubectl -n {SYSTEM} exec {own} -- bareway history").code == 0
    assert newcomer.types("bareway doctor").code == 0


def removes(bareway: Installation, newcomer: Newcomer, tell: Tell) -> None:
    """As the pages say; nothing is left, and the Service of the user is as it was before."""
    refused = newcomer.types("bareway uninstall --yes")
    assert (refused.code, refused.output.partition(":")[0]) == (1, "ProgramsRun")
    assert newcomer.types("bareway uninstall --verify").code == 1
    began = time.monotonic()
    for part in READ[5:]:
        list(newcomer.reads(*part))
    tell(f"removed in {time.monotonic() - began:.1f} s")
    assert in_the_api(bareway, ANYTHING) == []
    web = json.loads(bareway.kubectl("get", "service", "web", "-o", "json"))
    assert web["status"] == {"loadBalancer": {}}
    assert SYSTEM not in bareway.kubectl("get", "namespaces", "-o", "name")
    bareway.kubectl("delete", "-f", str(EXAMPLE))

    def clean() -> bool:
        return not any(on_a_node(node, ADDRESS) for node in bareway.ring.nodes)

    wait_for(clean, what="the nodes to be as they were", within_s=SETTLED_WITHIN_S, poll_s=0.5)
