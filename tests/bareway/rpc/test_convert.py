from ipaddress import IPv4Address, IPv6Address

from hypothesis import given
from hypothesis import strategies as st

from bareway.model.names import InterfaceName, NodeName, ObjectKey, PoolName
from bareway.model.problems import Problem, Severity
from bareway.model.status import (
    AddressStatus,
    ConfigurationStatus,
    ControllerStatus,
    FindingStatus,
    LinkStatus,
    MemberStatus,
    OnLinkStatus,
    PeerStatus,
    PoolStatus,
    SpeakerStatus,
    WaitingService,
)
from bareway.rpc import convert
from bareway.rpc.v1 import configuration_pb2, controller_pb2, speaker_pb2

TEXT = st.text(max_size=20)
LABEL = st.text(alphabet="abc-0", min_size=1, max_size=5)
KEYS = st.builds(ObjectKey, LABEL | st.just(""), LABEL)
COUNTS = st.integers(min_value=0, max_value=2**128)


def _tuples(items: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(items, max_size=3).map(tuple)


PROBLEMS = st.builds(
    Problem,
    path=TEXT,
    message=TEXT,
    line=st.integers(0, 2**31),
    hint=TEXT,
    severity=st.sampled_from(Severity),
    document=TEXT,
)
CONFIGURATIONS = st.builds(
    ConfigurationStatus,
    generation=st.integers(0, 2**63),
    sha256=TEXT,
    source=TEXT,
    problems=_tuples(PROBLEMS),
)
MEMBERS = st.builds(
    MemberStatus,
    name=TEXT.map(NodeName),
    state=TEXT,
    since_s=st.floats(allow_nan=False),
    address=TEXT,
)
ADDRESSES = st.builds(
    AddressStatus,
    address=st.builds(IPv4Address, st.integers(0, 2**32 - 1))
    | st.builds(IPv6Address, st.integers(0, 2**128 - 1)),
    services=_tuples(KEYS),
    announced_by=st.none() | LABEL.map(NodeName),
    reason=TEXT,
    listed=_tuples(LABEL.map(NodeName)),
    protocol=st.sampled_from(("layer2", "bgp")),
    on_link=st.none()
    | st.builds(
        OnLinkStatus,
        links=_tuples(LABEL.map(InterfaceName)),
        last_unsolicited_s=st.none() | st.floats(allow_nan=False),
        last_answer_s=st.none() | st.floats(allow_nan=False),
    ),
)
NUMBERS = st.integers(0, 2**32 - 1)
PEERS = st.builds(
    PeerStatus,
    name=TEXT,
    address=st.builds(IPv4Address, NUMBERS) | st.builds(IPv6Address, st.integers(0, 2**128 - 1)),
    port=st.integers(1, 2**16 - 1),
    state=TEXT,
    reason=TEXT,
    trouble=TEXT,
    up_s=st.floats(allow_nan=False),
    local=TEXT,
    local_asn=NUMBERS,
    peer_asn=NUMBERS,
    peer_id=TEXT,
    hold_time_s=NUMBERS,
    families=_tuples(TEXT),
    our_capabilities=_tuples(TEXT),
    peer_capabilities=_tuples(TEXT),
    graceful_restart=st.booleans(),
    bfd=TEXT,
    told=st.dictionaries(TEXT, NUMBERS, max_size=3),
    owed=NUMBERS,
    held_back=NUMBERS,
    digest=TEXT,
    established=NUMBERS,
    messages_received=NUMBERS,
    updates_sent=NUMBERS,
    faults=NUMBERS,
    last_sent=TEXT,
    last_received=TEXT,
)
FINDINGS = st.builds(
    FindingStatus,
    address=st.builds(IPv4Address, st.integers(0, 2**32 - 1)),
    reason=TEXT,
    mac=TEXT,
    node=st.none() | LABEL.map(NodeName),
)
LINKS = st.builds(LinkStatus, name=TEXT.map(InterfaceName), mac=TEXT, subnets=_tuples(TEXT), reason=TEXT)
SPEAKERS = st.builds(
    SpeakerStatus,
    version=TEXT,
    node=TEXT.map(NodeName),
    api_connected=st.booleans(),
    not_ready=_tuples(TEXT),
    configuration=CONFIGURATIONS,
    members=_tuples(MEMBERS),
    addresses=_tuples(ADDRESSES),
    links=_tuples(LINKS),
    leaving=TEXT,
    list_generation=st.integers(0, 2**64 - 1),
    profile=TEXT,
    partition=TEXT,
    findings=_tuples(FINDINGS),
    peers=_tuples(PEERS),
    bgp_problems=_tuples(PROBLEMS),
)
CONTROLLERS = st.builds(
    ControllerStatus,
    version=TEXT,
    api_connected=st.booleans(),
    not_ready=_tuples(TEXT),
    configuration=CONFIGURATIONS,
    pools=_tuples(
        st.builds(
            PoolStatus,
            name=TEXT.map(PoolName),
            total=COUNTS,
            used=COUNTS,
            total_ipv6=COUNTS,
            used_ipv6=COUNTS,
        )
    ),
    waiting=_tuples(st.builds(WaitingService, service=KEYS, reason=TEXT, message=TEXT)),
    identity=TEXT,
    leader=TEXT,
    leads=st.booleans(),
    members_alive=st.integers(0, 2**32 - 1),
    members_known=st.integers(0, 2**32 - 1),
    list_generation=st.integers(0, 2**64 - 1),
)


@given(SPEAKERS)
def test_what_a_speaker_says_arrives_as_it_was(status: SpeakerStatus) -> None:
    wire = convert.speaker_message(status).SerializeToString()
    assert convert.speaker_status(speaker_pb2.SpeakerStatus.FromString(wire)) == status


def test_an_address_of_a_speaker_of_before_belongs_to_layer2() -> None:
    before = speaker_pb2.AnnouncedAddress(address="192.0.2.1")
    (found,) = convert.speaker_status(speaker_pb2.SpeakerStatus(addresses=[before])).addresses
    assert found.protocol == "layer2"


def test_a_controller_of_before_tells_of_its_pools_without_families() -> None:
    before = controller_pb2.Pool(name="a", total="5", used="1")
    found = convert.controller_status(controller_pb2.ControllerStatus(pools=[before]))
    assert found.pools == (PoolStatus(name=PoolName("a"), total=5, used=1),)
    assert (found.members_known, found.list_generation) == (0, 0)


@given(CONTROLLERS)
def test_what_a_controller_says_arrives_as_it_was(status: ControllerStatus) -> None:
    wire = convert.controller_message(status).SerializeToString()
    assert convert.controller_status(controller_pb2.ControllerStatus.FromString(wire)) == status


def test_a_severity_that_a_newer_program_invents_counts_as_an_error() -> None:
    problem = configuration_pb2.Problem.FromString(b"\x28\x63")  # field 5, 99
    message = speaker_pb2.SpeakerStatus(configuration=configuration_pb2.Configuration(problems=[problem]))
    (found,) = convert.speaker_status(message).configuration.problems
    assert found.severity is Severity.ERROR


def test_a_field_that_a_newer_program_invents_is_left_out() -> None:
    wire = b"\x0a\x050.9.0\xfa\x7f\x03new"  # version, then field 2047
    assert convert.controller_status(controller_pb2.ControllerStatus.FromString(wire)).version == "0.9.0"
