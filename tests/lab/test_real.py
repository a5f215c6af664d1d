"""The whole job once more where kube-apiserver and kube-proxy are Kubernetes' own."""

import pytest

from lab.apis import RealApi
from lab.machine import Machine
from lab.site import Watchers
from lab.system import System
from lab.trial import measure, steady_owner
from lab.waiting import pause, wait_for

OUTAGE_S = 15.0
"""Long enough for pauses to have grown to what they are after an hour."""
FOUND_WITHIN_S = 5.0
"""Three times what was measured: all 22 watches were open again 0.4 to 1.6 s after it listened."""

pytestmark = [pytest.mark.lab, pytest.mark.real, pytest.mark.timeout(240)]


def test_a_client_is_served_through_kube_proxy_and_goes_on_when_a_node_dies(real_system: System) -> None:
    watchers = Watchers(real_system.site, real_system.address_of())
    trial = measure(watchers, "bareway", "power off", Machine.power_off)
    assert trial.successor != trial.owner
    assert {attempt.body for attempt in watchers.prober.attempts[-10:]} <= real_system.site.pages
    assert watchers.address in real_system.kubectl("get", "service", "web")


def test_a_node_is_replaced_while_kube_apiserver_is_gone(real_system: System) -> None:
    watchers = Watchers(real_system.site, real_system.address_of())
    steady_owner(watchers)
    real_system.api.kill()
    trial = measure(watchers, "bareway", "power off", Machine.power_off)
    assert trial.successor != trial.owner


def connected(system: System) -> set[str]:
    """The programs that say that the API server serves them."""
    asked = {node.name: system.status(node) for node in system.site.nodes}
    asked["controller"] = system.status(system.site.api, "controller")
    return {name for name, said in asked.items() if "connected to the API server" in said}


def test_after_an_outage_every_program_soon_finds_kube_apiserver_again(real_system: System) -> None:
    programs = {"controller", "node1", "node2", "node3"}
    assert connected(real_system) == programs
    real_system.api.kill()
    pause(OUTAGE_S)
    assert connected(real_system) == set()
    assert isinstance(real_system.api, RealApi)
    real_system.api.restart()
    wait_for(
        lambda: connected(real_system) == programs,
        what="all programs to be connected",
        within_s=FOUND_WITHIN_S,
    )
