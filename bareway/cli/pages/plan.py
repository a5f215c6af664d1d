"""A preview as text: what changes first, then a table for each thing."""

from collections.abc import Mapping, Sequence

from bareway.cli.asking.files import Problems, problem_line
from bareway.cli.pages.table import printable, table
from bareway.decide.allocation.losses import Loss, digest
from bareway.decide.preview.preview import Action, PlannedAddress, PlannedService, Preview
from bareway.decide.preview.routes import Route, Session


def plan_text(preview: Preview | None, problems: Problems) -> str:
    """What would be."""
    parts = [_problems(problems)]
    if preview is not None:
        pools = [(pool.name, str(pool.total), str(pool.used)) for pool in preview.pools]
        parts += [
            _count(preview.services),
            _services(preview.services),
            _announcers(preview.announcers),
            _routes(preview.routes),
            _section(("PEER", "NODE"), [(str(one.peer.address), one.node) for one in preview.sessions]),
            _section(("POOL", "ADDRESSES", "USED"), pools),
        ]
    return "\n".join(part for part in parts if part)


def against_text(
    lost: Sequence[Loss],
    services: Sequence[PlannedService],
    announcers: Sequence[PlannedAddress],
    sessions: Mapping[str, Sequence[Session]],
    problems: Problems,
) -> str:
    """What would change."""
    parts = [_problems(problems)]
    if lost:
        parts.append(
            "Services would lose addresses that they hold:\n"
            + "".join(f"  {printable(str(loss))}\n" for loss in lost)
            + f"To accept exactly this, annotate the ConfigMap: bareway.io/accept-loss={digest(lost)}\n"
        )
    told = [(word, str(one.peer.address), one.node) for word, found in sessions.items() for one in found]
    parts += [_services(services), _announcers(announcers), _section(("SESSION", "PEER", "NODE"), told)]
    return "\n".join(part for part in parts if part) or "Nothing changes.\n"


def _problems(problems: Problems) -> str:
    return "".join(f"{printable(problem_line(place, problem))}\n" for place, problem in problems)


def _count(services: Sequence[PlannedService]) -> str:
    found = [
        f"{number} {word}"
        for word in Action
        if (number := sum(service.action is word for service in services))
    ]
    return f"Services: {', '.join(found)}\n" if found else "No Services of type LoadBalancer.\n"


def _services(services: Sequence[PlannedService]) -> str:
    rows = [
        (
            str(one.service),
            one.action.value,
            ",".join(map(str, one.addresses)),
            one.pool or "",
            f"{one.reason}: {one.message}" if one.reason else "",
        )
        for one in services
    ]
    return _section(("SERVICE", "ACTION", "ADDRESSES", "POOL", "WHY"), rows)


def _announcers(planned: Sequence[PlannedAddress]) -> str:
    rows = [
        (str(one.address), ",".join(map(str, one.services)), ",".join(one.nodes), _whys(one))
        for one in planned
    ]
    return _section(("ADDRESS", "SERVICE", "NODES IN ORDER", "WHY NOT THE OTHERS"), rows)


def _whys(planned: PlannedAddress) -> str:
    """Why nodes are left out; who only waits for its turn stands in the order."""
    found = [f"{node}={word}" for node, word in planned.reasons.items() if node not in planned.nodes]
    return ",".join(found)


def _routes(routes: Sequence[Route]) -> str:
    rows = [
        (
            str(one.prefix),
            one.node,
            str(one.peer.address),
            str(one.local_preference or ""),
            ",".join((*one.communities, *(f"large:{large}" for large in one.large_communities))),
        )
        for one in routes
    ]
    return _section(("PREFIX", "NODE", "PEER", "LOCAL-PREF", "COMMUNITIES"), rows)


def _section(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return table(head, rows) if rows else ""
