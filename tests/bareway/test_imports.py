"""What a program loads when it starts: each heavy library has one home, and most starts do without it."""

import json
import subprocess
import sys

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
