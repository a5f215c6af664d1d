"""A status as blocks: lines about the program, then a table for each thing that it knows."""

from collections.abc import Sequence

from bareway.cli.pages.output import plain_text
from bareway.cli.pages.shapes import Block, Lines, Table, columns
from bareway.cli.pages.table import span
from bareway.model.status import ConfigurationStatus, ControllerStatus, PoolStatus, SpeakerStatus

SHA256_SHOWN = 12  # characters, as many as people compare by eye


def controller_text(status: ControllerStatus) -> str:
    """Several lines about a controller."""
    return plain_text(controller_blocks(status))


def speaker_text(status: SpeakerStatus) -> str:
    """Several lines about a speaker."""
    return plain_text(speaker_blocks(status))


def controller_blocks(status: ControllerStatus) -> tuple[Block, ...]:
    """What a controller says."""
    head = [
        _head("controller", status.version, status.not_ready, api_connected=status.api_connected),
        _election(status),
        _configuration(status.configuration),
        _gossip(status),
    ]
    pools = [(pool.name, str(pool.total), str(pool.used), _share(pool)) for pool in status.pools]
    waiting = [(str(one.service), one.reason, one.message) for one in status.waiting]
    return (
        Lines(lines=tuple(filter(None, head))),
        *_table(("POOL", "ADDRESSES", "USED", "SHARE"), pools),
        *_table(("WAITING SERVICE", "REASON", "MESSAGE"), waiting),
    )


def speaker_blocks(status: SpeakerStatus) -> tuple[Block, ...]:
    """What a speaker says."""
    name = f"speaker on {status.node}"
    leaving = f"hands over what it announces: {status.leaving}" if status.leaving else ""
    head = [
        _head(name, status.version, status.not_ready, api_connected=status.api_connected),
        _configuration(status.configuration),
        _joined(status),
        leaving,
    ]
    members = [(one.name, one.state, span(one.since_s), one.address) for one in status.members]
    addresses = [
        (str(one.address), ",".join(map(str, one.services)), one.announced_by or "", one.reason)
        for one in status.addresses
    ]
    peers = [
        (one.name, str(one.address), one.state, span(one.up_s) if one.up_s else "", one.reason)
        for one in status.peers
    ]
    links = [(one.name, one.mac, ",".join(one.subnets), one.reason) for one in status.links]
    found = [(str(one.address), one.reason, one.mac, one.node or "") for one in status.findings]
    return (
        Lines(lines=tuple(filter(None, head))),
        *_table(("MEMBER", "STATE", "FOR", "REACHED AT"), members),
        *_table(("ADDRESS", "SERVICE", "ANNOUNCED BY", "WHY NOT HERE"), addresses),
        *_table(("ROUTER", "ADDRESS", "STATE", "FOR", "WHY NOT"), peers),
        *_table(("LINK", "MAC", "SUBNETS", "WHY NOT USED"), links),
        *_table(("ADDRESS", "FOUND ON THE LINK", "STATION", "NODE"), found),
    )


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> tuple[Table, ...]:
    """Nothing without rows."""
    return (Table(columns=columns(*head), rows=tuple(rows)),) if rows else ()


def _joined(status: SpeakerStatus) -> str:
    """How it takes part in gossip; a speaker of before these fields says nothing."""
    if not status.profile:
        return ""
    lists = f"generation {status.list_generation}" if status.list_generation else "none"
    return f"gossip: profile {status.profile}, partition {status.partition}; announcer lists: {lists}"


def _head(name: str, version: str, not_ready: tuple[str, ...], *, api_connected: bool) -> str:
    ready = "not ready" if not_ready else "ready"
    server = "connected to the API server" if api_connected else "without the API server"
    return f"{name}: {ready}, {server}, version {version}"


def _election(status: ControllerStatus) -> str:
    """Which of several controllers gives out addresses; as long as none does, new Services wait."""
    if status.leads:
        return f"election: leads, as {status.identity}"
    if status.leader:
        return f"election: stands by; {status.leader} leads"
    return "election: nobody leads"


def _gossip(status: ControllerStatus) -> str:
    """Whom it sees; a controller of before these fields says nothing."""
    if not status.members_known and not status.list_generation:
        return ""
    seen = (
        f"{status.members_alive} of {status.members_known} members" if status.members_known else "no member"
    )
    return f"gossip: sees {seen}; announcer lists of generation {status.list_generation}"


def _configuration(status: ConfigurationStatus) -> str:
    if not status.generation:
        return "configuration: none in force"
    return (
        f"configuration: generation {status.generation} from {status.source},"
        f" sha256 {status.sha256[:SHA256_SHOWN]}"
    )


def _share(pool: PoolStatus) -> str:
    return f"{100 * pool.used // pool.total}%" if pool.total else ""
