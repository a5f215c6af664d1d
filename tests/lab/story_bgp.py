"""The story of ``make demo MODE=bgp``: a router spreads connections over three nodes, and one is drained.

It is told while it happens, with what ``kubectl``, ``birdc`` and ``ip`` print.
"""

import re
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence

from lab.apis import Api
from lab.commands import ip
from lab.machine import Machine
from lab.network import Lab
from lab.observations import Attempt, served_again
from lab.rack import POOL
from lab.routed import Routed
from lab.routers.bird import Bird
from lab.site import Site
from lab.stations import Prober
from lab.story import Story
from lab.system import System
from lab.waiting import pause, wait_for

BACKENDS = (1, 1, 1)
SPREAD_S = 2.0
WATCHED_ON_S = 1.0
GONE_WITHIN_S = 30.0
ON_THE_WAY = "ConnectionResetError"
"""Open in the very moment in which the router chose another way for it."""
ON_THE_WAY_MAX = 3
SHARE_MIN = 0.15
"""Of a third: the router throws dice for each connection."""
SHOWN = re.compile(r"^(?:\S+ +unicast|\tBGP\.(?:community|local_pref|next_hop)| +unicast).*$", re.MULTILINE)


def play_bgp(story: Story, lab: Lab, api: Callable[[Site], Api]) -> tuple[System, list[str]]:
    """Tell and show it all; returns what runs, and what was not as promised."""
    story.tell("Three nodes, a router with BIRD and a client behind it are built from network namespaces.")
    routed = Routed(lab, Bird, backends=BACKENDS, has_bfd=True, api=api)
    lab.at_end(routed.stop)
    nodes = routed.nodes
    story.tell(f"There is {routed.system.api.name}, a controller, and on each node a speaker and a backend.")
    story.tell(f"A ConfigMap with the pool {POOL} and the router as a peer, and a Service, are applied.")
    routed.wait_for_ways(*nodes)
    story.tell("The Service has its addresses:")
    story.show("kubectl get svc web", routed.system.kubectl("get", "svc", "web"))
    story.tell("The router has a session with each node:")
    story.show("birdc show protocols", sessions(routed))
    story.tell("Its kernel has the address by all three nodes:")
    show_kernel(story, routed)
    with_all = spread(routed, "before")
    story.tell(f"The client makes new connections for {SPREAD_S:g} s; who answered:")
    story.show(f"http-probe http://{routed.four}/ | sort | uniq -c", table(with_all))

    leaving = nodes[1]
    drained, failed = drain(story, routed, leaving)
    with_two = spread(routed, "after")
    story.tell("New connections since then:")
    story.show(f"http-probe http://{routed.four}/ | sort | uniq -c", table(with_two))
    missed = shortfalls(
        with_all,
        with_two,
        failed,
        nodes=[node.name for node in nodes],
        leaving=leaving.name,
        requests=drained,
    )
    routed.unmark(leaving)
    routed.wait_for_ways(*nodes)
    story.tell(f"The mark is taken off {leaving.name}: the router has all three again.")
    show_kernel(story, routed)
    return routed.system, missed


def drain(story: Story, routed: Routed, leaving: Machine) -> tuple[int, Counter[str]]:
    """Requests meanwhile, and those that failed, by reason."""
    prober = asking(routed, "drain")
    staying = [node for node in routed.nodes if node is not leaving]
    story.tell(f"{leaving.name} is drained, while the client asks every 5 ms:")
    began = time.monotonic()
    routed.mark(leaving)
    story.show(f"kubectl annotate node {leaving.name} bareway.io/drain=maintenance", "")
    routed.wait_for_ways(*staying)
    story.tell(
        f"It still announces, with GRACEFUL_SHUTDOWN (65535:0): the router goes by the others after"
        f" {time.monotonic() - began:.2f} s."
    )
    router = routed.router
    assert isinstance(router, Bird)
    shown = router.ask(f"show route all for {routed.prefix}")
    story.show(f"birdc show route all for {routed.prefix}", "\n".join(SHOWN.findall(shown)))
    wait_for(
        lambda: router.session(leaving.address) != "established",
        what=f"the session with {leaving.name} to end",
        within_s=GONE_WITHIN_S,
        poll_s=0.1,
    )
    story.tell(
        f"Ten seconds later its routes are withdrawn and the session ends, after"
        f" {time.monotonic() - began:.1f} s:"
    )
    story.show("birdc show protocols", sessions(routed))
    pause(WATCHED_ON_S)
    attempts = [attempt for attempt in prober.attempts if attempt.sent_at >= began]
    failed = failures(attempts)
    prober.process.kill()
    story.tell(f"Meanwhile {len(attempts)} requests, {failed.total()} failed{reasons(failed)}.")
    return len(attempts), failed


def asking(routed: Routed, name: str) -> Prober:
    """A client that is served already."""
    prober = routed.probe(name=name)
    began = time.monotonic()
    wait_for(
        lambda: served_again(prober.attempts, since=began),
        what="a client that is served",
        within_s=GONE_WITHIN_S,
    )
    return prober


def spread(routed: Routed, name: str) -> Counter[str]:
    """Who answered how often."""
    prober = asking(routed, name)
    began = time.monotonic()
    pause(SPREAD_S)
    pages = [attempt.body for attempt in prober.attempts if attempt.sent_at >= began and attempt.body]
    prober.process.kill()
    return Counter(pages)


def failures(attempts: Iterable[Attempt]) -> Counter[str]:
    return Counter(attempt.failure for attempt in attempts if attempt.body is None)


def reasons(failed: Counter[str]) -> str:
    told = ", ".join(f"{count} {reason}" for reason, count in sorted(failed.items()))
    return f" ({told}: open while the router changed its way)" if set(failed) == {ON_THE_WAY} else f" {told}"


def table(pages: Counter[str]) -> str:
    return "\n".join(f"{count:6} {page}" for page, count in sorted(pages.items()))


def sessions(routed: Routed) -> str:
    assert isinstance(routed.router, Bird)
    lines = routed.router.ask("show protocols").splitlines()
    return "\n".join(line for line in lines if line.startswith(("Name", "node")))


def show_kernel(story: Story, routed: Routed) -> None:
    shown = ip("-n", routed.rack.router.namespace, "route", "show", routed.prefix)
    story.show(f"ip route show {routed.prefix}", shown)


def shortfalls(
    with_all: Counter[str],
    with_two: Counter[str],
    failed: Counter[str],
    *,
    nodes: Sequence[str],
    leaving: str,
    requests: int,
) -> list[str]:
    """What was promised and did not happen, a sentence each."""
    found = [sentence for name in nodes if (sentence := _share(name, with_all))]
    found += _strangers(with_all, nodes)
    if leaving in with_two:
        found.append(f"{leaving} was drained and got {with_two[leaving]} connections still.")
    lost = failed.total() - failed[ON_THE_WAY]
    if lost:
        found.append(f"{lost} of {requests} requests failed while {leaving} was drained.")
    if failed[ON_THE_WAY] > ON_THE_WAY_MAX:
        found.append(
            f"{failed[ON_THE_WAY]} connections were open when the router changed its way, and broke."
        )
    return found


def _share(name: str, pages: Counter[str]) -> str:
    share = pages[name] / max(1, pages.total())
    return "" if share >= SHARE_MIN else f"{name} got {share:.0%} of the connections, not about a third."


def _strangers(pages: Counter[str], nodes: Collection[str]) -> list[str]:
    return [f"The client got {page!r}, which is no backend's page." for page in pages if page not in nodes]
