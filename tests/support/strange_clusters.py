"""Clusters and surroundings that no API server would show, for Hypothesis."""

from typing import Any, TypeVar

from hypothesis import strategies as st

from bareway.decide.announcement.announcers import Refusal
from bareway.gossip.member import MemberState
from bareway.model.cluster import Cluster, PodState, Unknown
from bareway.model.names import NodeName
from bareway.model.nodes import Node
from bareway.model.status import (
    AddressStatus,
    ControllerStatus,
    FindingStatus,
    LinkStatus,
    MemberStatus,
    PeerStatus,
    PoolStatus,
    SpeakerStatus,
)
from bareway.model.surroundings import LinkFacts, NodeFacts, Surroundings, Unreached
from support.builders import configuration, ips, key, pool
from support.patients import NODES

T = TypeVar("T")

ADDRESSES = st.sampled_from(
    ips("192.0.2.240", "0.0.0.0", "255.255.255.255", "2001:db8::1", "::ffff:192.0.2.1")
)
NAMES = st.sampled_from((*NODES, NodeName(""), NodeName("elsewhere")))
STRANGE = (
    "",
    " ",
    "x",
    "a\nb",
    "\x1b[2J",
    "{namespace}",
    "%s",
    "192.0.2.0/24",
    "192.0.2.1:7947",
    "v9",
    "…" * 400,
)
TEXTS = st.sampled_from(STRANGE)


def _tuples(of: st.SearchStrategy[T]) -> st.SearchStrategy[tuple[T, ...]]:
    return st.lists(of, max_size=2).map(tuple)


def _any(kind: type[T], **given: st.SearchStrategy[Any]) -> st.SearchStrategy[T]:
    return st.builds(kind, **given)


LINKS = _tuples(_any(LinkStatus, name=TEXTS, subnets=_tuples(TEXTS), reason=TEXTS))
ANNOUNCED = _any(
    AddressStatus,
    address=ADDRESSES,
    services=_tuples(st.just(key("shop/web"))),
    announced_by=st.none() | NAMES,
    reason=st.sampled_from([*STRANGE, *Refusal]),
    listed=_tuples(NAMES),
    protocol=st.sampled_from(("layer2", "bgp", "")),
)
SPEAKERS = _any(
    SpeakerStatus,
    version=TEXTS,
    node=NAMES,
    api_connected=st.booleans(),
    not_ready=_tuples(TEXTS),
    members=_tuples(_any(MemberStatus, name=NAMES, state=st.sampled_from([*STRANGE, *MemberState]))),
    addresses=_tuples(ANNOUNCED),
    links=LINKS,
    findings=_tuples(_any(FindingStatus, address=ADDRESSES, reason=TEXTS, mac=TEXTS, node=st.none() | NAMES)),
    peers=_tuples(_any(PeerStatus, name=TEXTS, address=ADDRESSES, state=TEXTS, reason=TEXTS, trouble=TEXTS)),
)
CONTROLLERS = _any(
    ControllerStatus,
    version=TEXTS,
    api_connected=st.booleans(),
    identity=TEXTS,
    leader=TEXTS,
    leads=st.booleans(),
    pools=_tuples(_any(PoolStatus, name=TEXTS, total=st.integers(), used=st.integers())),
)
PODS = _any(PodState, name=TEXTS, component=TEXTS, node=st.none() | NAMES, ready=st.booleans(), reason=TEXTS)
CLUSTERS = _any(
    Cluster,
    nodes=_tuples(_any(Node, name=NAMES, addresses=_tuples(ADDRESSES))),
    configuration=st.none() | st.just(configuration(pool("a", "192.0.2.240/28"), pool("b", "2001:db8::/64"))),
    pods=_tuples(PODS),
    controllers=_tuples(CONTROLLERS),
    speakers=st.dictionaries(NAMES, SPEAKERS, max_size=2),
    unknown=_tuples(_any(Unknown, subject=TEXTS, why=TEXTS)),
)
FACTS = _any(
    NodeFacts,
    node=NAMES,
    links=_tuples(_any(LinkFacts, name=TEXTS, subnets=_tuples(TEXTS))),
    tried=_tuples(NAMES),
    unreached=_tuples(_any(Unreached, member=NAMES, address=TEXTS, how=TEXTS)),
)
SURROUNDINGS = _any(
    Surroundings,
    kubernetes=TEXTS,
    missing_rights=st.dictionaries(TEXTS, _tuples(TEXTS), max_size=2),
    last_words=st.dictionaries(TEXTS, TEXTS, max_size=2),
    heartbeats=st.dictionaries(NAMES, st.floats(allow_nan=False, allow_infinity=False), max_size=2),
    nodes=st.dictionaries(NAMES, FACTS, max_size=2),
)
