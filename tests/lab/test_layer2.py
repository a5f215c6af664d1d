"""Layer 2 in full, on real packets: both families, drains, moves, crashes, kernels that answer too."""

import time
from collections.abc import Iterator

import pytest

from lab.apis import EmbeddedApi
from lab.machine import Machine
from lab.network import Lab
from lab.observations import answers
from lab.site import Site, Watchers
from lab.stations import Prober
from lab.system import System
from lab.trial import measure_each, steady_owner
from lab.waiting import wait_for

pytestmark = [pytest.mark.lab, pytest.mark.timeout(150)]
BOTH = ("IPv4", "IPv6")
MOVED_WITHIN_S = 15.0
ON_THE_WAY = "ConnectionResetError"
"""A connection that was open while its address moved: the next node knows nothing of it."""


@pytest.fixture(name="dual")
def dual_stack(lab: Lab) -> Iterator[System]:
    """Bareway on three nodes with one Service of both families."""
    system = System(Site(lab), EmbeddedApi)
    system.start_cluster()
    system.start_all()
    system.configure()
    system.publish(families=BOTH)
    system.settle()
    yield system
    for process in (system.controller, *system.speakers.values()):
        assert process is not None
        assert "Traceback" not in process.output.read_text() + process.errors.read_text()


@pytest.fixture(name="watched")
def both_addresses(dual: System) -> list[Watchers]:
    """Both addresses of the Service, IPv4 first."""
    path = "jsonpath={.status.loadBalancer.ingress[*].ip}"

    def assigned() -> list[str]:
        found = dual.kubectl("get", "service", "web", "-o", path).split()
        return found if len(found) == len(BOTH) else []

    found = wait_for(assigned, what="both addresses", within_s=20)
    return [Watchers(dual.site, address) for address in sorted(found, key=lambda address: ":" in address)]


def owner_of(watched: list[Watchers]) -> Machine:
    """The node that answers for both, once it alone does."""

    def one() -> Machine | None:
        owners = {steady_owner(watchers) for watchers in watched}
        return owners.pop() if len(owners) == 1 else None

    return wait_for(one, what="one owner of both addresses", within_s=30)


def test_both_families_are_answered_by_one_node_and_taken_over_together(
    dual: System, watched: list[Watchers]
) -> None:
    owner_of(watched)
    four, six = measure_each(watched, "bareway", "power off", Machine.power_off)
    assert four.successor == six.successor != four.owner
    for trial in (four, six):
        assert trial.announced_s is not None
        assert trial.two_answerers_s == 0.0


def test_a_drained_node_hands_over_without_a_failed_request(dual: System, watched: list[Watchers]) -> None:
    owner = owner_of(watched)
    everywhere = ",".join(watchers.address for watchers in watched)
    datagrams = Prober(dual.site.client, everywhere, 80, "--udp", name="udp")
    wait_for(lambda: len(datagrams.attempts) > 20, what="datagrams", within_s=10)
    began = time.monotonic()
    dual.kubectl("annotate", "node", owner.name, "bareway.io/drain=maintenance")
    wait_for(
        lambda: all(answers(w.arp.frames, w.address, since=began, but=owner.mac) for w in watched),
        what="a successor for both families",
        within_s=MOVED_WITHIN_S,
    )
    assert owner_of(watched) != owner
    sent = [one for w in watched for one in w.prober.attempts if one.sent_at >= began]
    failures = {one.failure for one in sent if one.body is None} - {ON_THE_WAY}
    assert not failures
    assert all(one.body is not None for one in datagrams.attempts if one.sent_at >= began)


def test_an_address_is_moved_to_the_node_that_the_operator_names(
    dual: System, watched: list[Watchers]
) -> None:
    owner = owner_of(watched)
    wanted = next(node for node in dual.site.nodes if node != owner)
    dual.kubectl("annotate", "service", "web", f"bareway.io/announce-from={wanted.name}")
    wait_for(
        lambda: owner_of(watched) == wanted, what="the address on the named node", within_s=MOVED_WITHIN_S
    )


def test_a_crashed_speaker_is_started_anew_by_its_supervisor(dual: System, watched: list[Watchers]) -> None:
    owner = owner_of(watched)
    supervisor = dual.speakers[owner.name]
    (before,) = supervisor.children()
    dual.crash(owner)
    wait_for(lambda: supervisor.children() not in ([], [before]), what="another speaker", within_s=10)
    dual.settle()
    assert supervisor.is_running
    assert owner_of(watched) in dual.site.nodes


def test_a_kernel_that_answers_too_is_named_and_moves_nothing(dual: System, watched: list[Watchers]) -> None:
    """As kube-proxy in IPVS mode without strictARP: the address is on every node, and arp_ignore is 0."""
    owner = owner_of(watched)
    four = watched[0]
    lax = [node for node in dual.site.nodes if node != owner]
    for node in dual.site.nodes:
        node.hold(four.address)
    wait_for(
        lambda: all(answers(four.arp.frames, four.address, by=node.mac) for node in lax),
        what="kernels that answer",
        within_s=10,
    )
    for node in lax:
        dual.speakers[owner.name].wait_for_output(f"node {node.name} ({node.mac}) answers ARP", within_s=30)
    events = dual.kubectl("get", "events", "--all-namespaces", "-o", "jsonpath={.items[*].reason}")
    assert "StrictArpMissing" in events
    state = dual.kubectl("get", "service", "web", "-o", "jsonpath={.status.loadBalancer.ingress[0].ip}")
    assert state == four.address
    assert str(four.address) in dual.status(owner)
