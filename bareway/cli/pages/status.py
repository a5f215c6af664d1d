"""A status as text: a line about the program, then a table for each thing that it knows."""

from bareway.cli.table import printable, span, table
from bareway.model.status import ConfigurationStatus, ControllerStatus, PoolStatus, SpeakerStatus

SHA256_SHOWN = 12  # characters, as many as people compare by eye


def controller_text(status: ControllerStatus) -> str:
    """Several lines about a controller."""
    parts = [_head("controller", status.version, status.not_ready, api_connected=status.api_connected)]
    parts.append(_election(status))
    parts.append(_configuration(status.configuration))
    parts.append(_gossip(status))
    if status.pools:
        rows = [(pool.name, str(pool.total), str(pool.used), _share(pool)) for pool in status.pools]
        parts.append("\n" + table(("POOL", "ADDRESSES", "USED", "SHARE"), rows))
    if status.waiting:
        waiting = [(str(one.service), one.reason, one.message) for one in status.waiting]
        parts.append("\n" + table(("WAITING SERVICE", "REASON", "MESSAGE"), waiting))
    return "".join(parts)


def speaker_text(status: SpeakerStatus) -> str:
    """Several lines about a speaker."""
    name = f"speaker on {status.node}"
    parts = [_head(name, status.version, status.not_ready, api_connected=status.api_connected)]
    parts.append(_configuration(status.configuration))
    parts.append(_joined(status))
    if status.leaving:
        parts.append(f"hands over what it announces: {printable(status.leaving)}\n")
    if status.members:
        members = [(one.name, one.state, span(one.since_s), one.address) for one in status.members]
        parts.append("\n" + table(("MEMBER", "STATE", "FOR", "REACHED AT"), members))
    if status.addresses:
        addresses = [
            (str(one.address), ",".join(map(str, one.services)), one.announced_by or "", one.reason)
            for one in status.addresses
        ]
        parts.append("\n" + table(("ADDRESS", "SERVICE", "ANNOUNCED BY", "WHY NOT HERE"), addresses))
    if status.peers:
        peers = [
            (one.name, str(one.address), one.state, span(one.up_s) if one.up_s else "", one.reason)
            for one in status.peers
        ]
        parts.append("\n" + table(("ROUTER", "ADDRESS", "STATE", "FOR", "WHY NOT"), peers))
    if status.links:
        links = [(one.name, one.mac, ",".join(one.subnets), one.reason) for one in status.links]
        parts.append("\n" + table(("LINK", "MAC", "SUBNETS", "WHY NOT USED"), links))
    if status.findings:
        found = [(str(one.address), one.reason, one.mac, one.node or "") for one in status.findings]
        parts.append("\n" + table(("ADDRESS", "FOUND ON THE LINK", "STATION", "NODE"), found))
    return "".join(parts)


def _joined(status: SpeakerStatus) -> str:
    """How it takes part in gossip; a speaker of before these fields says nothing."""
    if not status.profile:
        return ""
    lists = f"generation {status.list_generation}" if status.list_generation else "none"
    return (
        f"gossip: profile {printable(status.profile)}, partition {printable(status.partition)};"
        f" announcer lists: {lists}\n"
    )


def _head(name: str, version: str, not_ready: tuple[str, ...], *, api_connected: bool) -> str:
    ready = "not ready" if not_ready else "ready"
    server = "connected to the API server" if api_connected else "without the API server"
    return f"{printable(name)}: {ready}, {server}, version {printable(version)}\n"


def _election(status: ControllerStatus) -> str:
    """Which of several controllers gives out addresses; as long as none does, new Services wait."""
    if status.leads:
        return f"election: leads, as {printable(status.identity)}\n"
    if status.leader:
        return f"election: stands by; {printable(status.leader)} leads\n"
    return "election: nobody leads\n"


def _gossip(status: ControllerStatus) -> str:
    """Whom it sees; a controller of before these fields says nothing."""
    if not status.members_known and not status.list_generation:
        return ""
    seen = (
        f"{status.members_alive} of {status.members_known} members" if status.members_known else "no member"
    )
    return f"gossip: sees {seen}; announcer lists of generation {status.list_generation}\n"


def _configuration(status: ConfigurationStatus) -> str:
    if not status.generation:
        return "configuration: none in force\n"
    return (
        f"configuration: generation {status.generation} from {printable(status.source)},"
        f" sha256 {printable(status.sha256[:SHA256_SHOWN])}\n"
    )


def _share(pool: PoolStatus) -> str:
    return f"{100 * pool.used // pool.total}%" if pool.total else ""
