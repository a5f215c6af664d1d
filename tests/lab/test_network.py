"""The lab itself: what it builds, what its faults do, and that nothing is left of it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lab.commands import CommandFailed, LabError, ip
from lab.leftovers import NAMESPACES, clean, logs_directory
from lab.machine import Machine, Switch
from lab.network import Lab
from lab.process import stands_still, state
from lab.stations import TESTS
from lab.waiting import wait_for

pytestmark = pytest.mark.lab


def reaches(one: Machine, other: str) -> bool:
    """Whether a TCP connection to a closed port is refused, which needs a packet each way."""
    probe = f"exec 3<>/dev/tcp/{other}/9"
    try:
        one.run("timeout", "1", "bash", "-c", probe)
    except CommandFailed as failure:
        return "Connection refused" in str(failure)
    return True


def traces(pid: int) -> list[str]:
    """Namespaces and log directories of labs made by ``pid``."""
    places = (NAMESPACES.glob(f"bareway-{pid}-*"), logs_directory(pid, 1).parent.glob(f"bareway-lab-{pid}-*"))
    return [path.name for place in places for path in place]


def test_machines_on_a_switch_reach_each_other(node: Machine, client: Machine) -> None:
    assert reaches(client, node.address)


def test_nothing_touches_the_namespace_of_the_caller(node: Machine) -> None:
    before = ip("-o", "link").splitlines()
    assert not [line for line in before if "node1" in line or "br0" in line]


def test_a_pulled_cable_carries_nothing_until_it_is_plugged_in_again(node: Machine, client: Machine) -> None:
    node.cut()
    assert not reaches(client, node.address)
    assert "NO-CARRIER" in node.run("ip", "link", "show", "eth0")
    node.join()
    wait_for(lambda: reaches(client, node.address), what="the cable", within_s=5)


def test_dropping_what_comes_in_is_a_one_way_cut(node: Machine, client: Machine) -> None:
    node.drop_incoming(f"ip saddr {client.address}")
    assert not reaches(client, node.address)
    node.drop_nothing()
    assert reaches(client, node.address)


def test_a_machine_switched_off_loses_its_programs_and_comes_back_empty(
    node: Machine, client: Machine
) -> None:
    node.hold("10.244.1.1")
    node.route("10.244.9.0/24", via=client.address)
    sleeper = node.start("sleeper", "sh", "-c", "sleep 1000 & sleep 1000")
    node.power_off()
    assert sleeper.exit_code == -signal.SIGKILL
    assert node.pids() == []
    assert not reaches(client, node.address)
    node.power_on()
    wait_for(lambda: reaches(client, node.address), what="the machine", within_s=5)
    assert node.pids() == []
    assert "10.244.1.1" in node.run("ip", "address", "show", "lo")
    assert client.address in node.run("ip", "route", "show", "10.244.9.0/24")


def test_a_frozen_machine_does_nothing_until_thawed(node: Machine) -> None:
    ticking = node.start("ticking", "sh", "-c", "while :; do echo tick; sleep 0.01; done")
    ticking.wait_for_output("tick")
    node.freeze()
    assert all(map(stands_still, node.pids()))
    size = ticking.output.stat().st_size
    node.thaw()
    wait_for(lambda: ticking.output.stat().st_size > size, what="another tick", within_s=5)


def test_a_program_that_ends_early_is_told_with_its_last_words(node: Machine) -> None:
    failing = node.start("failing", "sh", "-c", "echo no such thing >&2; exit 3")
    assert failing.wait(within_s=5) == 3
    with pytest.raises(LabError, match="exit code 3:\nno such thing"):
        failing.must_run()


def test_nothing_is_left_after_the_block_even_when_it_fails() -> None:
    pids: list[int] = []

    def fail_in_a_lab() -> None:
        with Lab() as lab:
            node = lab.machine("node1", lab.switch("lan"), "192.0.2.11/24")
            # In a session of its own and deaf to SIGTERM: still found, by its namespace.
            stubborn = "trap '' TERM; sleep 1000 & wait; sleep 1000"
            node.start("stubborn", "setsid", "--wait", "sh", "-c", stubborn)
            wait_for(lambda: len(node.pids()) >= 3, what="the programs", within_s=5)  # setsid, sh and sleep
            pids.extend(node.pids())
            raise ZeroDivisionError

    before = traces(os.getpid())
    with pytest.raises(ZeroDivisionError):
        fail_in_a_lab()
    assert len(pids) == 3
    assert {state(pid) for pid in pids} <= {None, "Z"}
    assert traces(os.getpid()) == before


LAB_THAT_WAITS = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell makes what it starts with & deaf to it
from lab.commands import run
from lab.network import Lab
with Lab() as lab:
    node = lab.machine("node1", lab.switch("lan"), "192.0.2.11/24")
    node.start("sleeper", "sleep", "1000")
    disk = lab.logs / "disk"
    disk.mkdir()
    run("mount", "-t", "tmpfs", "disk", str(disk))
    print(*node.pids(), flush=True)
    signal.pause()
"""


@pytest.mark.parametrize(
    ("number", "exit_code"),
    [
        pytest.param(signal.SIGTERM, 128 + signal.SIGTERM, id="SIGTERM"),
        pytest.param(signal.SIGINT, -signal.SIGINT, id="Ctrl-C"),
        pytest.param(signal.SIGKILL, -signal.SIGKILL, id="kill -9, then clean"),
    ],
)
def test_a_lab_that_is_interrupted_leaves_nothing(number: signal.Signals, exit_code: int) -> None:
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    command = [sys.executable, "-c", LAB_THAT_WAITS]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
    ) as other:
        assert other.stdout is not None
        try:
            inside = [int(pid) for pid in other.stdout.readline().split()]
            # D is alive too: it waits for the disk.
            assert {state(pid) for pid in inside} <= {"S", "R", "D"}
            assert len(traces(other.pid)) == 3  # a node, a switch, the logs
            assert clean() == []  # a living lab is left alone
            other.send_signal(number)
            assert other.wait(timeout=20) == exit_code
        finally:
            other.kill()  # or a broken assertion above would wait for it without end
        if number is signal.SIGKILL:
            assert len(clean()) == 3
        assert traces(other.pid) == []
        assert f"bareway-lab-{other.pid}-" not in Path("/proc/self/mounts").read_text()
        assert {state(pid) for pid in inside} <= {None, "Z"}


def test_two_labs_of_one_process_do_not_meet(lab: Lab, lan: Switch) -> None:
    with Lab() as second:
        one = lab.machine("node1", lan, "192.0.2.11/24")
        other = second.machine("node1", second.switch("lan"), "192.0.2.12/24")
        assert not reaches(one, other.address)
    assert one.pids() == []
    assert reaches(one, one.address)
