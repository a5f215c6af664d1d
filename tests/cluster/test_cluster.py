"""Bareway installed from ``manifests/`` on a real cluster of three kubelet nodes, and what may happen to it.

One cluster serves the whole file: each test begins when all is well and repairs what it broke. The figures
are printed as they are measured; limits are several times what an idle machine of two cores shows.
"""

import time
from datetime import UTC, datetime
from statistics import median

import pytest

from cluster import memory, readme
from cluster.conftest import Tell
from cluster.installation import LASTING, SETTLED_WITHIN_S, SYSTEM, Installation
from cluster.node import Node
from lab.machine import Machine
from lab.observations import longest_silence, longest_stall, outage, served_again, two_answerers
from lab.site import Watchers
from lab.trial import Trial, measure, steady_owner
from lab.waiting import pause, wait_for

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(400), pytest.mark.usefixtures("reported")]

FIRST_PAGE_WITHIN_S = 60.0  # less than 10 s on an idle machine
OUTAGE_MAX_S = 1.5  # 0.7 s on an idle machine; MetalLB v0.12.1 needs 5.5 s
HAND_OVER_MAX_S = 1.5  # nothing at all on an idle machine
SIDE_BY_SIDE_MAX_S = 0.2  # nothing at all, ever seen; 20 to 30 s where speakers with two keys announced
MEMORY_MAX_MB = {"controller": 60.0, "speaker": 70.0}  # PSS; 46 and 51 to 59 here
ASKED_MORE_MB = 5.0
"""gRPC adds 15 MB to the one speaker that was asked: 68 MB here, 73 where no controller is beside it."""
CUTS = 5
API_AWAY_S = 30.0


def summary(trial: Trial) -> str:
    return (
        f"{trial.fault} of {trial.owner}: {trial.successor} answered ARP after {trial.answered_s:.2f} s, the "
        f"client was without a page for {trial.outage_s:.2f} s (the host stood still {trial.stall_s:.2f} s)"
    )


def must_be_short(trial: Trial, tell: Tell) -> None:
    tell(summary(trial))
    assert trial.successor != trial.owner
    assert trial.outage_s <= OUTAGE_MAX_S + trial.stall_s


def must_have_been_handed_over(watchers: Watchers, tell: Tell, *, since: float) -> None:
    """As often as it may have been, without a gap that matters and without two at a time."""
    seen = outage(watchers.prober.attempts, since=since)
    assert seen is not None
    frames = watchers.arp.frames
    silent_s = longest_silence(frames, watchers.address, since=since)
    shared_s = two_answerers(frames, watchers.address, since=since)
    stall_s = longest_stall(watchers.stalls.stalls, since=since)
    tell(
        f"the client was without a page for {seen.seconds:.2f} s {seen.failures}; ARP had no answer for "
        f"{silent_s:.2f} s, and two for {shared_s:.2f} s (the host stood still {stall_s:.2f} s)"
    )
    assert max(seen.seconds, silent_s) <= HAND_OVER_MAX_S + stall_s
    assert shared_s <= SIDE_BY_SIDE_MAX_S


def used_mb(bareway: Installation, tell: Tell) -> dict[str, float]:
    """PSS of each of our Pods, by its name."""
    used = {
        pod.name: memory.pss_mb(bareway.ring.node(pod.node).machine)[pod.uid]
        for pod in bareway.pods("app=bareway")
    }
    tell(", ".join(f"{name} uses {mb:.0f} MB" for name, mb in sorted(used.items())))
    return used


def limit_mb(name: str) -> float:
    """What a Pod of this name may use."""
    (limit,) = (limit for part, limit in MEMORY_MAX_MB.items() if part in name)
    return limit


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


def test_pods_use_no_more_memory_than_promised(bareway: Installation, address: str, tell: Tell) -> None:
    bareway.settle()
    for name, mb in used_mb(bareway, tell).items():
        assert 10.0 < mb <= limit_mb(name)


def test_logs_and_events_tell_an_operator_what_happened(bareway: Installation, address: str) -> None:
    controllers = bareway.pods("component=controller")  # whichever of them leads
    told = [line["msg"] for pod in controllers for line in bareway.logs(f"pod/{pod.name}")]
    assert {"leading", "standing by", "address assigned"} <= set(told)
    said = [line for pod in bareway.pods("component=speaker") for line in bareway.logs(f"pod/{pod.name}")]
    assert {"starting", "gossip listens", "layer 2 link opened"} <= {line["msg"] for line in said}
    announced = [line for line in said if line["msg"] == "announcing" and address in str(line["ips"])]
    assert announced
    events = bareway.kubectl("describe", "service", "web").partition("Events:")[2]
    assert f'Assigned IP ["{address}"]' in events
    assert "announcing from node" in events


def test_status_shows_every_member_and_one_announcer(bareway: Installation, address: str) -> None:
    rows = [line.split() for line in bareway.status().splitlines()]
    alive = {row[0] for row in rows if row[1:2] == ["Alive"]}
    assert alive == {node.name for node in bareway.ring.nodes}
    (of_address,) = (row for row in rows if row[:1] == [address])
    assert of_address[1] == "default/web"
    assert of_address[2] in alive


def test_the_checks_print_what_the_readme_shows(bareway: Installation, address: str) -> None:
    for sample in readme.samples("Check that it works"):
        told = bareway.kubectl(*readme.arguments_of(sample))
        assert readme.headings(told) == readme.headings(sample.output) != []
        if "bareway status" not in sample.command:  # which names the links of this very machine
            assert len(told.splitlines()) == len(sample.output.splitlines())


def test_a_speaker_that_was_asked_for_its_status_uses_what_grpc_costs_more(
    bareway: Installation, address: str, tell: Tell
) -> None:
    used = used_mb(bareway, tell)
    asked = max((name for name in used if "speaker" in name), key=used.__getitem__)
    for name, mb in used.items():
        assert 10.0 < mb <= limit_mb(name) + ASKED_MORE_MB * (name == asked)


def test_the_page_comes_back_when_the_announcers_cable_is_cut(
    bareway: Installation, address: str, tell: Tell
) -> None:
    watchers = bareway.ring.lan.watch(bareway.publish_lasting())
    trials: list[Trial] = []
    try:
        for _ in range(CUTS):
            trial = measure(watchers, "bareway", "cable cut", Machine.cut)
            bareway.ring.node(trial.owner).machine.join()
            must_be_short(trial, tell)
            trials.append(trial)
            bareway.settle()
    finally:
        for node in bareway.ring.nodes:
            node.machine.join()
        watchers.stop()
        bareway.kubectl("delete", "service", LASTING)
    tell(f"{CUTS} cuts: p50 {median(trial.outage_s for trial in trials):.2f} s until the next page")


def test_a_rolling_update_hands_addresses_over(bareway: Installation, watchers: Watchers, tell: Tell) -> None:
    began = time.monotonic()
    before = {pod.name for pod in bareway.pods("app=bareway")}
    bareway.roll()
    took_s = time.monotonic() - began
    bareway.settle()
    assert not before & {pod.name for pod in bareway.pods("app=bareway")}
    steady_owner(watchers)
    tell(f"rolled in {took_s:.0f} s")
    must_have_been_handed_over(watchers, tell, since=began)


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
    bareway.ring.stop_api_server()
    try:
        pause(API_AWAY_S)
        assert served_again(watchers.prober.attempts, since=time.monotonic() - 1.0)
        must_have_been_handed_over(watchers, tell, since=began)
        trial = measure(watchers, "bareway", "power off without API server", off)
    finally:
        bareway.ring.start_api_server()
    must_be_short(trial, tell)


def test_a_new_gossip_key_reaches_speakers_that_run_and_those_that_start(
    bareway: Installation, watchers: Watchers, tell: Tell
) -> None:
    began = time.monotonic()
    since = datetime.now(tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    bareway.kubectl("-n", SYSTEM, "delete", "secret", "memberlist")  # the controller makes a new one
    speakers = bareway.pods("component=speaker")

    def all_told() -> bool:
        recent = [bareway.logs(f"pod/{pod.name}", f"--since-time={since}") for pod in speakers]
        return all("new gossip key in use" in {line["msg"] for line in lines} for lines in recent)

    wait_for(all_told, what="every speaker to use the new key", within_s=SETTLED_WITHIN_S, poll_s=0.5)
    bareway.replace(bareway.pod_on(bareway.ring.node(steady_owner(watchers).name)))
    bareway.settle()
    steady_owner(watchers)
    must_have_been_handed_over(watchers, tell, since=began)
