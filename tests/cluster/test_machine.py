"""A whole machine of the ring, with small programs as its daemons."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster import cgroups
from cluster.machine import WholeMachine
from lab.commands import CommandFailed, LabError
from lab.network import Lab
from lab.process import state
from lab.waiting import wait_for

pytestmark = [pytest.mark.lab, pytest.mark.host, pytest.mark.timeout(120)]

SLEEPER = ("sleep", "1000")
SOON_S = 10.0


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab() as lab:
        yield lab


@pytest.fixture
def machine(lab: Lab) -> Iterator[WholeMachine]:
    host = lab.machine("alpha", lab.switch("lan"), "192.0.2.11/24")
    machine = WholeMachine(host, lab.logs / "alpha", cgroup=f"{lab.logs.name}/alpha")
    machine.boot()
    yield machine
    host.kill_all()
    cgroups.remove(lab.logs.name)


def sleepers(machine: WholeMachine) -> list[int]:
    """Their pids, as the machine counts."""
    rows = (line.split() for line in machine.run("ps", "-eo", "pid,comm").splitlines())
    return [int(pid) for pid, name in rows if name == "sleep"]


def one_sleeper(machine: WholeMachine, *, but: int = 0) -> int:
    def found() -> int | None:
        pids = sleepers(machine)
        return pids[0] if len(pids) == 1 and pids[0] != but else None

    return wait_for(found, what="one sleeper", within_s=SOON_S)


def states(machine: WholeMachine) -> set[str]:
    """Of every process but its init and those that look."""
    rows = [line.split() for line in machine.run("ps", "-eo", "pid,stat,comm").splitlines()[1:]]
    return {stat[0] for pid, stat, name in rows if pid != "1" and name != "ps"}


def test_a_machine_has_a_name_and_places_of_its_own(machine: WholeMachine) -> None:
    Path("/run/bareway-seen-from-outside").touch()
    try:
        assert machine.run("hostname").strip() == "alpha"
        assert machine.run("ls", "/run") == ""
    finally:
        Path("/run/bareway-seen-from-outside").unlink()
    assert machine.run("ls", "/var/lib") == machine.run("ls", "/var/log") == ""
    assert set(machine.run("ls", "/sys/class/net").split()) == {"eth0", "lo"}
    assert "memory" in machine.run("cat", "/proc/1/cgroup")


def test_its_files_are_found_in_its_directory(machine: WholeMachine) -> None:
    machine.run("touch", "/var/lib/kept")
    assert (machine.directory / "lib" / "kept").exists()


def test_a_daemon_that_dies_runs_again(machine: WholeMachine) -> None:
    machine.set_daemons({"sleeper": SLEEPER})
    first = one_sleeper(machine)
    machine.run("kill", "-KILL", str(first))
    assert one_sleeper(machine, but=first) != first


def test_a_daemon_that_is_stopped_stays_away_until_it_is_started(machine: WholeMachine) -> None:
    machine.set_daemons({"sleeper": SLEEPER, "other": ("cat", "/dev/zero")})
    one_sleeper(machine)
    machine.stop_daemon("sleeper")
    wait_for(lambda: not sleepers(machine), what="its end", within_s=SOON_S)
    machine.start_daemon("sleeper", SLEEPER)
    one_sleeper(machine)


def test_a_daemon_that_is_restarted_runs_anew(machine: WholeMachine) -> None:
    machine.set_daemons({"sleeper": SLEEPER})
    first = one_sleeper(machine)
    machine.restart_daemon("sleeper")
    assert one_sleeper(machine, but=first) != first


def test_a_daemon_that_is_not_there_cannot_be_stopped(machine: WholeMachine) -> None:
    with pytest.raises(LabError, match="runs nothing, but not 'sleeper'"):
        machine.stop_daemon("sleeper")


def test_what_a_daemon_writes_is_kept(machine: WholeMachine) -> None:
    machine.set_daemons({"speaker": ("echo", "a word")})
    log = machine.log_of("speaker")
    wait_for(lambda: log.exists() and "a word" in log.read_text(), what="its log", within_s=SOON_S)


def test_orphans_are_reaped(machine: WholeMachine) -> None:
    machine.run("sh", "-c", "(sh -c 'sleep 0.05 & exit' &) ; true")
    wait_for(lambda: not sleepers(machine), what="the end of the orphan", within_s=SOON_S)
    assert "Z" not in states(machine)


def test_a_frozen_machine_stands_still_in_nested_namespaces_too(machine: WholeMachine) -> None:
    container = ("unshare", "--pid", "--fork", "--net", *SLEEPER)
    machine.set_daemons({"sleeper": SLEEPER, "container": container})
    wait_for(lambda: len(sleepers(machine)) == 2, what="both sleepers", within_s=SOON_S)
    machine.freeze()
    assert states(machine) == {"T"}
    machine.thaw()
    wait_for(lambda: "T" not in states(machine), what="every process to be continued", within_s=SOON_S)


def test_a_powered_off_machine_leaves_no_process_and_no_control_group(machine: WholeMachine) -> None:
    machine.set_daemons({"container": ("unshare", "--pid", "--fork", "--net", *SLEEPER)})
    one_sleeper(machine)
    pid, group = machine.pid, machine.cgroup
    hierarchies = (cgroups.ROOT, *cgroups.ROOT.glob("*"))
    assert any((hierarchy / group).exists() for hierarchy in hierarchies)
    machine.power_off()
    assert state(pid) in {None, "Z"}
    assert not machine.is_on
    assert not any((hierarchy / group).exists() for hierarchy in hierarchies)
    with pytest.raises(LabError, match="alpha is switched off"):
        machine.run("true")


def test_a_machine_that_is_switched_on_again_has_its_files_and_runs_nothing(machine: WholeMachine) -> None:
    machine.set_daemons({"sleeper": SLEEPER})
    machine.run("touch", "/var/lib/kept", "/run/forgotten")
    machine.power_off()
    machine.power_on()
    assert machine.run("ls", "/var/lib").strip() == "kept"
    assert machine.run("ls", "/run") == ""
    assert sleepers(machine) == []


def test_a_machine_that_is_on_cannot_be_switched_on(machine: WholeMachine) -> None:
    with pytest.raises(LabError, match="alpha is switched on"):
        machine.power_on()


def test_a_machine_dies_with_the_process_that_started_it(machine: WholeMachine, lab: Lab) -> None:
    """The chain of deaths is what remains when a driver is killed with SIGKILL."""
    init = machine.pid
    parent = int(Path(f"/proc/{init}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(parent, 9)
    wait_for(lambda: state(init) in {None, "Z"}, what="the end of init", within_s=SOON_S)


def test_a_command_that_fails_says_so(machine: WholeMachine) -> None:
    with pytest.raises(CommandFailed):
        machine.run("false")
