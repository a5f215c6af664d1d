"""Bareway installed from ``manifests/`` on a real cluster of three kubelet nodes, and what may happen to it.

One cluster serves the whole file: each test begins when all is well and repairs what it broke. The figures
are printed as they are measured; limits are several times what an idle machine of two cores shows.
"""

import json
import time
from collections.abc import Callable, Iterator

import pytest

from cluster.installation import CONTROLLER, SETTLED_WITHIN_S, SPEAKERS, SYSTEM, Installation
from cluster.node import Node
from cluster.whole_cluster import Ring
from lab.commands import LabError
from lab.machine import Machine
from lab.network import Lab
from lab.observations import answers, outage, served_again, two_answerers
from lab.site import Watchers
from lab.trial import Trial, measure, steady_owner
from lab.waiting import pause, wait_for

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(400)]

Tell = Callable[[str], None]

FIRST_PAGE_WITHIN_S = 60.0  # less than 10 s on an idle machine
OUTAGE_MAX_S = 3.0  # 0.8 s on an idle machine; MetalLB v0.12.1 needs 5.5 s
HAND_OVER_MAX_S = 1.5  # nothing at all on an idle machine
SIDE_BY_SIDE_MAX_S = 0.2  # nothing at all, ever seen; 20 to 30 s where speakers with two keys announced
API_AWAY_S = 30.0
SILENCE_S = 1.0


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str]) -> Tell:
    """Print for the person who waits, whatever the test's outcome."""

    def say(sentence: str) -> None:
        with capsys.disabled():
            print(f"\n    {sentence}", end=" ", flush=True)

    return say


@pytest.fixture(scope="module")
def bareway() -> Iterator[Installation]:
    """A cluster whose nodes have the images; nothing is installed yet."""
    with Lab() as lab:
        ring = Ring(lab)
        ring.start()
        installation = Installation(ring)
        installation.load_images()
        yield installation


@pytest.fixture(autouse=True)
def _report(request: pytest.FixtureRequest, bareway: Installation) -> Iterator[None]:
    """After a failure, what somebody who looks for its cause would ask first."""
    failed = request.session.testsfailed
    yield
    if request.session.testsfailed > failed:
        bareway.report()


@pytest.fixture
def address(bareway: Installation) -> str:
    """The example's, on a cluster where all is well: who broke something has repaired it."""
    if SYSTEM not in bareway.kubectl("get", "namespaces", "-o", "name"):
        bareway.install()
    address = bareway.publish()  # which changes nothing if it is there
    bareway.settle()
    return address


@pytest.fixture
def watchers(bareway: Installation, address: str) -> Iterator[Watchers]:
    """A client that asks for the page all the time, and gets it."""
    watchers = bareway.ring.lan.watch(address)
    steady_owner(watchers)
    yield watchers
    watchers.stop()


@pytest.fixture
def announcer(bareway: Installation, watchers: Watchers) -> Iterator[Node]:
    """The node that announces; it carries no page, so that its fault takes the address away and no page."""
    node = bareway.ring.node(steady_owner(watchers).name)
    bareway.keep_page_away_from(node)
    yield node
    if node.machine.is_on:
        node.machine.join()
    else:
        node.power_on()


def summary(trial: Trial) -> str:
    return (
        f"{trial.fault} of {trial.owner}: {trial.successor} answered ARP after {trial.answered_s:.2f} s, the "
        f"client was without a page for {trial.outage_s:.2f} s (the host stood still {trial.stall_s:.2f} s)"
    )


def must_be_short(trial: Trial, tell: Tell) -> None:
    tell(summary(trial))
    assert trial.successor != trial.owner
    assert trial.outage_s <= OUTAGE_MAX_S + trial.stall_s


def test_a_client_outside_gets_the_page_soon_after_the_first_command(
    bareway: Installation, tell: Tell
) -> None:
    began = time.monotonic()
    bareway.install()
    address = bareway.publish()
    assigned_s = time.monotonic() - began
    page = bareway.ring.lan.page(f"http://{address}/", within_s=FIRST_PAGE_WITHIN_S)
    tell(f"address after {assigned_s:.1f} s, first page after {time.monotonic() - began:.1f} s: {page}")
    assert page.startswith("Hello from web-")


def test_logs_and_events_tell_an_operator_what_happened(bareway: Installation, address: str) -> None:
    assert "address assigned" in {line["msg"] for line in bareway.logs(CONTROLLER)}
    said = [line for pod in bareway.pods("component=speaker") for line in bareway.logs(f"pod/{pod.name}")]
    assert {"starting", "gossip listens", "layer 2 link opened"} <= {line["msg"] for line in said}
    announced = [line for line in said if line["msg"] == "announcing" and address in str(line["ips"])]
    assert announced
    events = bareway.kubectl("describe", "service", "web").partition("Events:")[2]
    assert f'Assigned IP ["{address}"]' in events
    assert "announcing from node" in events


def test_status_shows_every_member_and_one_announcer(bareway: Installation, address: str) -> None:
    told = bareway.kubectl("-n", SYSTEM, "exec", SPEAKERS, "--", "bareway", "status")
    rows = [line.split() for line in told.splitlines()]
    alive = {row[0] for row in rows if row[1:2] == ["Alive"]}
    assert alive == {node.name for node in bareway.ring.nodes}
    (of_address,) = (row for row in rows if row[:1] == [address])
    assert of_address[1] == "default/web"
    assert of_address[2] in alive


def test_the_page_comes_back_when_the_announcers_cable_is_cut(
    watchers: Watchers, announcer: Node, tell: Tell
) -> None:
    must_be_short(measure(watchers, "bareway", "cable cut", Machine.cut), tell)


def test_the_page_comes_back_when_the_announcer_is_powered_off(
    watchers: Watchers, announcer: Node, tell: Tell
) -> None:
    def off(machine: Machine) -> None:
        assert machine is announcer.machine.host
        announcer.machine.power_off()

    must_be_short(measure(watchers, "bareway", "power off", off), tell)


def test_a_node_is_replaced_while_the_api_server_is_gone(
    bareway: Installation, watchers: Watchers, announcer: Node, tell: Tell
) -> None:
    def off(machine: Machine) -> None:
        assert machine is announcer.machine.host
        announcer.machine.power_off()

    began = time.monotonic()
    bareway.ring.plane.api_server.kill()
    try:
        pause(API_AWAY_S)
        assert served_again(watchers.prober.attempts, since=time.monotonic() - 1.0)
        seen = outage(watchers.prober.attempts, since=began)
        assert seen is not None
        assert seen.seconds <= HAND_OVER_MAX_S
        trial = measure(watchers, "bareway", "power off without API server", off)
    finally:
        bareway.ring.plane.api_server.start()
        bareway.ring.plane.wait_ready()
    must_be_short(trial, tell)


def test_a_rolling_update_hands_addresses_over(bareway: Installation, watchers: Watchers, tell: Tell) -> None:
    began = time.monotonic()
    before = {pod.name for pod in bareway.pods("app=bareway")}
    bareway.roll(SPEAKERS, CONTROLLER)
    took_s = time.monotonic() - began
    bareway.settle()
    assert not before & {pod.name for pod in bareway.pods("app=bareway")}
    steady_owner(watchers)
    seen = outage(watchers.prober.attempts, since=began)
    assert seen is not None
    shared_s = two_answerers(watchers.arp.frames, watchers.address, since=began)
    tell(
        f"rolled in {took_s:.0f} s; the client was without a page for {seen.seconds:.2f} s {seen.failures}, "
        f"two nodes answered for {shared_s:.2f} s"
    )
    assert seen.seconds <= HAND_OVER_MAX_S
    assert shared_s <= SIDE_BY_SIDE_MAX_S


def test_a_new_gossip_key_is_in_force_after_a_rolling_restart(
    bareway: Installation, watchers: Watchers, tell: Tell
) -> None:
    """Also where a speaker should read the key only at its start: the restart is what makes it sure."""
    began = time.monotonic()
    bareway.kubectl("-n", SYSTEM, "delete", "secret", "memberlist")  # the controller makes a new one
    bareway.kubectl("-n", SYSTEM, "wait", "--for=create", "--timeout=30s", "secret/memberlist")
    bareway.roll(SPEAKERS)
    bareway.settle()
    steady_owner(watchers)
    seen = outage(watchers.prober.attempts, since=began)
    assert seen is not None
    shared_s = two_answerers(watchers.arp.frames, watchers.address, since=began)
    tell(
        f"key rotated; the client was without a page for {seen.seconds:.2f} s {seen.failures}, "
        f"two nodes answered for {shared_s:.2f} s"
    )
    assert seen.seconds <= OUTAGE_MAX_S
    assert shared_s <= SIDE_BY_SIDE_MAX_S


def traces(node: Node, address: str) -> list[str]:
    """What is still on a node after everything was deleted."""
    found = {
        "containers": node.running(),
        "Pods on disk": node.machine.run("ls", "/var/lib/kubelet/pods"),
        "programs": [
            line for line in node.machine.run("ps", "-eo", "args").splitlines() if "/opt/bareway" in line
        ],
        "links": [line for line in node.machine.run("ip", "link").splitlines() if "veth" in line],
        "addresses": address in node.machine.run("ip", "address"),
        "rules": address in node.machine.run("nft", "list", "ruleset"),
    }
    return [f"{node.name}: {what} {still}" for what, still in found.items() if still]


def test_nothing_is_left_when_everything_is_deleted(
    bareway: Installation, watchers: Watchers, address: str, tell: Tell
) -> None:
    assert traces(bareway.ring.nodes[0], address)  # so that it is really looked for
    began = time.monotonic()
    bareway.remove()
    tell(f"deleted in {time.monotonic() - began:.1f} s")
    kinds = (
        "namespaces,clusterroles,clusterrolebindings,services,pods,configmaps,secrets,serviceaccounts,"
        "endpointslices,controllerrevisions,replicasets,leases"
    )
    left = json.loads(bareway.kubectl("get", kinds, "-A", "-o", "json"))["items"]
    assert [item["metadata"]["name"] for item in left if "bareway" in json.dumps(item)] == []
    since = time.monotonic()

    def clean() -> bool:
        return not any(traces(node, address) for node in bareway.ring.nodes)

    wait_for(clean, what="the nodes to be as they were", within_s=SETTLED_WITHIN_S, poll_s=0.5)
    pause(SILENCE_S)
    assert answers(watchers.arp.frames, address, since=since) == []
    with pytest.raises(LabError):
        bareway.ring.lan.client.run("curl", "-sS", "--max-time", "1", f"http://{address}/")
