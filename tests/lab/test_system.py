"""Bareway as a whole on real packets: who answers, who takes over, and who stays silent."""

import re
import signal
import time

import pytest

from bareway.gossip.profile import PROFILES, ProfileName
from bareway.runtime.settings import HTTP_PORT
from lab.machine import Machine
from lab.observations import announcements, answers, served_again, two_answerers
from lab.site import Watchers
from lab.system import System
from lab.trial import measure, steady_owner
from lab.waiting import pause, wait_for

HEARTBEAT_S = PROFILES[ProfileName.DEFAULT].interval_s
"""So long before its end a node may have given its last sign of life."""

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]


def test_a_service_gets_an_address_that_one_node_answers_and_a_client_reaches(
    system: System, watchers: Watchers
) -> None:
    owner = steady_owner(watchers)
    assert owner in system.site.nodes
    assert watchers.address in system.kubectl("get", "service", "web")
    assert {attempt.body for attempt in watchers.prober.attempts[-10:]} <= system.site.pages
    assert two_answerers(watchers.arp.frames, watchers.address) == 0.0


def test_a_node_without_power_is_replaced_and_told_by_gratuitous_arp(
    system: System, watchers: Watchers
) -> None:
    trial = measure(watchers, "bareway", "power off", Machine.power_off)
    assert trial.successor != trial.owner
    assert trial.announced_s is not None
    assert trial.announced_s <= trial.answered_s
    assert trial.two_answerers_s == 0.0
    successor = system.site.lab.machines[trial.successor]
    page = successor.run("curl", "-sS", f"http://127.0.0.1:{HTTP_PORT}/metrics")
    (measured,) = re.findall(r"^bareway_failover_seconds_sum (\S+)$", page, re.MULTILINE)
    assert "\nbareway_failover_seconds_count 1.0\n" in page
    assert 0 < float(measured) <= trial.announced_s + HEARTBEAT_S


def test_a_repaired_node_does_not_take_its_address_back(system: System, watchers: Watchers) -> None:
    trial = measure(watchers, "bareway", "power off", Machine.power_off)
    system.repair(system.site.lab.machines[trial.owner])
    system.settle()
    repaired_at = time.monotonic()
    owner = steady_owner(watchers)
    assert owner.name == trial.successor
    assert answers(watchers.arp.frames, watchers.address, since=repaired_at, but=owner.mac) == []


def test_a_killed_speaker_is_replaced(system: System, watchers: Watchers) -> None:
    trial = measure(watchers, "bareway", "kill -9", lambda owner: system.speakers[owner.name].kill())
    assert trial.successor != trial.owner


def test_a_speaker_told_to_end_hands_over_and_ends_with_0(system: System, watchers: Watchers) -> None:
    owner = steady_owner(watchers)
    told_at = time.monotonic()
    assert system.speakers[owner.name].stop() == 0
    wait_for(
        lambda: answers(watchers.arp.frames, watchers.address, since=told_at, but=owner.mac),
        what="a successor",
        within_s=10,
    )
    ended_at = time.monotonic()
    successor = steady_owner(watchers)
    assert successor != owner
    assert answers(watchers.arp.frames, watchers.address, since=ended_at, by=owner.mac) == []


def test_a_thawed_node_answers_nothing_that_another_has_taken(system: System, watchers: Watchers) -> None:
    trial = measure(watchers, "bareway", "freeze", lambda owner: system.speakers[owner.name].freeze())
    frozen = system.site.lab.machines[trial.owner]
    thawed_at = time.monotonic()
    system.speakers[frozen.name].thaw()
    system.settle()
    owner = steady_owner(watchers)
    assert owner.name == trial.successor
    assert answers(watchers.arp.frames, watchers.address, since=thawed_at, by=frozen.mac) == []
    told = announcements(watchers.arp.frames, watchers.address, since=thawed_at)
    assert {frame.sender_mac for frame in told} <= {owner.mac}


def test_after_a_cut_of_gossip_alone_one_node_answers(system: System, watchers: Watchers) -> None:
    owner = steady_owner(watchers)
    owner.drop_incoming("tcp dport 7947", "tcp sport 7947")
    cut_at = time.monotonic()
    others = lambda: answers(watchers.arp.frames, watchers.address, since=cut_at, but=owner.mac)  # noqa: E731
    wait_for(others, what="a second announcer", within_s=20)
    owner.drop_nothing()
    system.settle()
    assert steady_owner(watchers) in system.site.nodes


def test_a_new_gossip_key_reaches_speakers_that_run_and_those_that_start(
    system: System, watchers: Watchers
) -> None:
    owner = steady_owner(watchers)
    changed_at = time.monotonic()
    system.kubectl("delete", "secret", "memberlist", "--namespace", "bareway-system")
    for speaker in system.speakers.values():
        speaker.wait_for_output("new gossip key in use")
    for node in system.site.nodes:
        if node != owner:
            system.restart_speaker(node)
            system.settle()
    assert steady_owner(watchers) == owner
    assert answers(watchers.arp.frames, watchers.address, since=changed_at, but=owner.mac) == []


def test_a_speaker_with_a_foreign_key_stays_silent_and_says_why(system: System, watchers: Watchers) -> None:
    owner = steady_owner(watchers)
    other = next(node for node in system.site.nodes if node != owner)
    system.speakers[other.name].kill()
    began = time.monotonic()
    system.start_speaker(other, "--ml-secret-key", "of another cluster")
    wait_for(lambda: "turn this speaker away" in system.status(other), what="its complaint", within_s=10)
    pause(4.0)  # longer than the three seconds after which a speaker starts that meets nobody
    assert answers(watchers.arp.frames, watchers.address, since=began, but=owner.mac) == []


GARBAGE = {
    "random bytes": "head -c 1000000 /dev/urandom",
    "zeros": "head -c 1000000 /dev/zero",
    "endless requests": "yes 'GET / HTTP/1.1'",
    "half a handshake": r"printf 'GET /v1/gossip HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\r\n'",
}


def dropped(machine: Machine) -> float:
    """What the speaker there has refused on the gossip port, by its metrics."""
    page = machine.run("curl", "-sS", f"http://127.0.0.1:{HTTP_PORT}/metrics")
    lines = [line for line in page.splitlines() if line.startswith("bareway_gossip_dropped_total{")]
    return sum(float(line.split()[-1]) for line in lines)


def test_garbage_on_the_gossip_port_changes_nothing_and_is_counted(
    system: System, watchers: Watchers
) -> None:
    owner = steady_owner(watchers)
    before = dropped(owner)
    began = time.monotonic()
    for garbage in GARBAGE.values():
        script = f"for i in 1 2 3; do {garbage} | timeout 1 cat > /dev/tcp/{owner.address}/7947; done; true"
        system.site.client.run("bash", "-c", script)
    assert steady_owner(watchers) == owner
    assert answers(watchers.arp.frames, watchers.address, since=began, but=owner.mac) == []
    assert system.is_settled()
    assert dropped(owner) >= before + len(GARBAGE)


def test_a_node_is_replaced_while_the_api_server_is_gone(system: System, watchers: Watchers) -> None:
    steady_owner(watchers)
    system.api.kill()
    trial = measure(watchers, "bareway", "power off", Machine.power_off)
    assert trial.successor != trial.owner


def test_nobody_answers_for_a_service_that_is_gone(system: System, watchers: Watchers) -> None:
    steady_owner(watchers)
    system.kubectl("delete", "service", "web")

    def silent() -> bool:
        now = time.monotonic()
        return watchers.answerers(since=now - 0.5) == set() and not served_again(
            watchers.prober.attempts, since=now - 0.5
        )

    wait_for(silent, what="silence", within_s=10)


def test_programs_end_with_0_when_told_to(system: System) -> None:
    assert system.controller is not None
    for process in (system.controller, *system.speakers.values()):
        process.signal(signal.SIGTERM)
    for process in (system.controller, *system.speakers.values()):
        assert process.wait(within_s=25) == 0
