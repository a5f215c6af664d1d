"""Sessions as text: a table of all routers, then of each one what does not fit a column."""

from collections.abc import Iterator, Sequence

from bareway.cli.pages.output import plain_text
from bareway.cli.pages.shapes import Block, Cell, Lines, Mood, Table, columns
from bareway.cli.pages.table import span
from bareway.decide.answers.wrong import UP
from bareway.model.status import PeerStatus, SpeakerStatus

HEAD = ("ROUTER", "ADDRESS", "AS", "STATE", "UP", "BFD", "IPV4", "IPV6", "OWED", "DIGEST")


def bgp_text(status: SpeakerStatus, wrong: Sequence[str]) -> str:
    """All that ``bareway bgp`` shows of one node; ends with a newline."""
    return plain_text(bgp_blocks(status, wrong))


def bgp_blocks(status: SpeakerStatus, wrong: Sequence[str]) -> tuple[Block, ...]:
    """The same as blocks."""
    if not status.peers:
        return (Lines(lines=(f"{status.node} has no routers: none is configured",)), *wrong_block(wrong))
    blocks: list[Block] = [Table(columns=columns(*HEAD), rows=tuple(map(session_row, status.peers)))]
    if status.leaving:
        blocks.append(Lines(lines=(f"{status.node} leaves its routers: {status.leaving}",)))
    blocks += [Lines(lines=tuple(_details(one))) for one in status.peers]
    return (*blocks, *wrong_block(wrong))


def session_row(peer: PeerStatus) -> tuple[Cell | str, ...]:
    """One session, below HEAD."""
    return (
        peer.name,
        str(peer.address) if peer.port == 179 else _with_port(peer),  # noqa: PLR2004 - that of BGP
        str(peer.peer_asn or ""),
        Cell(peer.state or peer.reason, Mood.GOOD if peer.state == UP else Mood.ODD),
        span(peer.up_s) if peer.up_s else "",
        peer.bfd,
        str(peer.told.get("ipv4-unicast", "")),
        str(peer.told.get("ipv6-unicast", "")),
        str(peer.owed or ""),
        peer.digest,
    )


def _with_port(peer: PeerStatus) -> str:
    return f"[{peer.address}]:{peer.port}" if peer.address.version == 6 else f"{peer.address}:{peer.port}"  # noqa: PLR2004 - the family


def _details(peer: PeerStatus) -> Iterator[str]:
    yield f"{peer.name} ({peer.address})"
    if peer.local:
        restart = ", graceful restart" if peer.graceful_restart else ""
        yield (
            f"  from {peer.local} (AS {peer.local_asn}) to {peer.peer_id or peer.address};"
            f" hold time {peer.hold_time_s} s{restart}"
        )
    for title, text in (
        ("no session", peer.reason),
        ("no connection", peer.trouble),
        ("we offer", ", ".join(peer.our_capabilities)),
        ("it offers", ", ".join(peer.peer_capabilities)),
        ("routes that cannot be told", str(peer.held_back or "")),
        ("last NOTIFICATION sent", peer.last_sent),
        ("last NOTIFICATION received", peer.last_received),
    ):
        if text:
            yield f"  {title}: {text}"
    yield (
        f"  established {peer.established} times; {peer.updates_sent} UPDATEs sent,"
        f" {peer.messages_received} messages received, {peer.faults} of them faulty"
    )


def wrong_block(wrong: Sequence[str]) -> tuple[Block, ...]:
    """The sentences below a title; nothing where there are none."""
    if not wrong:
        return ()
    return (Lines(lines=(Cell("What is wrong:", Mood.TITLE), *(f"  {sentence}" for sentence in wrong))),)
