"""What two OPEN messages agree on, where one of them says a thing twice."""

from bareway.bgp.capabilities import MultiProtocol, RestartCapability
from bareway.bgp.messages import Open
from bareway.bgp.negotiated import negotiate
from bareway.bgp.prefixes import IPV4
from support.bgp import NODE, NODE_ASN, ROUTER, ROUTER_ASN

OURS = Open(
    asn=NODE_ASN,
    hold_time_s=90,
    router_id=NODE,
    capabilities=(MultiProtocol(IPV4), RestartCapability(restart_time_s=120, has_notification=True)),
)


def test_of_several_offers_of_graceful_restart_the_last_counts() -> None:
    first = RestartCapability(restart_time_s=10, has_notification=True)
    last = RestartCapability(restart_time_s=300, families=((IPV4, True),))
    theirs = Open(asn=ROUTER_ASN, hold_time_s=90, router_id=ROUTER, capabilities=(first, first, last))
    session = negotiate(OURS, theirs)
    assert session.restart == last
    assert not session.has_notification
