"""What process 1 loads, and when: nothing of BFD before somebody speaks of it."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from speaker.bfd import __main__ as program
from speaker.bfd import records

pytestmark = pytest.mark.slow

SAYS_NOTHING = "import os; assert os.environ['BAREWAY_BFD_DESCRIPTOR']"
ASKS = """
import os, socket
from speaker.bfd.records import Request, RequestKind, pack_request
ours = socket.socket(fileno=int(os.environ["BAREWAY_BFD_DESCRIPTOR"]))
ours.send(pack_request(Request(RequestKind.{kind})))
ours.send(pack_request(Request(RequestKind.FIGURES)))
assert len(ours.recv(4096)) == 128
"""
SENDS_AND_ENDS = """
import os, socket
from speaker.bfd.records import Request, RequestKind, pack_request
ours = socket.socket(fileno=int(os.environ["BAREWAY_BFD_DESCRIPTOR"]))
ours.send(pack_request(Request(RequestKind.FIGURES)))
"""
CLOSES = "import os; os.close(int(os.environ['BAREWAY_BFD_DESCRIPTOR']))"


def run(script: str, *options: str, interpreter: Sequence[str] = ()) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-I", *interpreter, "-m", "speaker.bfd", *options]
    whole = [*command, sys.executable, "-I", "-c", script]
    return subprocess.run(whole, capture_output=True, text=True, timeout=30, check=False)


def loaded(script: str, *options: str) -> set[str]:
    """Modules that process 1 imports before its program has ended."""
    done = run(script, *options, interpreter=("-X", "importtime"))
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip() for line in lines}


def test_both_ends_look_at_the_same_variable() -> None:
    assert program.DESCRIPTOR_VARIABLE == records.DESCRIPTOR_VARIABLE


@pytest.mark.parametrize("script", [SAYS_NOTHING, CLOSES], ids=["says nothing", "closes its end"])
def test_without_a_word_of_bfd_nothing_of_it_is_loaded(script: str) -> None:
    modules = loaded(script)
    assert "speaker.bfd.idle" in modules
    assert not {name for name in modules if name.startswith(("bareway", "speaker.bfd.loop"))}
    assert not modules & {"socket", "ipaddress", "random", "asyncio"}


def test_the_first_word_loads_it_and_is_answered() -> None:
    modules = loaded(ASKS.replace("{kind}", "COMPLETE"))
    assert {"speaker.bfd.loop", "bareway.bfd.session"} <= modules


def test_who_speaks_and_ends_ends_the_container_all_the_same() -> None:
    assert run(SENDS_AND_ENDS).returncode == 0


def test_a_memory_is_looked_at_before_anybody_asks(tmp_path: Path) -> None:
    (tmp_path / "sessions").write_bytes(b"of another life")
    assert "speaker.bfd.recall" in loaded(SAYS_NOTHING, "--memory", str(tmp_path / "sessions"))
    assert not (tmp_path / "sessions").exists()


def test_a_memory_that_is_not_there_costs_nothing(tmp_path: Path) -> None:
    assert "speaker.bfd.recall" not in loaded(SAYS_NOTHING, "--memory", str(tmp_path / "sessions"))
