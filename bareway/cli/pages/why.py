"""A chain as a page: a block for each link of it, then what is wrong, and at the end one sentence."""

from collections.abc import Iterator

from bareway.cli.pages.findings import MOODS, unknown_block
from bareway.cli.pages.shapes import Block, Cell, Column, Lines, Mood, Page, Table, columns
from bareway.cli.pages.table import span
from bareway.decide.answers.why.answer import page_of
from bareway.decide.answers.why.chain import (
    AddressAnswer,
    BgpAnswer,
    BgpNodeAnswer,
    EndpointsAnswer,
    Layer2Answer,
    NodeAnswer,
    Outcome,
    RouterAnswer,
    ServiceAnswer,
    Why,
)
from bareway.decide.answers.why.sentences import enumerated

POOLS = (
    *columns("POOL", "WHY NOT"),
    Column("PROTOCOL", wide=True),
    Column("USED", right=True),
    Column("MEANS", wide=True),
)
NODES = (
    *columns("NODE", "ANNOUNCES", "WHY NOT", "ON", "TOLD", "ANSWERED"),
    Column("HELD", wide=True),
    Column("MEANS", wide=True),
)
ROUTERS = (*columns("NODE", "ROUTER", "HAS ROUTE", "SESSION", "WHY NOT"), Column("MEANS", wide=True))
STRANGERS = (*columns("FOUND ON THE LINK", "STATION", "NODE"), Column("FOUND BY", wide=True))
GOOD = {Outcome.SERVED: Mood.GOOD, Outcome.WRONG: Mood.BAD, Outcome.UNKNOWN: Mood.ODD}
YES, NO, UNKNOWN = "yes", "no", "?"


def why_page(found: Why, unasked: int = 0) -> Page:
    """In every form; ``unasked`` speakers were left out."""
    return Page(blocks=tuple(_blocks(found, unasked)), data=page_of(found))


def _blocks(found: Why, unasked: int) -> Iterator[Block]:
    for service in found.services:
        yield Lines(lines=tuple(_service(service)))
        if service.pools:
            yield Table(columns=POOLS, rows=tuple(_pools(service)))
    if found.services or found.addresses:
        yield Lines(lines=tuple(_configuration(found)))
    for address in found.addresses:
        yield Lines(lines=tuple(_address(address, found)))
        if address.layer2 is not None:
            yield from _on_link(address.layer2)
        if address.bgp is not None:
            yield from _by_routes(address.bgp)
    if unasked:
        yield Lines(lines=(f"{unasked} more speakers were not asked; --all asks every one.",))
    yield from unknown_block(found.unknown)
    yield Lines(lines=tuple(_end(found)))


def _service(one: ServiceAnswer) -> Iterator[Cell | str]:
    yield Cell(f"Service {one.service}", Mood.TITLE)
    kind = "LoadBalancer" if one.is_load_balancer else "not LoadBalancer"
    ours = "ours" if one.is_ours else "not ours"
    yield f"  type: {kind}, class {one.load_balancer_class or 'none'}: {ours}"
    yield f"  asks for: {_asked(one)}"
    yield f"  has: {', '.join(one.shows) or 'no address'}"
    if one.from_pools:
        shared = f", shared with {enumerated(one.shares_with)}" if one.shares_with else ""
        yield f"  gets: {', '.join(one.granted)} from pool {', '.join(dict.fromkeys(one.from_pools))}{shared}"
    if one.word:
        yield Cell(f"  gets none: {one.word}: {one.sentence}", Mood.BAD)
    for no in one.why_not:
        yield f"  not {no.subject or 'all'}: {no.word}: {no.sentence}"
    for no in one.loses:
        yield Cell(f"  loses {no.subject}: {no.word}: {no.sentence}", Mood.BAD)
    yield f"  endpoints: {_endpoints(one.endpoints)}"


def _asked(one: ServiceAnswer) -> str:
    parts = [" and ".join(one.asks_for) or "any address"]
    parts += [f"pool {one.asks_pool}"] if one.asks_pool else []
    parts += [" and ".join(f"IPv{family}" for family in one.families)] if one.families else []
    parts += [f"sharing key {one.sharing_key}"] if one.sharing_key else []
    return ", ".join([*parts, f"policy {one.traffic_policy}"])


def _endpoints(one: EndpointsAnswer) -> str:
    if not one.is_known:
        return "not known"
    if not one.serving:
        return "none serves"
    nodes = tuple(f"{node or 'no node'} ({count})" for node, count in one.nodes.items())
    return f"{one.serving} serve, on {enumerated(nodes)}"


def _pools(one: ServiceAnswer) -> Iterator[tuple[Cell | str, ...]]:
    for pool in one.pools:
        why = Cell("gives", Mood.GOOD) if pool.gives else Cell(pool.word, Mood.ODD)
        yield pool.name, why, pool.protocol, f"{pool.used} of {pool.total}", pool.sentence


def _configuration(found: Why) -> Iterator[Cell | str]:
    one = found.configuration
    if not one.is_known:
        yield "configuration: not known"
    elif not one.is_in_force:
        yield Cell("configuration: none in force", Mood.BAD)
    else:
        yield f"configuration: generation {one.generation} from {one.source}"
    for mistake in one.mistakes:
        yield Cell(f"  refused: {mistake}", Mood.BAD)
    if found.leadership.is_known:
        leader = found.leadership.leader.partition("_")[0]  # its Pod; what follows tells two lives apart
        yield f"controller: {leader} leads" if leader else Cell("controller: none leads", Mood.BAD)


def _address(one: AddressAnswer, found: Why) -> Iterator[Cell | str]:
    yield Cell(f"Address {one.address}", Mood.TITLE)
    yield f"  pool: {one.pool or ('none' if found.configuration.is_known else 'not known')}"
    yield f"  Services: {enumerated(one.services) or ('none' if found.are_services_known else 'none known')}"
    if one.reserved_for:
        yield f"  reserved for: {enumerated(one.reserved_for)}"
    if one.waits_for:
        yield f"  waits for: {one.waits_for}, {span(one.hold_s)} more"
    if one.quarantine_s:
        yield f"  in quarantine: {span(one.quarantine_s)} more"
    if one.layer2 is not None:
        yield from _link(one.layer2)


def _link(one: Layer2Answer) -> Iterator[Cell | str]:
    if len(one.together) > 1:
        yield f"  announced together: {', '.join(one.together)}"
    listed = f"{', '.join(one.listed)}, generation {one.generation}" if one.listed else "none"
    yield f"  announcer list: {listed}"
    if one.word:
        yield Cell(f"  announced by nobody: {one.word}: {one.sentence}", Mood.BAD)
    elif one.holder:
        yield f"  announced by: {one.holder} (told by {one.told_by})"
    else:
        yield Cell("  announced by: nobody known", Mood.ODD)


def _on_link(one: Layer2Answer) -> Iterator[Block]:
    if one.nodes:
        yield Table(columns=NODES, rows=tuple(map(_node, one.nodes)))
    if one.strangers:
        rows = tuple(
            (Cell(stranger.word, Mood.BAD), stranger.mac, stranger.node, stranger.found_by)
            for stranger in one.strangers
        )
        yield Table(columns=STRANGERS, rows=rows)


def _node(row: NodeAnswer) -> tuple[Cell | str, ...]:
    return (
        row.node,
        _answer(row.announces),
        row.word,
        ",".join(row.links),
        _ago(row.last_unsolicited_s),
        _ago(row.last_answer_s) or ("never" if row.announces and row.is_told else ""),
        row.state,
        row.sentence,
    )


def _by_routes(one: BgpAnswer) -> Iterator[Block]:
    rows = [row for node in one.nodes for row in _routers(node)]
    if rows:
        yield Table(columns=ROUTERS, rows=tuple(rows))


def _routers(node: BgpNodeAnswer) -> Iterator[tuple[Cell | str, ...]]:
    if not node.announces or not node.routers:
        announces = Cell(node.word, Mood.ODD)
        yield node.node, "", _answer(node.announces), "", announces, node.sentence
        return
    for router in node.routers:
        yield _router(node.node, router)


def _router(node: str, router: RouterAnswer) -> tuple[Cell | str, ...]:
    session = f"{router.state} {span(router.up_s)}" if router.up_s else router.state
    word = router.word if router.is_meant or router.word else "not meant for it"
    return node, router.name, _answer(router.has_route), session, word, router.sentence


def _answer(value: bool | None) -> Cell:  # noqa: FBT001 - a fact
    if value is None:
        return Cell(UNKNOWN, Mood.ODD)
    return Cell(YES, Mood.GOOD) if value else Cell(NO, Mood.FAINT)


def _ago(seconds: float | None) -> str:
    return "" if seconds is None else f"{span(seconds)} ago"


def _end(found: Why) -> Iterator[Cell | str]:
    """What else is wrong, then the sentence, and what to do about it."""
    first, *others = found.findings or (None,)
    for one in others:
        if one is not None:
            yield Cell(f"besides: {one.word}: {one.evidence}", MOODS[one.gravity])
            yield f"  To do: {one.remedy}"
    word = f"{found.word}: " if found.word else ""
    yield Cell(f"{word}{found.sentence}", GOOD[found.outcome])
    if first is not None:
        yield f"What follows: {first.consequence}"
        yield f"To do: {first.remedy}"
