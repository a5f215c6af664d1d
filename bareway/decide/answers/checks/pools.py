"""Pools: in no node's subnet, holding what is somebody's already, for no node at all, nearly full."""

from collections.abc import Iterable, Iterator
from ipaddress import ip_network
from typing import Final

from bareway.decide.announcement.announcers import Refusal
from bareway.decide.announcement.interfaces import allows
from bareway.decide.answers.checks.ailments import Ailment
from bareway.decide.answers.checks.view import DoctorView, some
from bareway.model.addresses import AddressRange
from bareway.model.answers import Finding, Gravity
from bareway.model.configuration import Pool
from bareway.model.names import IPAddress, IPNetwork, NodeName
from bareway.model.selectors import any_matches
from bareway.model.status import PoolStatus

NEARLY_FULL: Final = 0.9
FEW: Final = 1
"""A pool of one address is made for one Service: in use is what it should be."""
GUESSED_LENGTHS: Final = {4: 16, 6: 48}
"""Without speakers the subnets of nodes are not known: an address so far from all of theirs is in none."""


def check(view: DoctorView) -> Iterator[Finding]:
    """Whatever is known of the configuration in force."""
    for pool in view.cluster.configuration.pools if view.cluster.configuration is not None else ():
        yield from _taken(view, pool)
    for pool in view.layer2_pools:
        yield from _outside(view, pool)
        yield from _nowhere(view, pool)
    yield from _full(view)


def within(pool: Pool, known: Iterable[IPNetwork]) -> bool:
    """Whether some address of ``pool`` is in one of them."""
    spans = tuple(AddressRange(network[0], network[-1]) for network in known)
    return any(each.overlaps(span) for each in pool.ranges for span in spans)


def networks(texts: Iterable[str]) -> tuple[IPNetwork, ...]:
    """Those that can be read, each once, in a stable order."""
    return tuple(sorted({net for text in texts if (net := _network(text)) is not None}, key=str))


def _network(text: str) -> IPNetwork | None:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


def _subnets(view: DoctorView) -> tuple[IPNetwork, ...]:
    """Those of the links that speakers use, and those that the nodes' kernels have on any link."""
    used = {text for one in view.cluster.speakers.values() for link in one.links for text in link.subnets}
    had = {text for one in view.surroundings.nodes.values() for link in one.links for text in link.subnets}
    return networks(used | had)


def _outside(view: DoctorView, pool: Pool) -> Iterator[Finding]:
    known = _subnets(view)
    is_guess = not known
    if is_guess:
        addresses = (address for node in view.cluster.nodes for address in node.addresses)
        known = tuple(
            sorted(
                {ip_network(f"{it}/{GUESSED_LENGTHS[it.version]}", strict=False) for it in addresses}, key=str
            )
        )
    versions = {each.version for each in pool.ranges} & {net.version for net in known}
    if not versions or within(pool, known):
        return
    shown = some([str(net) for net in known if net.version in versions])
    yield Finding(
        word=Ailment.POOL_OUTSIDE_SUBNETS,
        gravity=Gravity.ODD if is_guess else Gravity.AT_RISK,
        subject=f"pool {pool.name}",
        evidence=f"It has {some([str(each) for each in pool.ranges])}; the nodes have addresses in {shown}"
        + (" or near (their subnets are known once speakers run)." if is_guess else "."),
        consequence="Machines in the nodes' subnets do not ask the link for these addresses: they are reached"
        " only where a router has a route to them onto this link.",
        remedy="Give the pool addresses of a subnet that the nodes are in, give the nodes an address in the"
        " pool's subnet, or announce the pool by BGP.",
    )


def _nowhere(view: DoctorView, pool: Pool) -> Iterator[Finding]:
    """Its selectors or its list of interfaces leave nobody."""
    nodes = view.cluster.nodes
    selected = [node for node in nodes if any_matches(pool.node_selectors, node.labels)]
    if nodes and pool.node_selectors and not selected:
        yield _nobody(pool, Refusal.NO_MATCHING_ADVERTISEMENT, "Its node-selectors match no Node.")
        return
    links = {link.name for one in view.cluster.speakers.values() for link in one.links if not link.reason}
    if links and not any(allows(pool, link) for link in links):
        told = f"Under interfaces it lists {some([*pool.interfaces])}; nodes use {some(sorted(links))}."
        yield _nobody(pool, Refusal.NO_ALLOWED_LINK, told)


def _nobody(pool: Pool, word: Refusal, evidence: str) -> Finding:
    return Finding(
        word=word,
        gravity=Gravity.BROKEN,
        subject=f"pool {pool.name}",
        evidence=evidence,
        consequence="No node announces any address of this pool.",
        remedy="Correct the pool in the ConfigMap, or label a Node so that it is selected;"
        " bareway plan -f FILE shows who would announce.",
    )


def _taken(view: DoctorView, pool: Pool) -> Iterator[Finding]:
    nodes: dict[IPAddress, NodeName] = {it: node.name for node in view.cluster.nodes for it in node.addresses}
    held = sorted(f"{it} ({name})" for it, name in nodes.items() if any(it in each for each in pool.ranges))
    if held:
        yield _holds(pool, Ailment.POOL_HOLDS_NODE_ADDRESS, f"It holds addresses of Nodes: {some(held)}.")
    used = {it for one in view.cluster.services.values() for it in one.cluster_addresses}
    clash = sorted(str(it) for it in used if any(it in each for each in pool.ranges))
    if clash:
        told = f"It holds clusterIPs of Services: {some(clash)}."
        yield _holds(pool, Ailment.POOL_HOLDS_CLUSTER_ADDRESS, told)


def _holds(pool: Pool, word: Ailment, evidence: str) -> Finding:
    return Finding(
        word=word,
        gravity=Gravity.AT_RISK,
        subject=f"pool {pool.name}",
        evidence=evidence,
        consequence="A Service may be given an address that something else has: neither is then reached"
        " reliably.",
        remedy="Take these addresses out of the pool: write it as ranges around them.",
    )


def _full(view: DoctorView) -> Iterator[Finding]:
    """By the controller that leads, else by any."""
    controllers = sorted(view.cluster.controllers, key=lambda one: (not one.leads, one.identity))
    told = next((one.pools for one in controllers if one.pools), ())
    for pool in told:
        for family, used, total in _by_family(pool):
            if total > FEW and used >= total * NEARLY_FULL:
                yield Finding(
                    word=Ailment.POOL_NEARLY_FULL,
                    gravity=Gravity.AT_RISK,
                    subject=f"pool {pool.name}",
                    evidence=f"{used} of its {total} {family} addresses are in use.",
                    consequence="Once none is left, new Services wait with the word PoolExhausted.",
                    remedy="Give it another range, add a pool, or delete Services that are not needed.",
                )


def _by_family(pool: PoolStatus) -> Iterator[tuple[str, int, int]]:
    yield "IPv4", pool.used - pool.used_ipv6, pool.total - pool.total_ipv6
    yield "IPv6", pool.used_ipv6, pool.total_ipv6
