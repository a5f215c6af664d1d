"""To follow changes one by one comes to the same as to decide all at once, whatever happened before."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bareway.model.configuration import Advertisement
from bareway.model.endpoints import EndpointSlice
from bareway.model.services import Service, TrafficPolicy
from support.builders import endpoint_slice, service
from support.routing import OTHER, ROUTER, Cluster, bgp_pool, ground

GROUND = ground(
    bgp_pool(
        Advertisement(communities=("64512:1",)),
        Advertisement(aggregation_length=30, local_preference=5),
        Advertisement(aggregation_length=30, local_preference=7, med=3, peers=("peer2",)),
    ),
    peers=(ROUTER, replace(OTHER, weighted=True)),
)
NAMES = ("web", "mail", "shop")
ADDRESSES = ("198.51.100.4", "198.51.100.5", "198.51.100.9", "2001:db8::1", "192.0.2.1")

SERVICES = st.builds(
    lambda name, addresses, policy: service(name, ingress=addresses, policy=policy),
    st.sampled_from(NAMES),
    st.lists(st.sampled_from(ADDRESSES), max_size=2, unique=True),
    st.sampled_from(TrafficPolicy),
)
SLICES = st.builds(
    lambda of, name, nodes, serving: endpoint_slice(of, *nodes, serving=serving, name=name),
    st.sampled_from(NAMES),
    st.sampled_from(("x", "y")),
    st.lists(st.sampled_from(("a", "b")), max_size=3),
    st.booleans(),
)


@given(st.lists(st.tuples(SERVICES | SLICES, st.booleans()), max_size=14))
def test_following_and_deciding_at_once_agree(changes: list[tuple[Service | EndpointSlice, bool]]) -> None:
    followed = Cluster(GROUND)
    for thing, stays in changes:
        followed.now += 60.0
        _change(followed, thing, stays=stays)
    followed.now += 60.0
    followed.put(*followed.services.values())  # weights settle
    followed.now += 60.0
    followed.put(*followed.services.values())
    at_once = Cluster(GROUND)
    at_once.slices |= followed.slices
    at_once.endpoints.take(at_once.slices, list(at_once.slices))
    at_once.put(*followed.services.values())
    for peer in ("peer1", "peer2"):
        assert followed.told(peer) == at_once.told(peer)
    assert followed.routing.withheld == at_once.routing.withheld
    assert followed.routing.announced == at_once.routing.announced


def _change(cluster: Cluster, thing: Service | EndpointSlice, *, stays: bool) -> None:
    match thing:
        case Service():
            cluster.put(thing)
            if not stays:
                cluster.remove(thing)
        case EndpointSlice():
            cluster.serve(thing)
            if not stays:
                cluster.empty(thing)
