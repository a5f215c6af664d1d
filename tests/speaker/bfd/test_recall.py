"""The file over a planned restart: what is written is read once, and nothing else is believed."""

import select
from ipaddress import ip_address
from pathlib import Path as File
from random import Random

import pytest

from bareway.bfd.memory import Memory
from bareway.bfd.packet import State
from bareway.bfd.register import Path
from bareway.bfd.session import Change, Received
from bareway.bfd.timing import PATIENT_MULTIPLIER
from speaker.bfd import recall
from speaker.bfd.records import Wanted
from speaker.bfd.wires import Wires
from support.bfd import FAST, packet, session_in

PATHS = [
    Path(ip_address("192.0.2.1"), ip_address("192.0.2.11")),
    Path(ip_address("fe80::1"), interface="eth0"),
    Path(ip_address("2001:db8::1"), is_multihop=True),
]
PATIENCE_S = PATIENT_MULTIPLIER * 0.1


def remembered(path: Path) -> tuple[Wanted, Memory]:
    it = session_in(State.UP)
    it.handle(Received(packet(State.UP, is_final=True)), now=0.0)
    it.handle(Change(FAST._replace(detect_multiplier=PATIENT_MULTIPLIER)), now=0.0)
    return Wanted(path, FAST, minimum_ttl=250), Memory.of(it)


@pytest.fixture
def file(tmp_path: File) -> str:
    sessions = [remembered(path) for path in PATHS]
    wires = Wires(select.poll(), Random("ports"))
    for port, path in enumerate(PATHS, 50_000):
        wires.remember_port(path, port)
    recall.save(str(tmp_path / "sessions"), sessions, wires, now=100.0)
    return str(tmp_path / "sessions")


def test_what_was_written_is_read_once(file: str) -> None:
    found = recall.load(file, now=100.0 + PATIENCE_S - 1)
    assert [(one.wanted, one.memory) for one in found] == [remembered(path) for path in PATHS]
    assert [one.port for one in found] == [50_000, 50_001, 50_002]
    assert recall.load(file, now=100.0 + PATIENCE_S - 1) == []


def test_only_we_may_read_it(file: str) -> None:
    assert File(file).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("now", [99.0, 100.0 + PATIENCE_S + 0.01], ids=["from the future", "too old"])
def test_peers_that_have_given_up_are_not_bothered(file: str, now: float) -> None:
    assert recall.load(file, now=now) == []


def test_another_boot_has_another_clock(file: str) -> None:
    data = bytearray(File(file).read_bytes())
    data[0] ^= 1
    File(file).write_bytes(data)
    assert recall.load(file, now=101.0) == []


@pytest.mark.parametrize("keep", [0, 10, 44, -1])
def test_a_file_that_is_not_whole_tells_nothing(file: str, keep: int) -> None:
    File(file).write_bytes(File(file).read_bytes()[:keep])
    assert recall.load(file, now=101.0) == []


def test_a_session_that_makes_no_sense_is_left_out(file: str) -> None:
    data = File(file).read_bytes()
    File(file).write_bytes(data[: recall.HEAD.size] + bytes(recall.SESSION.size) + data[recall.HEAD.size :])
    assert len(recall.load(file, now=101.0)) == len(PATHS)


def test_without_a_file_there_is_nothing_to_remember(tmp_path: File) -> None:
    assert recall.load(str(tmp_path / "none"), now=0.0) == []


def test_a_folder_that_cannot_be_written_costs_the_memory_only(tmp_path: File) -> None:
    wires = Wires(select.poll(), Random("ports"))
    recall.save(str(tmp_path / "no" / "such"), [remembered(PATHS[0])], wires, now=0.0)


def test_a_place_that_cannot_be_written_is_told(tmp_path: File) -> None:
    wires = Wires(select.poll(), Random("ports"))
    said = recall.save(str(tmp_path / "absent" / "sessions"), [remembered(PATHS[0])], wires, now=100.0)
    assert said == "No such file or directory"
