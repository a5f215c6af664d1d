"""Four routers, and what each must have of two nodes: both families, with keys, drained, restarted.

What was seen is written to ``tests/lab/results/bgp.md``.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lab.commands import run
from lab.gallery import KEY, KINDS, PACKAGES, SECRET, Gallery
from lab.network import Lab
from lab.process import Process

pytestmark = [pytest.mark.lab, pytest.mark.host, pytest.mark.timeout(120)]
RESULTS = Path(__file__).parent / "results" / "bgp.md"
COLUMNS = ("IPv4", "IPv6", "MD5", "drain", "restart")
SEEN_WITHIN_S = 10.0
MARKED_FOR_S = 10.0
"""A node that is drained marks its routes for so long before it takes them back."""
GRACEFUL_SHUTDOWN = "65535:0"
every_router = pytest.mark.parametrize("router", KINDS)


@dataclass(slots=True)
class Table:
    """What was seen of each router."""

    seen: dict[str, set[str]] = field(default_factory=lambda: {name: set() for name in KINDS})

    def note(self, router: str, column: str) -> None:
        self.seen[router].add(column)

    def write(self) -> None:
        lines = [
            "# Routers that Bareway was seen to work with",
            "",
            "Written by `tests/lab/test_bgp_routers.py`: each router is Debian's package, in a network",
            "namespace; two nodes run the speaker. MD5 is tried with a key from a Secret, by both families.",
            "",
            f"| router | version | {' | '.join(COLUMNS)} |",
            f"|---|---|{'---|' * len(COLUMNS)}",
        ]
        for name, columns in self.seen.items():
            cells = " | ".join("yes" if column in columns else "no" for column in COLUMNS)
            lines.append(f"| {name} | {version(name)} | {cells} |")
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text("\n".join(lines) + "\n")


def version(router: str) -> str:
    return run("dpkg-query", "--show", "--showformat=${Version}", PACKAGES[router]).strip()


@pytest.fixture(scope="module")
def table(request: pytest.FixtureRequest) -> Iterator[Table]:
    table = Table()
    yield table
    if request.session.testscollected and all_were_tried(request):
        table.write()


def all_were_tried(request: pytest.FixtureRequest) -> bool:
    """Part of the tests says nothing of the others."""
    mine = [item for item in request.session.items if item.path == request.path]
    return len(mine) == len(KINDS) * len(COLUMNS)


@pytest.fixture(scope="module")
def gallery(_prerequisites: None) -> Iterator[Gallery]:
    with Lab() as lab:
        gallery = Gallery(lab)
        yield gallery
        gallery.stop_routers()
        for process in (gallery.system.controller, *gallery.system.speakers.values()):
            assert process is not None
            assert "Traceback" not in process.output.read_text() + process.errors.read_text()


def has_all(gallery: Gallery, router: str, prefix: str, peers: list[str]) -> None:
    """Wait for a good route by each of these sessions, and look at what it says."""
    for peer in peers:
        gallery.wait_for_session(router, peer)
        path = gallery.wait_for_path(router, prefix, peer)
        assert path.as_path == (64512,)
        assert path.communities == {"64512:100"}
        assert path.next_hops[0] == peer
    gallery.wait_for_ways(router, prefix)


def addresses(gallery: Gallery, *, is_ipv6: bool) -> list[str]:
    return [node.address_6 if is_ipv6 else node.address for node in gallery.nodes]


@every_router
def test_ipv4_is_known_of_both_nodes_by_sessions_over_ipv4(
    gallery: Gallery, table: Table, router: str
) -> None:
    has_all(gallery, router, gallery.four, addresses(gallery, is_ipv6=False))
    table.note(router, "IPv4")


@every_router
def test_ipv6_is_known_of_both_nodes_by_sessions_over_ipv6(
    gallery: Gallery, table: Table, router: str
) -> None:
    has_all(gallery, router, gallery.six, addresses(gallery, is_ipv6=True))
    table.note(router, "IPv6")


@pytest.fixture(scope="module")
def keyed(gallery: Gallery) -> Gallery:
    """The routers want a key; the speakers get it from a Secret once they were refused without."""
    gallery.start_routers(password=KEY)
    for router in KINDS:
        gallery.wait_for_refusal(router)
    gallery.system.apply(SECRET)
    gallery.configure(has_keys=True)
    return gallery


@every_router
def test_sessions_with_a_key_from_a_secret(keyed: Gallery, table: Table, router: str) -> None:
    has_all(keyed, router, keyed.four, addresses(keyed, is_ipv6=False))
    has_all(keyed, router, keyed.six, addresses(keyed, is_ipv6=True))
    table.note(router, "MD5")


@dataclass(slots=True)
class Drained:
    """Which routers saw what while a node was drained and came back."""

    marked: set[str] = field(default_factory=set)
    """GRACEFUL_SHUTDOWN on its routes, while they were there."""
    avoided: set[str] = field(default_factory=set)
    """Its kernel sent nothing there any more, while the route was there."""
    withdrawn: set[str] = field(default_factory=set)
    """And the other node's were there."""


@pytest.fixture(scope="module")
def drained(gallery: Gallery) -> Drained:
    for router in KINDS:
        has_all(gallery, router, gallery.four, addresses(gallery, is_ipv6=False))
    leaving = gallery.nodes[0]
    found = Drained()
    gallery.system.kubectl("annotate", "node", leaving.name, "bareway.io/drain=maintenance")
    until = time.monotonic() + MARKED_FOR_S
    while time.monotonic() < until and len(found.marked) < len(KINDS):
        look_for_marks(gallery, found)
    until = time.monotonic() + MARKED_FOR_S + SEEN_WITHIN_S
    while time.monotonic() < until and len(found.withdrawn) < len(KINDS):
        look_for_withdrawals(gallery, found)
    gallery.system.kubectl("annotate", "node", leaving.name, "bareway.io/drain-")
    return found


def look_for_marks(gallery: Gallery, found: Drained) -> None:
    leaving, staying = gallery.nodes
    for name in KINDS:
        if gallery.has_path(name, gallery.four, leaving.address, community=GRACEFUL_SHUTDOWN):
            found.marked.add(name)
            if gallery.ways(name, gallery.four) == {staying.name}:
                found.avoided.add(name)


def look_for_withdrawals(gallery: Gallery, found: Drained) -> None:
    leaving, staying = gallery.nodes
    look_for_marks(gallery, found)
    for name, router in gallery.routers.items():
        route = router.routes().get(gallery.four)
        if route is not None and route.by(leaving.address) is None and route.by(staying.address):
            found.withdrawn.add(name)


@every_router
def test_a_drained_node_is_avoided_first_and_gone_then(
    gallery: Gallery, drained: Drained, table: Table, router: str
) -> None:
    assert router in drained.marked
    assert router in drained.withdrawn
    if gallery.routers[router].fills_kernel:
        assert router in drained.avoided
    has_all(gallery, router, gallery.four, addresses(gallery, is_ipv6=False))  # it came back
    table.note(router, "drain")


@dataclass(slots=True)
class Restarted:
    """Which routers saw what while a speaker was away for some seconds."""

    stale: set[str] = field(default_factory=set)
    monitors: dict[str, Process] = field(default_factory=dict)
    """What happened to the kernel's routes of those that fill one."""


@pytest.fixture(scope="module")
def restarted(gallery: Gallery) -> Restarted:
    for router in KINDS:
        has_all(gallery, router, gallery.four, addresses(gallery, is_ipv6=False))
        has_all(gallery, router, gallery.six, addresses(gallery, is_ipv6=True))
    found = Restarted()
    for name, it in gallery.routers.items():
        if it.fills_kernel:
            found.monitors[name] = gallery.monitor(name)
    node = gallery.nodes[0]
    gallery.system.speakers[node.name].stop()
    for name, it in gallery.routers.items():
        gallery.wait_for_session(name, node.address, is_up=False)
        route = it.routes().get(gallery.four)
        path = route.by(node.address) if route is not None else None
        if path is not None and path.is_stale:
            found.stale.add(name)
    gallery.system.start_speaker(node)
    return found


@every_router
def test_a_speaker_that_restarts_is_missed_by_nobody(
    gallery: Gallery, restarted: Restarted, table: Table, router: str
) -> None:
    assert router in restarted.stale
    has_all(gallery, router, gallery.four, addresses(gallery, is_ipv6=False))
    has_all(gallery, router, gallery.six, addresses(gallery, is_ipv6=True))
    if monitor := restarted.monitors.get(router):
        monitor.must_run()
        changes = monitor.output.read_text()
        assert "Deleted" not in changes
    table.note(router, "restart")
