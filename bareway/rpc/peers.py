"""The part of a status that tells of routers, to message and back: ``convert`` for `bgp.proto`."""

from ipaddress import ip_address

from bareway.model.status import PeerStatus
from bareway.rpc.v1 import bgp_pb2


def peer_message(status: PeerStatus) -> bgp_pb2.Peer:
    """One router, as a speaker tells of it."""
    return bgp_pb2.Peer(
        name=status.name,
        address=str(status.address),
        port=status.port,
        state=status.state,
        reason=status.reason,
        trouble=status.trouble,
        up_s=status.up_s,
        local=status.local,
        local_asn=status.local_asn,
        peer_asn=status.peer_asn,
        peer_id=status.peer_id,
        hold_time_s=status.hold_time_s,
        families=status.families,
        our_capabilities=status.our_capabilities,
        peer_capabilities=status.peer_capabilities,
        graceful_restart=status.graceful_restart,
        bfd=status.bfd,
        told=[bgp_pb2.Prefixes(family=family, count=count) for family, count in status.told.items()],
        owed=status.owed,
        held_back=status.held_back,
        digest=status.digest,
        established=status.established,
        messages_received=status.messages_received,
        updates_sent=status.updates_sent,
        faults=status.faults,
        last_sent=status.last_sent,
        last_received=status.last_received,
    )


def peer_status(message: bgp_pb2.Peer) -> PeerStatus:
    """One router, as a speaker told of it."""
    return PeerStatus(
        name=message.name,
        address=ip_address(message.address),
        port=message.port,
        state=message.state,
        reason=message.reason,
        trouble=message.trouble,
        up_s=message.up_s,
        local=message.local,
        local_asn=message.local_asn,
        peer_asn=message.peer_asn,
        peer_id=message.peer_id,
        hold_time_s=message.hold_time_s,
        families=tuple(message.families),
        our_capabilities=tuple(message.our_capabilities),
        peer_capabilities=tuple(message.peer_capabilities),
        graceful_restart=message.graceful_restart,
        bfd=message.bfd,
        told={one.family: one.count for one in message.told},
        owed=message.owed,
        held_back=message.held_back,
        digest=message.digest,
        established=message.established,
        messages_received=message.messages_received,
        updates_sent=message.updates_sent,
        faults=message.faults,
        last_sent=message.last_sent,
        last_received=message.last_received,
    )
