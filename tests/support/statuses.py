"""Statuses with something in every field, for whoever shows, sends or judges them."""

from bareway.gossip.member import MemberState
from bareway.model.names import InterfaceName, NodeName, PoolName
from bareway.model.problems import Problem
from bareway.model.status import (
    AddressStatus,
    ConfigurationStatus,
    ControllerStatus,
    FindingStatus,
    LinkStatus,
    MemberStatus,
    PeerStatus,
    PoolStatus,
    SpeakerStatus,
    WaitingService,
)
from support.builders import ips, key

NODE1, NODE2 = NodeName("node1"), NodeName("node2")


def configuration_status(*problems: Problem) -> ConfigurationStatus:
    return ConfigurationStatus(
        generation=3,
        sha256="0a1b2c3d4e5f" + "0" * 52,
        source="ConfigMap bareway-system/config",
        problems=problems,
    )


def member(name: NodeName = NODE1, state: str = MemberState.ALIVE) -> MemberStatus:
    return MemberStatus(name=name, state=state, since_s=200.0, address="192.0.2.1:7947")


def address(
    text: str = "192.0.2.10", by: NodeName | None = NODE1, reason: str = "", protocol: str = "layer2"
) -> AddressStatus:
    return AddressStatus(
        address=ips(text)[0],
        services=(key("shop/web"),),
        announced_by=by,
        reason=reason,
        protocol=protocol,
    )


def peer(
    name: str = "peer1",
    at: str = "10.9.0.1",
    *,
    state: str = "Established",
    reason: str = "",
    trouble: str = "",
    held_back: int = 0,
    last_received: str = "",
) -> PeerStatus:
    """A session that is up, or one that is not and of which little is known."""
    if state != "Established":
        return PeerStatus(
            name=name,
            address=ips(at)[0],
            state=state,
            reason=reason,
            trouble=trouble,
            last_received=last_received,
        )
    return PeerStatus(
        name=name,
        address=ips(at)[0],
        state=state,
        up_s=200.0,
        local="10.9.0.11",
        local_asn=64601,
        peer_asn=64512,
        peer_id="10.9.0.1",
        hold_time_s=9,
        families=("ipv4-unicast", "ipv6-unicast"),
        our_capabilities=("multiprotocol ipv4-unicast", "four-octet-as 64601"),
        peer_capabilities=("multiprotocol ipv4-unicast", "route-refresh"),
        graceful_restart=True,
        bfd="Up",
        told={"ipv4-unicast": 5000, "ipv6-unicast": 3},
        owed=17,
        held_back=held_back,
        digest="0123456789abcdef",
        established=2,
        messages_received=40,
        updates_sent=12,
        faults=1,
        last_sent="6/4 cease reset",
        last_received=last_received,
    )


def link(name: str = "eth0", reason: str = "") -> LinkStatus:
    subnets = ("192.0.2.0/24", "198.51.100.0/24")
    return LinkStatus(name=InterfaceName(name), mac="02:00:00:00:00:01", subnets=subnets, reason=reason)


def finding(node: NodeName | None = None) -> FindingStatus:
    mac = "02:00:00:00:00:99"
    return FindingStatus(address=ips("192.0.2.10")[0], reason="AddressInUse", mac=mac, node=node)


def speaker_status(
    *,
    api_connected: bool = True,
    not_ready: tuple[str, ...] = (),
    problems: tuple[Problem, ...] = (),
    members: tuple[MemberStatus, ...] = (member(),),
    addresses: tuple[AddressStatus, ...] = (address(),),
    links: tuple[LinkStatus, ...] = (link(),),
    leaving: str = "",
    findings: tuple[FindingStatus, ...] = (),
    peers: tuple[PeerStatus, ...] = (),
    bgp_problems: tuple[Problem, ...] = (),
) -> SpeakerStatus:
    return SpeakerStatus(
        version="0.1.0",
        node=NODE1,
        api_connected=api_connected,
        not_ready=not_ready,
        configuration=configuration_status(*problems),
        members=members,
        addresses=addresses,
        links=links,
        leaving=leaving,
        list_generation=5,
        profile="default",
        partition="available",
        findings=findings,
        peers=peers,
        bgp_problems=bgp_problems,
    )


def controller_status(
    *,
    api_connected: bool = True,
    not_ready: tuple[str, ...] = (),
    problems: tuple[Problem, ...] = (),
    pools: tuple[PoolStatus, ...] = (PoolStatus(name=PoolName("public"), total=256, used=64),),
    waiting: tuple[WaitingService, ...] = (),
) -> ControllerStatus:
    return ControllerStatus(
        version="0.1.0",
        api_connected=api_connected,
        not_ready=not_ready,
        configuration=configuration_status(*problems),
        identity="bareway-controller-1_0a1b",
        leader="bareway-controller-1_0a1b",
        leads=True,
        pools=pools,
        waiting=waiting,
    )


def waiting(name: str = "shop/web") -> WaitingService:
    return WaitingService(
        service=key(name), reason="PoolExhausted", message='no available IPs in pool "public"'
    )
