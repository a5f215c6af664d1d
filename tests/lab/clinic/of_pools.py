"""Faults of pools, one after another; ``bareway doctor`` is asked."""

from typing import Final

from bareway.decide.allocation.verdicts import Refusal
from bareway.decide.answers.checks.ailments import Ailment
from lab.clinic.cluster import Clinic
from lab.clinic.fault import Fault, configured, kubectl
from lab.clinic.objects import served, service


def _full(clinic: Clinic) -> None:
    clinic.configure(full="addresses: [192.0.2.248-192.0.2.249]\nauto-assign: false")
    clinic.apply(*served(service("a", pool="full")), *served(service("b", pool="full")))


def _left(clinic: Clinic) -> None:
    """A Service is deleted, and another one asks for what waits for its return."""
    clinic.configure(
        resting="addresses: [192.0.2.210-192.0.2.217]\nauto-assign: false\nhold-after-delete: 1h"
    )
    clinic.apply(*served(service("tenant", addresses="192.0.2.210")))
    clinic.system.address_of("tenant")
    clinic.kubectl("delete", "service", "tenant")
    clinic.apply(*served(service("heir", addresses="192.0.2.210")))


POOLS: Final = {
    "a pool in nobody's subnet": Fault(
        word=Ailment.POOL_OUTSIDE_SUBNETS,
        subject="pool away",
        plant=lambda clinic: clinic.configure(away="addresses: [203.0.113.0/28]\nauto-assign: false"),
        says="Give the pool addresses of a subnet that the nodes are in",
        cure=configured(away="addresses: [192.0.2.240/29]\nauto-assign: false"),
    ),
    "a pool with a node's own address": Fault(
        word=Ailment.POOL_HOLDS_NODE_ADDRESS,
        subject="pool near",
        plant=lambda clinic: clinic.configure(near="addresses: [192.0.2.12-192.0.2.15]\nauto-assign: false"),
        says="Take these addresses out of the pool",
        cure=configured(near="addresses: [192.0.2.14-192.0.2.15]\nauto-assign: false"),
    ),
    "a pool that is nearly full": Fault(
        word=Ailment.POOL_NEARLY_FULL,
        subject="pool full",
        plant=_full,
        says="Give it another range",
        cure=configured(full="addresses: [192.0.2.248-192.0.2.253]\nauto-assign: false"),
    ),
    "an address that waits for who had it": Fault(
        word=Refusal.ON_HOLD,
        about="default/heir",
        subject="Service default/heir",
        plant=_left,
        says="or request another address",
        cure=kubectl("annotate", "service", "heir", "--overwrite", "metallb.io/loadBalancerIPs=192.0.2.211"),
    ),
}
