"""Where the operator wants a Service announced: the annotation ``bareway.io/announce-from: <node>``.

It holds as long as it stands there: above preferred nodes, below what keeps a node from serving well (drain,
fewer of a shared address's Services, no address in the subnet). Only the controller reads it.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

from bareway.decide.announcement.announcers import Group
from bareway.decide.announcement.members import Fields, Member
from bareway.model.names import IPAddress, NodeName, ServiceKey
from bareway.model.services import Service

ANNOUNCE_FROM: Final = "bareway.io/announce-from"


class MoveRefusal(StrEnum):
    """Why a Service is not announced from the node that the operator named."""

    NO_SUCH_MEMBER = "NoSuchMember"
    NOT_ALIVE = "NotAlive"
    NOT_ELIGIBLE = "NotEligible"
    DRAINING = "Draining"
    NOT_PERMITTED = "NotPermitted"
    """The pool's node selectors leave it out, or nothing serves the Service there."""
    NO_ALLOWED_LINK = "NoAllowedLink"
    """It has none of the links that the pool lists under ``interfaces``."""
    SERVES_FEWER = "ServesFewer"
    """Others serve more of the Services that share the address."""
    OFF_SUBNET = "OffSubnet"
    """Others have an address in the subnet, and it has not."""
    OTHER_NODE_NAMED = "OtherNodeNamed"
    """Another Service of the same address, earlier by name, names another node."""


def announce_from(services: Iterable[Service]) -> dict[ServiceKey, NodeName]:
    """Which Services name a node."""
    return {
        service.key: NodeName(name)
        for service in services
        if (name := service.annotations.get(ANNOUNCE_FROM, "").strip())
    }


def named_for(group: Group, named: Mapping[ServiceKey, NodeName]) -> NodeName | None:
    """The node that the group shall be announced from: the first Service by name decides for all."""
    return next((named[key] for key in group.services if key in named), None) if named else None


def refusals(
    groups: Mapping[IPAddress, Group],
    named: Mapping[ServiceKey, NodeName],
    members: Mapping[NodeName, Member],
    fields: Fields,
) -> dict[ServiceKey, MoveRefusal]:
    """Why a Service that names a node is not announced from it."""
    if not named:
        return {}
    return {
        key: why
        for group in groups.values()
        for key in group.services
        if key in named
        and (why := _refusal(group, named[key], named_for(group, named), members, fields)) is not None
    }


def _refusal(
    group: Group,
    node: NodeName,
    decisive: NodeName | None,
    members: Mapping[NodeName, Member],
    fields: Fields,
) -> MoveRefusal | None:
    member = members.get(node)
    if member is None:
        return MoveRefusal.NO_SUCH_MEMBER
    if node != decisive:
        return MoveRefusal.OTHER_NODE_NAMED
    if node in fields.of(group, node).best:
        return None
    tiers = group.tiers
    serves_fewer = tiers is not None and any(node in tier for tier in tiers[1:])
    doubts = (
        (not member.alive, MoveRefusal.NOT_ALIVE),
        (not member.eligible, MoveRefusal.NOT_ELIGIBLE),
        (not serves_fewer and group.why_not(node) is not None, MoveRefusal.NOT_PERMITTED),
        (not member.may_announce(group), MoveRefusal.NO_ALLOWED_LINK),
        (member.draining, MoveRefusal.DRAINING),
        (serves_fewer, MoveRefusal.SERVES_FEWER),
    )
    return next((why for applies, why in doubts if applies), MoveRefusal.OFF_SUBNET)
