"""A cluster that MetalLB v0.12 served (``metallb_v0_12.yaml``): every Service keeps its address."""

import json
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from cluster.conftest import Tell
from cluster.installation import EXAMPLE, MANIFESTS, SETTLED_WITHIN_S, SYSTEM, Installation
from lab.manifests import service
from lab.waiting import wait_for

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(200), pytest.mark.usefixtures("reported")]

RECORD: Final = Path(__file__).with_name("metallb_v0_12.yaml")
OVERLAY: Final = MANIFESTS / "overlays" / "from-metallb"
LOWEST_FREE: Final = "192.0.2.240"


def shown(bareway: Installation) -> dict[str, list[str]]:
    """The external addresses of all Services of type LoadBalancer."""
    told = json.loads(bareway.kubectl("get", "services", "-A", "-o", "json"))
    return {
        f"{each['metadata']['namespace']}/{each['metadata']['name']}": addresses(each)
        for each in told["items"]
        if each["spec"]["type"] == "LoadBalancer"
    }


def addresses(each: dict[str, Any]) -> list[str]:
    return [ingress["ip"] for ingress in each["status"]["loadBalancer"].get("ingress", [])]


@pytest.fixture
def left_by_metallb(bareway: Installation) -> dict[str, list[str]]:
    """The state of the record, with Pods behind one of its Services; what its Services show."""
    if SYSTEM in bareway.kubectl("get", "namespaces", "-o", "name"):
        bareway.remove()
    bareway.kubectl("apply", "-f", str(RECORD))
    services = [each for each in yaml.safe_load_all(RECORD.read_text()) if each["kind"] == "Service"]
    statuses = "\n---\n".join(map(json.dumps, services))  # which `apply` leaves as they are
    bareway.kubectl("replace", "--subresource=status", "-f", "-", stdin=statuses)
    bareway.kubectl("apply", "-f", str(EXAMPLE))
    return shown(bareway)  # the last story: the cluster ends with it


def test_every_service_keeps_the_address_that_metallb_gave_it(
    bareway: Installation, left_by_metallb: dict[str, list[str]], tell: Tell
) -> None:
    assert sum(map(len, left_by_metallb.values())) == 7
    theirs = ("get", "configmap", "config", "--namespace=metallb-system", "-o", "yaml")
    before = bareway.kubectl(*theirs)
    bareway.kubectl("apply", "-k", str(OVERLAY))
    (kept,) = left_by_metallb["default/web"]
    page = bareway.ring.lan.page(f"http://{kept}/", within_s=SETTLED_WITHIN_S)
    bareway.settle()
    bareway.kubectl("apply", "-f", "-", stdin=service("newcomer"))
    assert bareway.await_address("newcomer") == LOWEST_FREE
    assert shown(bareway) == {**left_by_metallb, "default/newcomer": [LOWEST_FREE]}
    assert bareway.kubectl(*theirs) == before

    def is_told() -> bool:
        return "AllocationFailed" in bareway.kubectl("describe", "service", "waiting", "--namespace=shop")

    wait_for(is_told, what="why one waits on", within_s=SETTLED_WITHIN_S, poll_s=0.3)
    tell(f"7 addresses of 7 Services kept; {kept} serves the page: {page}")
