"""What is wrong with the announcing of an address: on the link, and with routers.

In the order of causes: first what keeps every node from it, then that nobody does it, then who gets in the
way. What nobody said is no fault here (`bareway.decide.answers.why.conclusion` says that it is not known).
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from bareway.decide.announcement.announcers import Refusal
from bareway.decide.answers.strangers import STRANGERS
from bareway.decide.answers.why.chain import (
    AddressAnswer,
    BgpAnswer,
    BgpNodeAnswer,
    Layer2Answer,
    NodeAnswer,
    RouterAnswer,
    StrangerAnswer,
    WhyReason,
)
from bareway.decide.answers.why.remedies import remedy_of
from bareway.decide.answers.why.sentences import enumerated, finding, meaning
from bareway.decide.answers.why.told import GONE
from bareway.decide.routing.sessions import SessionRefusal
from bareway.gossip.findings import FindingWord
from bareway.model.answers import Finding, Gravity

UNREACHED: Final = "nobody reaches the address"
NOT_DECISIVE: Final = frozenset({WhyReason.NOT_ASKED, Refusal.NOT_OWNER, ""})
"""What explains nothing where nobody announces."""
SESSION_WAITS: Final = frozenset({WhyReason.ROUTE_WAITS, ""})


def of_link(
    one: AddressAnswer, link: Layer2Answer, *, serving: frozenset[str] = frozenset()
) -> Iterator[Finding]:
    """What is wrong with an address of a layer2 pool; ``serving`` nodes have endpoints of a policy Local."""
    if link.word:
        yield _withheld(one, link.word, link.sentence)
        return
    announcing = [row for row in link.nodes if row.announces]
    if len(announcing) > 1:
        yield _doubled(one, announcing)
    elif not link.holder:
        yield from _nobody(one, link, serving)
    for row in announcing:
        yield from _of_holder(one, link, row)
    for stranger in link.strangers:
        if stranger.word in STRANGERS:
            yield _stranger(one, stranger)


def of_routes(one: AddressAnswer, bgp: BgpAnswer) -> Iterator[Finding]:
    """What is wrong with an address of a bgp pool."""
    if not bgp.has_routers:
        yield _finding(
            one,
            WhyReason.NO_ROUTER,
            f"{one.address} is in a pool for BGP, and no peer is configured",
            UNREACHED,
        )
        return
    announcing = [row for row in bgp.nodes if row.announces]
    if not announcing:
        yield from _unrouted(one, bgp.nodes)
        return
    meant = [(row, router) for row in announcing for router in row.routers if router.is_meant]
    if not meant and any(row.is_told or row.routers for row in announcing):
        yield _no_session(one, announcing)
        return
    has_one = any(router.has_route for _, router in meant)
    yield from _sessions(one, meant, has_one=has_one)


def _finding(
    one: AddressAnswer,
    word: str,
    evidence: str,
    consequence: str,
    *,
    gravity: Gravity = Gravity.BROKEN,
    subject: str = "",
    node: str = "",
    mac: str = "",
    routers: str = "",
) -> Finding:
    remedy = remedy_of(
        word,
        service=next(iter(one.services), ""),
        pool=one.pool,
        address=one.address,
        node=node,
        mac=mac,
        routers=routers,
    )
    return finding(
        word=word,
        gravity=gravity,
        subject=subject or one.address,
        evidence=evidence,
        consequence=consequence,
        remedy=remedy,
    )


def _withheld(one: AddressAnswer, word: str, sentence: str) -> Finding:
    services = enumerated(one.services) or "a Service"
    return _finding(
        one, word, f"{one.address} of {services} is announced by no node: {_lower(sentence)}", UNREACHED
    )


def _nobody(one: AddressAnswer, link: Layer2Answer, serving: frozenset[str]) -> Iterator[Finding]:
    """No node holds it, as far as anybody said."""
    decisive = [row for row in link.nodes if row.word not in NOT_DECISIVE]
    can = [row for row in link.nodes if row.may and row not in decisive]
    if not can and decisive:
        # Where all who may are gone, that is the reason, however many others may not.
        # Else those that have endpoints of a Service of policy Local: the others could not serve it anyway.
        free = [row for row in decisive if row.may]
        named = free if all(row.state in GONE for row in free) and free else decisive
        named = [row for row in named if row.node in serving] or named
        yield _decided(one, [(row.node, row.word, row.sentence) for row in named], len(link.nodes))
    elif not link.nodes:
        yield _finding(
            one, WhyReason.NO_SPEAKER, f"No node announces {one.address}: there is none", UNREACHED
        )
    elif any(row.is_told for row in link.nodes) and all(map(_is_settled, link.nodes)):
        evidence = f"No node holds the claim of {one.address}, though {_nodes(can)} may"
        yield _finding(one, WhyReason.NO_CLAIM, evidence, UNREACHED)


def _is_settled(row: NodeAnswer) -> bool:
    """Whether it is sure that the node does not announce it."""
    return row.is_told or not row.may or row.state in GONE


def _decided(one: AddressAnswer, said: list[tuple[str, str, str]], every: int) -> Finding:
    """Each node has its word: the one that most of them have is the reason."""
    counts = Counter(word for _, word, _ in said)
    word = min(counts, key=lambda found: (-counts[found], found))
    nodes = tuple(node for node, found, _ in said if found == word)
    sentence = next(sentence for _, found, sentence in said if found == word)
    who = "every node" if len(nodes) == every else enumerated(nodes)
    evidence = f"No node announces {one.address}: of {who}, {_lower(sentence) or word}"
    return _finding(one, word, evidence, UNREACHED, node=nodes[0])


def _doubled(one: AddressAnswer, announcing: Iterable[NodeAnswer]) -> Finding:
    nodes = tuple(row.node for row in announcing)
    return _finding(
        one,
        FindingWord.DOUBLE_ANNOUNCER,
        f"Nodes {enumerated(nodes)} announce {one.address} at the same time",
        STRANGERS[FindingWord.DOUBLE_ANNOUNCER].consequence,
    )


def _of_holder(one: AddressAnswer, link: Layer2Answer, row: NodeAnswer) -> Iterator[Finding]:
    if row.has_no_link:
        yield _finding(
            one,
            Refusal.NO_ALLOWED_LINK,
            f"Node {row.node} has {one.address} and may announce it on none of its links",
            UNREACHED,
            node=row.node,
        )
    if row.leaves_out and row.node == link.holder:
        yield _finding(
            one,
            Refusal.SHARED_LOCAL_PARTIAL,
            f"Node {row.node} has {one.address} and no endpoint of {enumerated(row.leaves_out)}",
            "these Services of policy Local are not reached",
            node=row.node,
        )


def _stranger(one: AddressAnswer, stranger: StrangerAnswer) -> Finding:
    known = STRANGERS[stranger.word]
    who = f"node {stranger.node}" if stranger.node else f"a station that is no node of ours ({stranger.mac})"
    if stranger.word != FindingWord.STRICT_ARP_MISSING:
        who = who[0].upper() + who[1:]
    return _finding(
        one,
        stranger.word,
        known.evidence.format(who=who, address=one.address),
        known.consequence.format(address=one.address),
        gravity=known.gravity,
        node=stranger.node,
        mac=stranger.mac,
    )


def _unrouted(one: AddressAnswer, nodes: Iterable[BgpNodeAnswer]) -> Iterator[Finding]:
    rows = tuple(nodes)
    if rows and all(map(_is_for_no_router, rows)):
        yield _no_session(one, rows)
        return
    said = [(row.node, row.word, row.sentence) for row in rows if row.word not in NOT_DECISIVE]
    if said and len(said) == len(rows):
        yield _decided(one, said, len(rows))


def _is_for_no_router(row: BgpNodeAnswer) -> bool:
    """Whether it announces nothing because every peer leaves the node out: no selector of a pool does."""
    return (
        row.word == Refusal.NO_MATCHING_ADVERTISEMENT
        and bool(row.routers)
        and all(router.word == SessionRefusal.NODE_NOT_SELECTED for router in row.routers)
    )


def _no_session(one: AddressAnswer, announcing: Sequence[BgpNodeAnswer]) -> Finding:
    """Nodes announce it, and no router is meant to hear of it from any of them."""
    said = [router.word for row in announcing for router in row.routers if router.word]
    word = said[0] if said and all(said) else Refusal.NO_MATCHING_ADVERTISEMENT
    if word == SessionRefusal.NODE_NOT_SELECTED:
        evidence = f"No peer selects a node that announces {one.address}"
    else:
        evidence = f"No advertisement sends {one.address} to a router that the nodes have a session with"
    return _finding(one, word, evidence, UNREACHED)


def _sessions(
    one: AddressAnswer, meant: list[tuple[BgpNodeAnswer, RouterAnswer]], *, has_one: bool
) -> Iterator[Finding]:
    """Routers that lack the route: one finding for each router and word, with the nodes."""
    lacking: dict[tuple[str, str], list[tuple[BgpNodeAnswer, RouterAnswer]]] = {}
    for row, router in meant:
        if router.word not in SESSION_WAITS and router.word != SessionRefusal.NODE_NOT_SELECTED:
            lacking.setdefault((router.name, router.word), []).append((row, router))
    for (name, word), found in sorted(lacking.items()):
        _, router = found[0]
        nodes = enumerated(tuple(row.node for row, _ in found))
        is_sure = word != WhyReason.ROUTE_HELD_BACK
        what = "has no" if is_sure else "may lack the"
        lost = UNREACHED if is_sure else "clients may not reach the address by that router"
        yield _finding(
            one,
            word,
            f"Router {name} ({router.address}) {what} route to {one.address} from {nodes}:"
            f" {_lower(router.sentence or meaning(word))}",
            "other sessions carry the traffic" if has_one else lost,
            gravity=Gravity.BROKEN if is_sure and not has_one else Gravity.AT_RISK,
            subject=f"router {name}",
            routers=f"{name} ({router.address})",
        )


def _nodes(rows: Iterable[NodeAnswer]) -> str:
    return enumerated(tuple(row.node for row in rows))


def _lower(sentence: str) -> str:
    """As the second half of a sentence."""
    return (sentence[:1].lower() + sentence[1:]).rstrip(".")
