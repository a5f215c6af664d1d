"""The command from outside a real cluster: by a kubeconfig, and by exec in every Pod."""

import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from cluster.conftest import Tell
from cluster.installation import Installation

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(400), pytest.mark.usefixtures("reported")]

PATIENCE_S = 30.0  # a command that starts in a Pod takes half a second on an idle machine
ANSWERED_WITHIN_S = 180.0


def asked(bareway: Installation, *words: str) -> str:
    """What ``bareway WORDS…`` prints for who has the administrator's kubeconfig; well or not."""
    command = str(Path(sys.executable).with_name("bareway"))
    place = ("--kubeconfig", str(bareway.ring.kubeconfig), "--timeout", str(PATIENCE_S))
    return bareway.ring.lan.api.run(command, *words, *place, timeout_s=ANSWERED_WITHIN_S, accept=(0, 1))


def test_from_outside_everybody_answers_and_nothing_is_broken(
    bareway: Installation, address: str, tell: Tell
) -> None:
    began = time.monotonic()
    page: dict[str, Any] = json.loads(asked(bareway, "status", "-o", "json"))
    tell(f"status of everybody after {time.monotonic() - began:.1f} s; found: {page['wrong']}")
    assert page["unknown"] == []
    assert [one["node"] for one in page["speakers"]] == sorted(node.name for node in bareway.ring.nodes)
    assert sorted(one["leads"] for one in page["controllers"]) == [False, True]
    holders = {
        one["announced_by"]
        for speaker in page["speakers"]
        for one in speaker["addresses"]
        if one["address"] == address
    }
    assert len(holders) == 1
    assert [one for one in page["findings"] if one["gravity"] == "Broken"] == []


def test_each_verb_shows_its_part(bareway: Installation, address: str) -> None:
    assert address in json.dumps(json.loads(asked(bareway, "status", "-o", "json"))["speakers"])
    pools = json.loads(asked(bareway, "pools", "-o", "json"))["pools"]
    assert [one["used"] for one in pools if one["is_counted_by_leader"]] != []
    members = json.loads(asked(bareway, "members", "-o", "json"))["members"]
    assert {one["name"] for one in members} >= {node.name for node in bareway.ring.nodes}
    assert json.loads(asked(bareway, "bgp", "-o", "json"))["unknown"] == []
