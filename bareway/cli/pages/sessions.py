"""Sessions with routers over all nodes: one table, and where nodes tell a router different routes."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from bareway.cli.pages.bgp import HEAD, session_row, wrong_block
from bareway.cli.pages.findings import absent_block, is_absent, unasked_block, unknown_block
from bareway.cli.pages.output import versioned
from bareway.cli.pages.shapes import Block, Column, Lines, Page, Table, columns
from bareway.cli.verb import ExitCode
from bareway.decide.answers.wrong import UP, wrong_in_peers
from bareway.model.cluster import Cluster
from bareway.model.names import NodeName
from bareway.model.plain import plain
from bareway.model.status import SpeakerStatus

NODES_NAMED = 3
SHOWN = len(HEAD) - 2
"""Columns of HEAD that fit beside the node's; what is owed and the digest come with ``-o wide``."""
NO_SPEAKER = "No speaker answered."
NO_ROUTERS = "There are no routers: none is configured."


def only(status: SpeakerStatus, routers: Collection[str]) -> SpeakerStatus:
    """The same with these routers alone, by name or address; all if none is named."""
    if not routers:
        return status
    chosen = tuple(one for one in status.peers if one.name in routers or str(one.address) in routers)
    return replace(status, peers=chosen)


def strangers(speakers: Iterable[SpeakerStatus], routers: Collection[str]) -> tuple[str, ...]:
    """Those of ``routers`` that no speaker knows."""
    known = {name for one in speakers for peer in one.peers for name in (peer.name, str(peer.address))}
    return tuple(sorted(set(routers) - known))


def everywhere(
    cluster: Cluster, namespace: str, routers: Collection[str] = (), nodes: Collection[NodeName] = ()
) -> tuple[Page, ExitCode] | str:
    """What is shown of these routers on these nodes, or of all; a sentence if none is known."""
    if is_absent(cluster):
        return Page(blocks=absent_block(namespace), data=_data((), (), cluster)), ExitCode.SOMETHING_WRONG
    missing = sorted(set(nodes) - set(cluster.speakers))
    if missing and not cluster.unknown:
        return f"no speaker runs on {', '.join(missing)}"
    unknown = strangers(cluster.speakers.values(), routers)
    if unknown and not cluster.unknown:
        return f"no speaker knows a router {', '.join(unknown)}"
    speakers = [
        only(cluster.speakers[node], routers)
        for node in sorted(cluster.speakers)
        if not nodes or node in nodes
    ]
    wrong = [sentence for one in speakers for sentence in wrong_in_peers(one)]
    page = _page(speakers, wrong, cluster)
    if wrong:
        return page, ExitCode.SOMETHING_WRONG
    is_complete = bool(speakers) and not cluster.unknown
    return page, ExitCode.WELL if is_complete else ExitCode.COULD_NOT_TELL


def _page(speakers: Sequence[SpeakerStatus], wrong: Sequence[str], cluster: Cluster) -> Page:
    blocks = (
        *wrong_block(wrong),
        *_sessions(speakers),
        *_leaving(speakers),
        *_differing(speakers),
        *unasked_block(cluster),
        *unknown_block(cluster.unknown),
    )
    return Page(blocks=blocks, data=lambda: _data(speakers, wrong, cluster))


def _data(speakers: Sequence[SpeakerStatus], wrong: Sequence[str], cluster: Cluster) -> object:
    nodes = [
        {
            "node": one.node,
            "leaving": one.leaving,
            "peers": plain(one.peers),
            "problems": plain(one.bgp_problems),
        }
        for one in speakers
    ]
    return versioned({"nodes": nodes, "wrong": list(wrong), "unknown": plain(cluster.unknown)})


def _sessions(speakers: Sequence[SpeakerStatus]) -> tuple[Block, ...]:
    rows = [(one.node, *session_row(peer)) for one in speakers for peer in one.peers]
    if not rows:
        return (Lines(lines=(NO_ROUTERS if speakers else NO_SPEAKER,)),)
    head = (*columns("NODE", *HEAD[:SHOWN]), *(Column(title, wide=True) for title in HEAD[SHOWN:]))
    return (Table(columns=head, rows=tuple(rows)),)


def _leaving(speakers: Sequence[SpeakerStatus]) -> tuple[Block, ...]:
    lines = tuple(f"{one.node} leaves its routers: {one.leaving}" for one in speakers if one.leaving)
    return (Lines(lines=lines),) if lines else ()


def _differing(speakers: Sequence[SpeakerStatus]) -> tuple[Block, ...]:
    """Of routers to which not all nodes tell the same: they spread no traffic over those nodes."""
    groups: defaultdict[str, defaultdict[str, list[NodeName]]] = defaultdict(lambda: defaultdict(list))
    for one in speakers:
        for peer in one.peers:
            if peer.state == UP and peer.digest and not one.leaving:
                groups[peer.name][peer.digest].append(one.node)
    lines = tuple(
        f"{router} is told different routes: "
        + "; ".join(_group(digest, told[digest]) for digest in sorted(told))
        for router, told in groups.items()
        if len(told) > 1
    )
    return (Lines(lines=lines),) if lines else ()


def _group(digest: str, nodes: Sequence[NodeName]) -> str:
    more = f" and {len(nodes) - NODES_NAMED} more" if len(nodes) > NODES_NAMED else ""
    return f"{digest} by {', '.join(nodes[:NODES_NAMED])}{more}"
