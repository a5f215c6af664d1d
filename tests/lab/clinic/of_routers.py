"""Faults of BGP: no router, and a session that does not come up."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from bareway.decide.answers.checks.ailments import Ailment
from bareway.decide.answers.why.chain import WhyReason
from lab.clinic.cluster import Clinic, Found
from lab.clinic.fault import Fault, Plant
from lab.clinic.objects import served, service
from lab.rack import NODE_ASN, ROUTER_ASN, peer
from lab.routers.bird import Bird
from lab.routers.shape import Configuration, Neighbour

KEY: Final = "of-the-lab"
ABOUT: Final = "default/routed"
SAYS: Final = "See that the router knows this node as a neighbour with the same AS numbers and password"


def configuration(clinic: Clinic, password: str = "") -> Configuration:
    """What the router is told: each node is its neighbour."""
    machine = clinic.router
    neighbours = tuple(
        Neighbour(address=node.address, local=machine.address, asn=NODE_ASN, password=password)
        for node in clinic.nodes
    )
    return Configuration(asn=ROUTER_ASN, router_id=machine.address, neighbours=neighbours, fills_kernel=False)


@contextmanager
def routed(clinic: Clinic) -> Iterator[None]:
    """A pool by BGP, a Service in it, a router that waits, and no peer yet."""
    clinic.bird = Bird(clinic.router, configuration(clinic))
    clinic.configure(routed="protocol: bgp\naddresses: [203.0.113.0/28]\nauto-assign: false")
    clinic.apply(*served(service("routed", pool="routed")))
    clinic.system.address_of("routed")
    yield
    clinic.bird.stop()


def _peer(*lines: str, asn: int = ROUTER_ASN) -> Plant:
    """The only one that is configured."""

    def change(clinic: Clinic) -> None:
        told = peer(clinic.router.address, name="edge", more=lines)
        clinic.more = "peers:\n" + told.replace(f"peer-asn: {ROUTER_ASN}", f"peer-asn: {asn}")
        clinic.configure()

    return change


def _strange_key(clinic: Clinic) -> None:
    """The router has one, and we are told another."""
    assert clinic.bird is not None
    clinic.bird.configure(configuration(clinic, password=KEY))
    _peer(f"password: {KEY}-mistyped")(clinic)


def _right_key(clinic: Clinic, _: Found) -> None:
    _peer(f"password: {KEY}")(clinic)


def _well(clinic: Clinic, _: Found) -> None:
    """The peer as the router expects it."""
    _peer()(clinic)


ROUTERS: Final = {
    "no router": Fault(
        word=WhyReason.NO_ROUTER,
        about=ABOUT,
        plant=lambda _: None,  # the group begins without one
        says="Add the router under peers in ConfigMap bareway-system/config",
        cure=_well,
    ),
    "an AS number that is not the router's": Fault(
        word=Ailment.SESSION_DOWN,
        plant=_peer(asn=64999),
        says=SAYS,
        cure=_well,
    ),
    "a password that is not the router's": Fault(
        word=Ailment.SESSION_DOWN,
        plant=_strange_key,
        says=SAYS,
        cure=_right_key,
    ),
}
