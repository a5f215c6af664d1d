"""A status as text: a line about the program, then a table for each thing that it knows."""

from bareway.cli.table import printable, span, table
from bareway.model.status import ConfigurationStatus, ControllerStatus, PoolStatus, SpeakerStatus

SHA256_SHOWN = 12  # characters, as many as people compare by eye


def controller_text(status: ControllerStatus) -> str:
    """Several lines about a controller."""
    parts = [_head("controller", status.version, status.not_ready, api_connected=status.api_connected)]
    parts.append(_election(status))
    parts.append(_configuration(status.configuration))
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
    if status.members:
        members = [(one.name, one.state, span(one.since_s), one.address) for one in status.members]
        parts.append("\n" + table(("MEMBER", "STATE", "FOR", "REACHED AT"), members))
    if status.addresses:
        addresses = [
            (str(one.address), ",".join(map(str, one.services)), one.announced_by or "", one.reason)
            for one in status.addresses
        ]
        parts.append("\n" + table(("ADDRESS", "SERVICE", "ANNOUNCED BY", "WHY NOT HERE"), addresses))
    if status.links:
        links = [(one.name, one.mac, ",".join(one.subnets), one.reason) for one in status.links]
        parts.append("\n" + table(("LINK", "MAC", "SUBNETS", "WHY NOT USED"), links))
    return "".join(parts)


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


def _configuration(status: ConfigurationStatus) -> str:
    if not status.generation:
        return "configuration: none in force\n"
    return (
        f"configuration: generation {status.generation} from {printable(status.source)},"
        f" sha256 {printable(status.sha256[:SHA256_SHOWN])}\n"
    )


def _share(pool: PoolStatus) -> str:
    return f"{100 * pool.used // pool.total}%" if pool.total else ""
