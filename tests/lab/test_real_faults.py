"""What may vanish from a real kube-apiserver while Bareway runs, and that it goes on."""

import json
import time
from collections.abc import Iterator

import pytest

from lab import manifests
from lab.apis import RealApi
from lab.conftest import running
from lab.machine import Machine
from lab.network import Lab
from lab.observations import outage
from lab.site import Watchers
from lab.system import System
from lab.trial import measure, steady_owner
from lab.waiting import wait_for

pytestmark = [pytest.mark.lab, pytest.mark.real, pytest.mark.timeout(120)]

SYSTEM = "bareway-system"
HOLD = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "hold", "namespace": SYSTEM, "finalizers": ["example.com/hold"]},
}
"""Keeps its namespace half-way deleted for as long as it has a finalizer."""
LET_GO = json.dumps({"metadata": {"finalizers": None}})
WITHIN_S = 20.0


@pytest.fixture(scope="module")
def system(_prerequisites: None) -> Iterator[System]:
    """One for all of these: each begins when all is well, and repairs what it broke."""
    with Lab() as lab:
        yield from running(lab, RealApi)


@pytest.fixture
def watchers(system: System) -> Iterator[Watchers]:
    watchers = Watchers(system.site, system.address_of())
    system.settle()
    steady_owner(watchers)
    yield watchers
    watchers.stop()


def lines(system: System, message: str) -> list[str]:
    """Those of the controller's log that say it."""
    assert system.controller is not None
    text = system.controller.output.read_text() + system.controller.errors.read_text()
    return [line for line in text.splitlines() if message in line]


def must_have_been_served(watchers: Watchers, *, since: float) -> None:
    seen = outage(watchers.prober.attempts, since=since)
    assert seen is not None
    assert seen.failed == 0, seen


def test_without_the_configmap_the_last_good_configuration_stays_in_force(
    system: System, watchers: Watchers
) -> None:
    began = time.monotonic()
    system.kubectl("delete", "configmap", "config", "--namespace", SYSTEM)
    wait_for(
        lambda: lines(system, "the configuration is gone"), what="the controller's word", within_s=WITHIN_S
    )
    system.publish("second")
    second = system.address_of("second")
    system.configure()
    system.publish("third")
    assert len({watchers.address, second, system.address_of("third")}) == 3
    assert len(lines(system, "the configuration is gone")) == 1
    system.kubectl("delete", "service", "second", "third")
    must_have_been_served(watchers, since=began)


def test_a_namespace_that_is_deleted_half_way_gives_its_addresses_back_and_disturbs_nobody(
    system: System, watchers: Watchers
) -> None:
    began = time.monotonic()
    theirs = ("--namespace", "doomed")
    system.kubectl("create", "namespace", "doomed")
    system.kubectl("create", *theirs, "-f", "-", stdin=manifests.service("shop"))
    path = "jsonpath={.status.loadBalancer.ingress[0].ip}"
    ask = ("get", "service", "shop", *theirs, "-o", path)
    address = wait_for(lambda: system.kubectl(*ask), what="its address", within_s=WITHIN_S)
    system.kubectl("create", "-f", "-", stdin=json.dumps(HOLD).replace(SYSTEM, "doomed"))
    system.kubectl("delete", "namespace", "doomed", "--wait=false")
    system.kubectl("wait", "--for=delete", "service/shop", *theirs, f"--timeout={WITHIN_S:.0f}s")
    system.publish("second")
    assert system.address_of("second") == address
    system.kubectl("delete", "service", "second")
    system.kubectl("patch", "configmap", "hold", *theirs, "--type=merge", "-p", LET_GO)
    must_have_been_served(watchers, since=began)


def test_while_our_own_namespace_is_deleted_announcing_goes_on_and_all_is_well_when_it_is_back(
    system: System, watchers: Watchers
) -> None:
    began = time.monotonic()
    system.kubectl("apply", "-f", "-", stdin=json.dumps(HOLD))
    system.kubectl("delete", "namespace", SYSTEM, "--wait=false")

    def refused() -> list[str]:  # which of its writes comes first is a matter of moments
        return lines(system, "writes failed") + lines(system, "the Lease is out of reach")

    wait_for(refused, what="a refused write", within_s=WITHIN_S)
    assert "being terminated" in refused()[0] or "not found" in refused()[0]
    system.publish("second")
    system.kubectl("patch", "configmap", "hold", "--namespace", SYSTEM, "--type=merge", "-p", LET_GO)
    system.kubectl("wait", "--for=delete", f"namespace/{SYSTEM}", f"--timeout={WITHIN_S:.0f}s")
    system.apply(manifests.NAMESPACE_MANIFEST)
    system.configure()
    assert system.address_of("second") != watchers.address
    for said in ("writes failed", "the Lease is out of reach"):
        assert len(lines(system, said)) <= 4  # not a line with every attempt
    system.kubectl("delete", "service", "second")
    must_have_been_served(watchers, since=began)


def test_a_node_that_vanishes_from_the_api_while_it_lives_goes_on_and_is_replaced_only_when_it_dies(
    system: System, watchers: Watchers
) -> None:
    owner = steady_owner(watchers)
    began = time.monotonic()
    system.kubectl("delete", "node", owner.name)
    system.settle()  # all of them still know each other
    assert steady_owner(watchers) == owner
    must_have_been_served(watchers, since=began)
    trial = measure(watchers, "bareway", "power off", Machine.power_off)
    assert trial.owner == owner.name
    system.apply(manifests.node(owner))
    system.repair(owner)
    system.settle()
    assert steady_owner(watchers).name == trial.successor
