"""A preview as the JSON that ``bareway plan -o json`` prints; its fields are a promise (version 1)."""

from collections.abc import Iterable, Mapping, Sequence
from ipaddress import summarize_address_range
from typing import Final, TypeAlias

from bareway.decide.allocation.losses import Loss, digest
from bareway.decide.preview.preview import PlannedAddress, PlannedPool, PlannedService, Preview
from bareway.decide.preview.routes import Route, Session
from bareway.model.addresses import AddressRange
from bareway.model.configuration import Configuration, Peer, Pool

VERSION: Final = 1
Row: TypeAlias = Mapping[str, object]


def plan_page(
    preview: Preview | None, configuration: Configuration | None, problems: Sequence[Row]
) -> dict[str, object]:
    """The whole answer; without a configuration that can be read its lists are empty."""
    return {
        "version": VERSION,
        "services": [service_row(one) for one in preview.services] if preview else [],
        "announcers": announcer_rows(preview.announcers) if preview else [],
        "routes": [_route(one) for one in preview.routes] if preview else [],
        "sessions": [session_row(one) for one in preview.sessions] if preview else [],
        "pools": [_pool_use(one) for one in preview.pools] if preview else [],
        "config": _configuration(configuration or Configuration()),
        "problems": list(problems),
    }


def against_page(
    lost: Sequence[Loss],
    services: Iterable[PlannedService],
    announcers: Iterable[PlannedAddress],
    sessions: Mapping[str, Sequence[Session]],
    problems: Sequence[Row],
) -> dict[str, object]:
    """What changes; ``digest`` is what the annotation ``bareway.io/accept-loss`` must say."""
    return {
        "version": VERSION,
        "loss": [_loss(one) for one in lost],
        "digest": digest(lost),
        "services": [service_row(one) for one in services],
        "announcers": announcer_rows(announcers),
        "sessions": {word: [session_row(one) for one in found] for word, found in sessions.items()},
        "problems": list(problems),
    }


def service_row(planned: PlannedService) -> Row:
    """One Service."""
    return {
        "service": str(planned.service),
        "addresses": [str(address) for address in planned.addresses],
        "pool": planned.pool,
        "action": planned.action.value,
        "reason": planned.reason,
        "message": planned.message,
        "shares_with": [str(key) for key in planned.shares_with],
    }


def announcer_rows(planned: Iterable[PlannedAddress]) -> list[Row]:
    """One row for each address and Service."""
    return [
        {
            "address": str(one.address),
            "service": str(service),
            "nodes": list(one.nodes),
            "reasons": dict(one.reasons),
        }
        for one in planned
        for service in one.services
    ]


def session_row(session: Session) -> Row:
    """One session."""
    return {"peer": str(session.peer.address), "node": session.node}


def written_range(one: AddressRange) -> str:
    """As people write it: a prefix where it is one, else its ends."""
    networks = list(summarize_address_range(one.first, one.last)) if _is_aligned(one) else []
    return str(networks[0]) if len(networks) == 1 else str(one)


def _is_aligned(one: AddressRange) -> bool:
    """Whether it could be one prefix: as many addresses as a power of two, and it begins at a multiple."""
    return one.count & (one.count - 1) == 0 and int(one.first) % one.count == 0


def _route(route: Route) -> Row:
    return {
        "peer": str(route.peer.address),
        "node": route.node,
        "prefix": str(route.prefix),
        "local_pref": route.local_preference,
        "communities": list(route.communities),
        "large_communities": list(route.large_communities),
        "services": [str(key) for key in route.services],
    }


def _pool_use(pool: PlannedPool) -> Row:
    return {"name": pool.name, "total": pool.total, "used": pool.used}


def _loss(loss: Loss) -> Row:
    return {
        "service": str(loss.service),
        "addresses": [str(address) for address in loss.addresses],
        "reason": loss.reason.word.value,
        "message": loss.reason.message,
    }


def _configuration(configuration: Configuration) -> Row:
    return {
        "pools": [_pool(pool) for pool in configuration.pools],
        "peers": [_peer(peer) for peer in configuration.peers],
    }


def _pool(pool: Pool) -> Row:
    return {
        "name": pool.name,
        "protocol": pool.protocol.value,
        "addresses": [written_range(one) for one in pool.ranges],
        "auto_assign": pool.auto_assign,
        "avoid_buggy_ips": pool.avoid_buggy_ips,
        "bgp_advertisements": [
            {
                "aggregation_length": one.aggregation_length,
                "aggregation_length_v6": one.aggregation_length_v6,
                "localpref": one.local_preference,
                "communities": list(one.communities),
            }
            for one in pool.advertisements
        ],
    }


def _peer(peer: Peer) -> Row:
    return {
        "name": peer.name,
        "my_asn": peer.my_asn,
        "peer_asn": peer.peer_asn,
        "address": str(peer.address),
        "port": peer.port,
        "hold_time": peer.hold_time_s,
        "router_id": str(peer.router_id) if peer.router_id else None,
        "source_address": str(peer.source_address) if peer.source_address else None,
        "ebgp_multihop": peer.ebgp_multihop,
    }
