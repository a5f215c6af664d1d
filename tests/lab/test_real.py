"""The whole job once more where kube-apiserver and kube-proxy are Kubernetes' own."""

import pytest

from lab.machine import Machine
from lab.site import Watchers
from lab.system import System
from lab.trial import measure, steady_owner

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
