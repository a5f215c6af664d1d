"""Interfaces: none that can be used, one without a cable, one that hears no broadcasts or drops them."""

from collections.abc import Iterator
from typing import Final

from bareway.decide.announcement.announcers import Refusal
from bareway.decide.announcement.interfaces import allows
from bareway.decide.answers.checks.ailments import Ailment
from bareway.decide.answers.checks.pools import networks, within
from bareway.decide.answers.checks.view import DoctorView, some
from bareway.model.answers import Finding, Gravity
from bareway.model.surroundings import LinkFacts, NodeFacts

IPV4: Final = 4
STRICT: Final = 1
"""Of rp_filter: a packet is dropped unless the way back to its sender leaves by the same interface."""


def check(view: DoctorView) -> Iterator[Finding]:
    """For layer 2 alone: BGP uses whatever routes the node has."""
    if view.needs_layer2:
        yield from _unusable(view)
    for _, facts in sorted(view.surroundings.nodes.items()):
        for link in facts.links:
            if _is_in_a_pool(view, link):
                yield from _unplugged(view, facts, link)
                yield from _deaf(facts, link)
                yield from _strict(facts, link)


def _is_in_a_pool(view: DoctorView, link: LinkFacts) -> bool:
    subnets = [network for network in networks(link.subnets) if network.version == IPV4]
    pools = (pool for pool in view.layer2_pools if allows(pool, link.name))
    return link.is_up and bool(subnets) and any(within(pool, subnets) for pool in pools)


def _unusable(view: DoctorView) -> Iterator[Finding]:
    speakers = view.cluster.speakers
    without = {
        name: one for name, one in speakers.items() if one.links and all(link.reason for link in one.links)
    }
    for name, speaker in sorted(without.items()):
        reasons = some([f"{link.name} ({link.reason})" for link in speaker.links])
        yield Finding(
            word=Refusal.NO_USABLE_LINK,
            gravity=Gravity.BROKEN if len(without) == len(speakers) else Gravity.AT_RISK,
            subject=f"node {name}",
            evidence=f"Nothing is announced on any of its interfaces: {reasons}.",
            consequence="The node announces nothing by layer 2.",
            remedy="Bring an Ethernet interface up that is in the pool's network: on the node, ip link set"
            " dev"
            " NAME up; NoCarrier means that its cable or its switch port is dead.",
        )


def _unplugged(view: DoctorView, facts: NodeFacts, link: LinkFacts) -> Iterator[Finding]:
    """One of those that a node uses; of a node that has no other more is said already."""
    speaker = view.cluster.speakers.get(facts.node)
    reasons = {one.name: one.reason for one in speaker.links} if speaker is not None else {}
    if reasons.get(link.name) == Ailment.NO_CARRIER and not all(reasons.values()):
        yield Finding(
            word=Ailment.NO_CARRIER,
            gravity=Gravity.AT_RISK,
            subject=f"node {facts.node}",
            evidence=f"Its interface {link.name} is in a pool's subnet and switched on, and there is no"
            " signal.",
            consequence="Nobody in that subnet reaches this node there: it can announce no address of the"
            " pool that anybody hears.",
            remedy=f"Plug the cable of {link.name} in again, or switch its port at the switch on; on the"
            f" node, ip link show dev {link.name} then says LOWER_UP.",
        )


def _deaf(facts: NodeFacts, link: LinkFacts) -> Iterator[Finding]:
    if link.is_ethernet and not link.hears_broadcasts:
        yield Finding(
            word=Ailment.DEAF_INTERFACE,
            gravity=Gravity.AT_RISK,
            subject=f"node {facts.node}",
            evidence=f"Its interface {link.name} is in a pool's subnet and has the flag NOARP, or not"
            " BROADCAST.",
            consequence="It hears no question for an address, so nobody reaches what this node announces"
            " there.",
            remedy=f"On the node: ip link set dev {link.name} arp on; an interface without BROADCAST needs"
            " another type.",
        )


def _strict(facts: NodeFacts, link: LinkFacts) -> Iterator[Finding]:
    elsewhere = [one.name for one in facts.links if one.has_default_route and one.name != link.name]
    if link.rp_filter == STRICT and elsewhere and not link.has_default_route:
        yield Finding(
            word=Ailment.REVERSE_PATH_FILTER,
            gravity=Gravity.AT_RISK,
            subject=f"node {facts.node}",
            evidence=f"Its interface {link.name} is in a pool's subnet with rp_filter 1 (strict), and the"
            " default route"
            " leaves"
            f" by {some([str(name) for name in elsewhere])}.",
            consequence="Packets of clients behind a router that come in there are dropped: the way back to"
            " them"
            " leaves by another interface.",
            remedy=f"On the node: sysctl -w net.ipv4.conf.{link.name}.rp_filter=2, and the same in"
            " /etc/sysctl.d so that it stays.",
        )
