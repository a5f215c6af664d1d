"""What we say in a session with BIRD, as two independent readers see it: tshark and scapy."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
import pytest

from lab.announcer import Announcer, Plan, PlannedPeer, PlannedRoutes
from lab.commands import LabError, run
from lab.network import Lab
from lab.rack import NODE_ASN, ROUTER_ASN
from lab.routers.bird import Bird
from lab.routers.shape import Configuration, Neighbour, must_be_installed
from lab.waiting import wait_for

with warnings.catch_warnings():  # scapy's own, as it is imported
    warnings.simplefilter("ignore")
    from scapy.contrib import bgp
    from scapy.layers.inet import TCP
    from scapy.layers.l2 import Ether
    from scapy.utils import rdpcap

pytestmark = [pytest.mark.lab, pytest.mark.timeout(60)]
OURS = "192.0.2.11"
MD5_OPTION = 19
GRACEFUL_SHUTDOWN = "0xffff0000"
ERROR = "8388608"
"""tshark's highest severity."""
Packets = Sequence[Mapping[str, list[str]]]
FIELDS = (
    "frame.protocols",
    "_ws.expert.severity",
    "ip.ttl",
    "tcp.option_kind",
    "bgp.type",
    "bgp.open.myas",
    "bgp.open.identifier",
    "bgp.open.holdtime",
    "bgp.cap.type",
    "bgp.nlri_prefix",
    "bgp.mp_reach_nlri_ipv6_prefix",
    "bgp.withdrawn_prefix",
    "bgp.update.path_attribute.next_hop",
    "bgp.update.path_attribute.multi_exit_disc",
    "bgp.update.path_attribute.community_value",
    "bgp.update.path_attribute.community_wellknown",
    "bgp.large_communities.ga",
    "bgp.ext_com.value_link_bw",
    "bgp.notify.major_error",
    "bgp.notify.minor_error_cease",
)
"""tshark's names (``tshark -G fields``)."""
ROUTES = (
    PlannedRoutes(
        first="203.0.113.1/32",
        count=3,
        communities=("64512:100", "64512:7"),
        large_communities=("64512:1:2",),
        med=7,
        link_bandwidth=125000.0,
    ),
    PlannedRoutes(first="2001:db8:3::1/128", count=2, communities=("64512:100",)),
)


@pytest.fixture(scope="module")
def capture(_prerequisites: None) -> Iterator[Path]:
    """A whole session with a key and TTL security: routes told, marked, taken back, the last word."""
    must_be_installed("tshark", "tshark")
    with Lab() as lab:
        lan = lab.switch("lan")
        node, machine = lab.machine("node1", lan, f"{OURS}/24"), lab.machine("router", lan, "192.0.2.1/24")
        place = lab.logs / "session.pcap"
        listening = ("-q", "-i", machine.cable.interface, "-f", "tcp port 179", "-w", str(place))
        tshark = machine.start("tshark", "tshark", *listening)
        tshark.wait_for_output("Capturing")
        neighbour = Neighbour(
            address=OURS,
            local=machine.address,
            asn=NODE_ASN,
            password="key",  # noqa: S106 - of the lab alone
            ttl_security=True,
        )
        router = Bird(
            machine, Configuration(asn=ROUTER_ASN, router_id=machine.address, neighbours=(neighbour,))
        )
        peer = PlannedPeer(
            name="router",
            address=machine.address,
            local_asn=NODE_ASN,
            peer_asn=ROUTER_ASN,
            router_id=OURS,
            password="key",  # noqa: S106 - of the lab alone
            ttl_security=True,
        )
        plan = Plan(peers=(peer,), routes=ROUTES, at_end="Leaving")
        announcer = Announcer(node, plan, folder=lab.logs)
        announcer.wait("router")
        wait_for(lambda: router.imported(OURS) == 5, what="all routes at BIRD", within_s=10.0)
        announcer.become(msgspec.structs.replace(plan, is_draining=True))
        marked = frozenset({"64512:100", "65535:0"})
        wait_for(
            lambda: router.routes()["2001:db8:3::1/128"].communities == marked, what="the mark", within_s=10.0
        )
        router.refresh(OURS)
        announcer.process.stop()
        wait_for(lambda: router.session(OURS) != "established", what="the end", within_s=10.0)
        wait_for(lambda: _is_whole(place), what="the last word in the capture", within_s=20.0, poll_s=0.5)
        tshark.stop()
        yield place
        router.stop()


def _is_whole(capture: Path) -> bool:
    """Whether the NOTIFICATION was written, which may be long after it was sent."""
    try:
        return bool(run("tshark", "-r", str(capture), "-Y", "bgp.type == 3").strip())
    except LabError:  # it ends in the midst of a packet
        return False


@pytest.fixture(scope="module")
def packets(capture: Path) -> Packets:
    """Our packets as tshark reads them, in one reading."""
    words = [word for field in FIELDS for word in ("-e", field)]
    shown = run("tshark", "-r", str(capture), "-Y", f"ip.src == {OURS}", "-T", "json", *words)
    return [packet["_source"].get("layers", {}) for packet in msgspec.json.decode(shown)]


def everything(packets: Packets, field: str) -> list[str]:
    assert field in FIELDS
    return [value for packet in packets for value in packet.get(field, ())]


def test_tshark_finds_nothing_malformed(packets: Packets) -> None:
    assert not any("malformed" in protocols for protocols in everything(packets, "frame.protocols"))
    assert ERROR not in everything(packets, "_ws.expert.severity")
    kinds = everything(packets, "bgp.type")
    assert kinds[:2] == ["1", "4"]  # OPEN, KEEPALIVE
    assert kinds[-1] == "3"  # NOTIFICATION
    assert set(kinds[2:-1]) <= {"2", "4"}


def test_tshark_reads_who_we_are_and_what_we_can_do(packets: Packets) -> None:
    assert everything(packets, "bgp.open.myas") == [str(NODE_ASN)]
    assert everything(packets, "bgp.open.identifier") == [OURS]
    assert everything(packets, "bgp.open.holdtime") == ["9"]
    assert sorted(map(int, everything(packets, "bgp.cap.type"))) == [1, 1, 2, 64, 65]


def test_tshark_reads_our_routes_and_what_they_carry(packets: Packets) -> None:
    first = next(packet for packet in packets if "bgp.nlri_prefix" in packet)
    assert first["bgp.nlri_prefix"] == [f"203.0.113.{host}" for host in (1, 2, 3)]
    assert first["bgp.mp_reach_nlri_ipv6_prefix"] == ["2001:db8:3::1", "2001:db8:3::2"]
    assert first["bgp.update.path_attribute.next_hop"] == [OURS]
    assert first["bgp.update.path_attribute.multi_exit_disc"] == ["7"]
    assert first["bgp.update.path_attribute.community_value"] == ["7", "100", "100"]  # sorted
    assert first["bgp.large_communities.ga"] == ["64512"]
    assert first["bgp.ext_com.value_link_bw"] == ["125000"]


def test_every_packet_is_signed_and_comes_from_next_door(packets: Packets) -> None:
    for packet in packets:
        assert str(MD5_OPTION) in packet["tcp.option_kind"]
        assert packet["ip.ttl"] == ["255"]


def test_a_node_that_leaves_marks_its_routes_takes_them_back_and_says_so(packets: Packets) -> None:
    assert GRACEFUL_SHUTDOWN in everything(packets, "bgp.update.path_attribute.community_wellknown")
    assert "203.0.113.1" in everything(packets, "bgp.withdrawn_prefix")
    assert everything(packets, "bgp.notify.major_error") == ["6"]  # Cease
    assert everything(packets, "bgp.notify.minor_error_cease") == ["2"]  # administrative shutdown


def test_scapy_reads_the_same_routes(capture: Path) -> None:
    bgp.bgp_module_conf.use_2_bytes_asn = False
    messages = [message for message in ours_by_scapy(capture) if bgp.BGPUpdate in message]
    told = {str(nlri.prefix) for message in messages for nlri in message[bgp.BGPUpdate].nlri or ()}
    assert {f"203.0.113.{host}/32" for host in (1, 2, 3)} <= told
    attributes = messages[0][bgp.BGPUpdate].path_attr
    by_type = {attribute.type_code: attribute.attribute for attribute in attributes}
    assert by_type[1].origin == 0
    assert by_type[2].segments[0].segment_value == [NODE_ASN]
    assert by_type[3].next_hop == OURS
    assert by_type[4].med == 7


def ours_by_scapy(capture: Path) -> Iterator[bgp.BGP]:
    """Each message of ours; none of them is spread over packets, since nothing is resent here."""
    for packet in rdpcap(str(capture)):
        frame = Ether(bytes(packet))
        payload = bytes(frame[TCP].payload)
        if frame.src != "02:00:c0:00:02:0b":
            continue
        while len(payload) >= 19:
            length = int.from_bytes(payload[16:18])
            yield bgp.BGP(payload[:length])
            payload = payload[length:]
