"""The watching programs, tried on kernels instead of the product: they see what happened, and when."""

import time

import pytest

from lab.commands import CommandFailed, LabError
from lab.machine import Machine, Switch
from lab.network import Lab
from lab.observations import answers, outage, served_again, two_answerers
from lab.proxy import Rule, ruleset
from lab.stations import NeighbourWatch, Prober, StallWatch, start_module
from lab.waiting import wait_for

pytestmark = pytest.mark.lab
VIP = "192.0.2.200"
VIP_6 = "2001:db8:1::200"


def serve(machine: Machine, page: str, *, address: str = "0.0.0.0", port: int = 80) -> None:
    start_module(machine, "lab.tools.backend", address, str(port), page, name=page).wait_for_output("serving")


def give(machine: Machine, address: str) -> None:
    """Let the kernel answer for the address."""
    machine.run("ip", "address", "add", f"{address}/32", "dev", "eth0")


def test_the_prober_gets_a_page_each_time_on_a_connection_of_its_own(node: Machine, client: Machine) -> None:
    serve(node, "page of node1")
    prober = Prober(client, node.address, 80)
    wait_for(lambda: served_again(prober.attempts, since=0.0), what="pages", within_s=5)
    assert {attempt.body for attempt in prober.attempts} == {"page of node1"}


def test_the_prober_tells_refusal_from_silence(node: Machine, client: Machine) -> None:
    refused = Prober(client, node.address, 80, name="refused")
    silent = Prober(client, "192.0.2.99", 80, name="silent")
    wait_for(lambda: len(refused.attempts) > 5 and len(silent.attempts) > 5, what="failures", within_s=5)
    assert {attempt.failure for attempt in refused.attempts} == {"ConnectionRefusedError"}
    assert silent.attempts[0].failure == "timeout"
    assert silent.attempts[0].ended_at - silent.attempts[0].sent_at >= 0.2
    # Those after it were sent on schedule, without waiting for it.
    assert silent.attempts[4].sent_at < silent.attempts[0].ended_at


def test_datagrams_to_several_addresses_in_turn_come_back(node: Machine, client: Machine) -> None:
    serve(node, "page", address=f"{node.address},{node.address_6}")
    prober = Prober(client, f"{node.address},{node.address_6}", 80, "--udp")
    wait_for(lambda: served_again(prober.attempts, since=0.0), what="echoes", within_s=5)
    assert {attempt.body for attempt in prober.attempts} == {"echo"}
    assert {attempt.address for attempt in prober.attempts} == {node.address, node.address_6}


def test_a_cable_pulled_for_a_while_is_an_outage_of_that_length(node: Machine, client: Machine) -> None:
    serve(node, "page")
    prober = Prober(client, node.address, 80)
    wait_for(lambda: served_again(prober.attempts, since=0.0), what="pages", within_s=5)
    cut_at = time.monotonic()
    node.cut()
    wait_for(lambda: time.monotonic() > cut_at + 0.6, what="some time without a cable", within_s=5)
    join_at = time.monotonic()
    node.join()
    wait_for(lambda: served_again(prober.attempts, since=join_at), what="pages again", within_s=10)
    seen = outage(prober.attempts, since=cut_at)
    assert seen is not None
    assert seen.failed > 0
    assert seen.seconds > join_at - cut_at - 0.05


def test_the_watch_sees_who_answers_and_who_announces(node: Machine, observer: Machine) -> None:
    give(node, VIP)
    watch = NeighbourWatch(observer, VIP)
    heard = wait_for(lambda: answers(watch.frames, VIP), what="an answer", within_s=5)
    assert heard[0].sender_mac == heard[0].source == node.mac
    assert heard[0].destination == observer.mac
    assert heard[0].target_ip == observer.address


def test_the_watch_sees_two_answerers(lab: Lab, lan: Switch, node: Machine, observer: Machine) -> None:
    other = lab.machine("node2", lan, "192.0.2.12/24")
    give(node, VIP)
    give(other, VIP)
    watch = NeighbourWatch(observer, VIP)
    wait_for(lambda: two_answerers(watch.frames, VIP) > 0.1, what="answers of both", within_s=5)
    assert {frame.sender_mac for frame in answers(watch.frames, VIP)} == {node.mac, other.mac}


def test_the_control_timer_sees_that_it_was_held_up(node: Machine) -> None:
    watch = StallWatch(node)
    wait_for(lambda: watch.stalls, what="the timer", within_s=5)
    frozen_at = time.monotonic()
    node.freeze()
    wait_for(lambda: time.monotonic() > frozen_at + 0.2, what="some time", within_s=5)
    node.thaw()
    stalls = wait_for(
        lambda: [stall for stall in watch.stalls if stall.late_s > 0.1], what="a stall", within_s=5
    )
    assert stalls[0].at > frozen_at


def test_rules_lead_an_address_on_no_interface_to_its_backends_in_turn(
    lab: Lab, lan: Switch, node: Machine, client: Machine
) -> None:
    worker = lab.machine("worker", lan, "192.0.2.50/24")
    targets = []
    for i in (1, 2):
        worker.hold(f"10.244.0.{i}")
        serve(worker, f"backend-{i}", address=f"10.244.0.{i}", port=8080)
        targets.append((f"10.244.0.{i}", 8080))
    node.route("10.244.0.0/24", via=worker.address)
    rule = Rule(address=VIP, port=80, backends=tuple(targets))
    node.run("nft", "-f", "-", stdin=ruleset([rule]))
    # Nobody answers for the address here: the client is told by hand what ARP would have told it.
    client.run("ip", "neigh", "replace", VIP, "lladdr", node.mac, "dev", "eth0")
    pages = [client.run("curl", "-sS", "--max-time", "3", f"http://{VIP}/").strip() for _ in range(4)]
    assert sorted(pages) == ["backend-1", "backend-1", "backend-2", "backend-2"]
    node.run("nft", "-f", "-", stdin=ruleset([]))
    with pytest.raises(CommandFailed):
        client.run("curl", "-sS", "--max-time", "1", f"http://{VIP}/")


def test_a_watching_program_that_died_is_not_mistaken_for_silence(observer: Machine) -> None:
    watch = NeighbourWatch(observer, VIP)
    watch.process.kill()
    with pytest.raises(LabError, match="arp_watch on observer ended"):
        _ = watch.frames


def test_the_watch_sees_who_answers_for_an_address_of_ipv6(node: Machine, observer: Machine) -> None:
    node.run("ip", "address", "add", VIP_6, "dev", "eth0", "nodad")
    watch = NeighbourWatch(observer, VIP_6)
    heard = wait_for(lambda: answers(watch.frames, VIP_6), what="an advertisement", within_s=5)
    assert heard[0].sender_mac == heard[0].source == node.mac
    assert heard[0].destination == observer.mac
    assert heard[0].target_ip == observer.address_6


def test_rules_lead_an_address_of_ipv6_to_a_backend(
    lab: Lab, lan: Switch, node: Machine, client: Machine
) -> None:
    worker = lab.machine("worker", lan, "192.0.2.50/24")
    worker.hold("fd00:10:244::1")
    serve(worker, "backend", address="fd00:10:244::1", port=8080)
    node.route("fd00:10:244::/64", via=worker.address_6)
    rule = Rule(address=VIP_6, port=80, backends=(("fd00:10:244::1", 8080),))
    node.run("nft", "-f", "-", stdin=ruleset([rule]))
    client.run("ip", "neigh", "replace", VIP_6, "lladdr", node.mac, "dev", "eth0")
    assert client.run("curl", "-sS", "--max-time", "3", f"http://[{VIP_6}]/").strip() == "backend"
