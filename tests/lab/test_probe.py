"""``bareway probe`` on real links: who answers, by ARP and neighbour discovery, and why nobody could ask."""

import json
import sys
from typing import Any

import pytest

from bareway.decide.answers.probing import ProbeReason, ProbeRefusal
from lab.commands import CommandFailed
from lab.machine import Machine

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]
SHARED = "192.0.2.10"
QUICK = ("--count", "2", "--timeout", "0.3", "-o", "json")
WITHOUT_RAW_SOCKETS = ("setpriv", "--bounding-set", "-net_raw")


def probe(machine: Machine, address: str, *words: str, code: int = 0) -> Any:
    """What the command says in that machine, if it ends with ``code``."""
    command = (sys.executable, "-m", "bareway.cli", "--local", "probe", address, *QUICK, *words)
    told = machine.run("sh", "-c", '"$@"; [ $? = $0 ]', str(code), *command, timeout_s=90)
    return json.loads(told)


def refusal(machine: Machine, *words: str, by: tuple[str, ...] = ()) -> str:
    """Why it could not ask, in its own sentence."""
    with pytest.raises(CommandFailed, match="exit code 2: ") as failed:
        machine.run(
            *by, sys.executable, "-m", "bareway.cli", "--local", "probe", *QUICK, *words, timeout_s=90
        )
    return str(failed.value).partition("exit code 2: ")[2]


def test_who_has_an_address_answers_with_its_mac(node: Machine, client: Machine) -> None:
    for address in (node.address, node.address_6):
        told = probe(client, address)
        (answer,) = told["answers"]
        assert (answer["mac"], answer["answers"]) == (node.mac, 2)
        assert 0 < answer["fastest_ms"] <= answer["slowest_ms"] < 300
        assert (told["probed"]["interface"], told["probed"]["mac"]) == ("eth0", client.mac)
        assert told["findings"] == []


def test_nobody_and_two_are_told_apart(node: Machine, client: Machine, observer: Machine) -> None:
    nobody = probe(client, SHARED, code=1)
    assert ([one["word"] for one in nobody["findings"]], nobody["answers"]) == ([ProbeReason.NO_ANSWER], [])
    node.hold(SHARED)
    observer.hold(SHARED)
    two = probe(client, SHARED, "--interface", "eth0", code=1)
    assert [one["word"] for one in two["findings"]] == [ProbeReason.SEVERAL_ANSWER]
    assert {one["mac"]: one["answers"] for one in two["answers"]} == {node.mac: 2, observer.mac: 2}


def test_why_nobody_could_ask_is_told(node: Machine, client: Machine) -> None:
    no_right = refusal(client, node.address, by=WITHOUT_RAW_SOCKETS)
    assert no_right.startswith(f"bareway: {ProbeRefusal.NO_RAW_SOCKET}: ")
    assert "--node" in no_right
    assert str(ProbeRefusal.OWN_ADDRESS) in refusal(client, client.address)
    assert str(ProbeRefusal.OWN_ADDRESS) in refusal(client, client.address_6)
    assert str(ProbeRefusal.NOT_ON_LINK) in refusal(client, "198.51.100.1")
    client.run("ip", "link", "set", "dev", "eth0", "down")
    assert str(ProbeRefusal.INTERFACE_UNUSABLE) in refusal(client, node.address, "--interface", "eth0")
