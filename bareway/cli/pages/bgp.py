"""Sessions as text: a table of all routers, then of each one what does not fit a column."""

from collections.abc import Iterator, Sequence

from bareway.cli.table import printable, span, table
from bareway.model.status import PeerStatus, SpeakerStatus

HEAD = ("ROUTER", "ADDRESS", "AS", "STATE", "UP", "BFD", "IPV4", "IPV6", "OWED", "DIGEST")


def bgp_text(status: SpeakerStatus, wrong: Sequence[str]) -> str:
    """All that ``bareway bgp`` shows; ends with a newline."""
    node = printable(status.node)
    if not status.peers:
        return f"{node} has no routers: none is configured\n" + _wrong(wrong)
    parts = [table(HEAD, [_row(one) for one in status.peers])]
    if status.leaving:
        parts.append(f"\n{node} leaves its routers: {printable(status.leaving)}\n")
    parts += ["\n" + "".join(f"{line}\n" for line in _details(one)) for one in status.peers]
    return "".join(parts) + _wrong(wrong)


def _row(peer: PeerStatus) -> tuple[str, ...]:
    return (
        peer.name,
        str(peer.address) if peer.port == 179 else _with_port(peer),  # noqa: PLR2004 - that of BGP
        str(peer.peer_asn or ""),
        peer.state or peer.reason,
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
    yield f"{printable(peer.name)} ({peer.address})"
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
            yield f"  {title}: {printable(text)}"
    yield (
        f"  established {peer.established} times; {peer.updates_sent} UPDATEs sent,"
        f" {peer.messages_received} messages received, {peer.faults} of them faulty"
    )


def _wrong(wrong: Sequence[str]) -> str:
    if not wrong:
        return ""
    return "\nWhat is wrong:\n" + "".join(f"  {printable(sentence)}\n" for sentence in wrong)
