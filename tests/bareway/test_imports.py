"""What a program loads when it starts: each heavy library has one home, and most starts do without it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {
    "kubernetes",
    "scapy",
    "grpc",
    "google.protobuf",
    "yaml",
    "cryptography",
    "aiohttp",
    "prometheus_client",
}
ASKED_FOR = {"grpc", "google.protobuf"}  # by the first who wants a status
EVERYWHERE_UNWANTED = {"kubernetes", "scapy", "rich", "pydantic", "requests"}
SCRIPT = (
    "import importlib, json, sys; importlib.import_module(sys.argv[1]); print(json.dumps([*sys.modules]))"
)


def _loaded_by(module: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, module], check=True, capture_output=True, text=True, timeout=30
    )
    return set(json.loads(done.stdout))


@pytest.mark.parametrize(
    "module", ["bareway.cli.__main__", "bareway.runtime.log", "controller.settings", "speaker.settings"]
)
def test_the_command_and_the_settings_start_without_any_heavy_library(module: str) -> None:
    assert _loaded_by(module) & (HEAVY | EVERYWHERE_UNWANTED) == set()


@pytest.mark.parametrize("module", ["controller.__main__", "speaker.__main__", "bareway.runtime.rpc"])
def test_a_program_starts_without_the_clients_and_tools_for_other_places(module: str) -> None:
    assert _loaded_by(module) & (EVERYWHERE_UNWANTED | ASKED_FOR) == set()


def test_metrics_and_health_do_without_grpc() -> None:
    assert _loaded_by("bareway.runtime.http") & {"grpc", "google.protobuf", "yaml", "cryptography"} == set()


GOLDEN = Path(__file__).parent / "cli" / "golden"
VERB = (
    "import json, sys; from bareway.cli.__main__ import main; main(sys.argv[1:]);"
    " print(json.dumps([*sys.modules]), file=sys.stderr)"
)
SLOW = HEAVY | EVERYWHERE_UNWANTED | {"asyncio", "msgspec", "bareway.model.status"}


@pytest.mark.parametrize(
    ("words", "allowed"),
    [
        pytest.param(["version"], set(), id="version"),
        pytest.param(["explain", "NoFreeAddress"], set(), id="explain"),
        pytest.param(["completion", "bash"], set(), id="completion"),
        pytest.param(["lint", "-f", str(GOLDEN / "cluster.yaml")], {"yaml", "msgspec"}, id="lint"),
        pytest.param(["plan", "-f", str(GOLDEN / "cluster.yaml")], {"yaml", "msgspec"}, id="plan"),
    ],
)
def test_a_verb_that_needs_no_cluster_loads_nothing_that_takes_long(
    words: list[str], allowed: set[str]
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", VERB, *words], check=True, capture_output=True, text=True, timeout=30
    )
    loaded = set(json.loads(done.stderr.splitlines()[-1]))
    assert loaded & SLOW == allowed


def test_the_parts_of_an_answer_are_told_without_what_makes_and_shows_the_whole() -> None:
    """It runs in each of our Pods whenever somebody outside asks why."""
    words = ["--local", "why", "shop/web", "--as-told", "--socket", "/nowhere/speaker.sock"]
    done = subprocess.run([sys.executable, "-c", VERB, *words], check=True, capture_output=True, timeout=30)
    loaded = set(json.loads(done.stderr.splitlines()[-1]))
    assert "bareway.cli.asking.here" in loaded
    chain = ("bareway.decide", "bareway.resources", "bareway.cli.pages.why")
    assert [name for name in loaded if name.startswith(chain)] == []


def test_a_verb_that_asks_a_cluster_reads_no_certificates_of_the_system() -> None:
    look = "import sys; print(len(sys.modules['aiohttp.connector']._SSL_CONTEXT_VERIFIED.get_ca_certs()))"
    for module in ("bareway.cli.asking.gathering", "bareway.cli.asking.pods", "bareway.cli.writing.marks"):
        command = [sys.executable, "-c", f"import {module}; {look}"]
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=30)
        assert done.stdout == "0\n", module
