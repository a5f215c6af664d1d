"""Root of one's own: what the command has there, how it ends, and that nothing is left of it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lab.leftovers import NAMESPACES
from lab.rootless import OWN
from lab.stations import TESTS
from lab.waiting import wait_for

pytestmark = pytest.mark.lab

AS_A_USER = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
"""A user with the caller's files and no rights, whoever runs the tests."""
ROOTLESS = (sys.executable, "-m", "lab.rootless")
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{TESTS}:{TESTS.parent}"}


def ended(*command: str, path: str = os.environ["PATH"]) -> subprocess.CompletedProcess[str]:
    environment = {**ENVIRONMENT, "PATH": path}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def processes(word: str) -> list[str]:
    """The pids of processes that have this word in their command line."""
    found = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = place.read_bytes().decode(errors="replace").split("\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if word in words:
            found.append(place.parent.name)
    return found


def test_a_user_is_root_there_with_processes_network_and_temporary_files_of_its_own() -> None:
    told = ended(
        *AS_A_USER, *ROOTLESS, "sh", "-c", "id -u; echo $$ $TMPDIR; ls -d /run/*; ip -brief link"
    ).stdout
    user, first, *places, link = told.splitlines()
    assert (user, first) == ("0", f"1 {OWN}")
    assert places == [OWN, str(NAMESPACES)]
    assert link.startswith("lo ")
    assert "LOWER_UP" in link


LAB = """
from lab.network import Lab
with Lab() as lab:
    lan = lab.switch("lan")
    node, client = (lab.machine(f"node{i}", lan, f"192.0.2.{i}/24") for i in (1, 2))
    client.drop_incoming("udp dport 9")
    print(client.run("ip", "neighbour", "get", "192.0.2.1", "dev", "eth0", accept=(0, 1, 2, 255)))
    print(client.run("bash", "-c", "exec 3<>/dev/tcp/192.0.2.1/9 || true; ip neighbour show 192.0.2.1"))
"""


def test_a_lab_is_built_there_and_nobody_else_sees_it() -> None:
    before = set(NAMESPACES.glob("*"))
    told = ended(*AS_A_USER, *ROOTLESS, sys.executable, "-c", LAB)
    assert "192.0.2.1 dev eth0 lladdr 02:00:c0:00:02:01" in told.stdout, told.stderr
    assert set(NAMESPACES.glob("*")) <= before


@pytest.mark.parametrize("user", [pytest.param(AS_A_USER, id="a user"), pytest.param((), id="root")])
@pytest.mark.parametrize("code", [0, 7])
def test_it_ends_as_its_command_does(user: tuple[str, ...], code: int) -> None:
    assert ended(*user, *ROOTLESS, "sh", "-c", f"exit {code}").returncode == code


@pytest.mark.parametrize(
    ("number", "code"),
    [
        pytest.param(signal.SIGTERM, 128 + signal.SIGTERM, id="SIGTERM"),
        pytest.param(signal.SIGHUP, 128 + signal.SIGHUP, id="the terminal is closed"),
        pytest.param(signal.SIGKILL, -signal.SIGKILL, id="kill -9"),
    ],
)
def test_whoever_ends_it_ends_everything_in_it(number: signal.Signals, code: int) -> None:
    mark = f"{os.getpid()}{number.value}"  # seconds to sleep, and how it is found among all processes
    command = (*AS_A_USER, *ROOTLESS, "sh", "-c", f"setsid sleep {mark} & echo ready; wait")
    with subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        try:
            assert running.stdout.readline() == b"ready\n"
            wait_for(lambda: processes(mark), what="the sleeper", within_s=5)
            running.send_signal(number)
            assert running.wait(timeout=10) == code
        finally:
            running.kill()
    wait_for(lambda: not processes(mark), what="the sleeper's end", within_s=5)


def test_where_the_kernel_forbids_it_one_sentence_says_so_and_it_ends_with_2() -> None:
    limit = 'echo 1 > /proc/sys/user/max_user_namespaces && exec "$@"'
    told = ended("unshare", "--user", "--map-root-user", "sh", "-c", limit, "sh", *AS_A_USER, *ROOTLESS, "id")
    assert (told.returncode, told.stdout) == (2, "")
    assert told.stderr.count("\n") == 1
    assert "unshare failed: No space left on device" in told.stderr
    assert "run it as root" in told.stderr


def test_without_the_program_that_makes_namespaces_its_package_is_named() -> None:
    user = ("/usr/bin/unshare", *AS_A_USER[1:])
    told = ended(*user, *ROOTLESS, "id", path="/nowhere")
    assert (told.returncode, told.stdout) == (2, "")
    assert "apt-get install util-linux" in told.stderr


def test_a_program_of_administrators_is_found_though_no_user_has_it_in_its_path() -> None:
    told = ended(*AS_A_USER, *ROOTLESS, "sh", "-c", "command -v nft", path="/usr/bin:/bin")
    assert told.stdout.strip().endswith("sbin/nft")
