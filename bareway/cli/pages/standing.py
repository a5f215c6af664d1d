"""The page of ``bareway status`` for a cluster: what is wrong first, then who runs, pools and sessions."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from bareway.cli.pages.findings import (
    absent_block,
    findings_block,
    is_absent,
    is_wrong,
    unasked_block,
    unknown_block,
)
from bareway.cli.pages.output import versioned
from bareway.cli.pages.pool_rows import pools_table
from bareway.cli.pages.shapes import Block, Cell, Column, Form, Lines, Mood, Page, Table, columns
from bareway.cli.verb import ExitCode
from bareway.decide.answers.checks.view import DoctorView
from bareway.decide.answers.diagnosis import Diagnosis, diagnose
from bareway.decide.answers.pools import pools_of
from bareway.decide.answers.wrong import UP
from bareway.decide.routing.sessions import SessionRefusal
from bareway.model.cluster import Cluster, PodState
from bareway.model.names import NodeName
from bareway.model.plain import plain
from bareway.model.status import ControllerStatus, PeerStatus, SpeakerStatus
from bareway.model.surroundings import Surroundings

ROWS_MAX: Final = 16
"""Speakers on one screen, those that want a look first; ``-o wide`` shows all."""


def standing(cluster: Cluster, namespace: str, form: Form) -> tuple[Page, ExitCode]:
    """All that is shown of a cluster, and how it stands."""
    diagnosis = diagnose(DoctorView(cluster=cluster, surroundings=Surroundings(namespace=namespace)))
    blocks = (
        *(absent_block(namespace) if is_absent(cluster) else (_head(cluster, diagnosis, namespace),)),
        *findings_block(diagnosis.findings),
        *unknown_block(diagnosis.unknown),
        *_controllers(cluster),
        *_speakers(cluster, ROWS_MAX if form is Form.TABLE else len(cluster.pods)),
        *unasked_block(cluster),
        *pools_table(pools_of(cluster)),
        *_routers(cluster),
    )
    return Page(blocks=blocks, data=lambda: _data(cluster, diagnosis)), _code(cluster, diagnosis)


def _code(cluster: Cluster, diagnosis: Diagnosis) -> ExitCode:
    if is_wrong(diagnosis.findings) or is_absent(cluster):
        return ExitCode.SOMETHING_WRONG
    return ExitCode.COULD_NOT_TELL if diagnosis.unknown else ExitCode.WELL


def _head(cluster: Cluster, diagnosis: Diagnosis, namespace: str) -> Lines:
    counted = [_counted(cluster, "controller"), _counted(cluster, "speaker")]
    verdict = Cell(f"Bareway in {namespace}: {' and '.join(counted)} answered", Mood.TITLE)
    if not diagnosis.findings and not diagnosis.unknown:
        well = _of_those_asked(cluster) if cluster.unasked else Cell("all is well", Mood.GOOD)
        verdict = Cell(f"{verdict.text}; {well.text}", well.mood)
    return Lines(lines=(verdict, _configuration(cluster)))


def _of_those_asked(cluster: Cluster) -> Cell:
    """Of the others it is not known how they are."""
    there = sum(pod.component == "speaker" for pod in cluster.pods)
    asked = there - len(cluster.unasked)
    return Cell(f"nothing is wrong with those that were asked ({asked} of {there} speakers)", Mood.TITLE)


def _counted(cluster: Cluster, component: str) -> str:
    answered = len(cluster.controllers if component == "controller" else cluster.speakers)
    there = sum(pod.component == component for pod in cluster.pods)
    return f"{answered} of {max(answered, there)} {component}s"


def _configuration(cluster: Cluster) -> str:
    if cluster.configuration is None:
        return "configuration: none in force"
    pools, peers = len(cluster.configuration.pools), len(cluster.configuration.peers)
    contents = f"{_number(pools, 'pool', 'pools')}, {_number(peers, 'router', 'routers')}"
    return f"configuration: generation {cluster.generation} from {cluster.source}, {contents}"


def _number(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def _controllers(cluster: Cluster) -> tuple[Table, ...]:
    pods = [pod for pod in cluster.pods if pod.component == "controller"]
    rows = [_controller(pod, _of(pod, cluster.controllers)) for pod in pods]
    head = (*columns("CONTROLLER", "STATE", "ROLE", "SEES"), Column("NODE", wide=True))
    head += (Column("RESTARTS", wide=True), Column("VERSION", wide=True))
    return (Table(columns=head, rows=tuple(rows)),) if rows else ()


def _of(pod: PodState, controllers: Sequence[ControllerStatus]) -> ControllerStatus | None:
    """What the controller in this Pod says; its identity begins with the Pod's name."""
    return next((one for one in controllers if one.identity.startswith(f"{pod.name}_")), None)


def _controller(pod: PodState, status: ControllerStatus | None) -> tuple[Cell | str, ...]:
    role, sees = Cell("", Mood.FAINT), ""
    if status is not None:
        role = Cell("leads", Mood.GOOD) if status.leads else Cell("stands by", Mood.FAINT)
        sees = f"{status.members_alive} of {status.members_known} members" if status.members_known else ""
    return (pod.name, _state(pod), role, sees, pod.node or "", str(pod.restarts), pod.version)


def _state(pod: PodState) -> Cell:
    if pod.ready:
        return Cell("ready", Mood.GOOD)
    return Cell(f"not ready: {pod.reason}" if pod.reason else "not ready", Mood.BAD)


def _speakers(cluster: Cluster, at_most: int) -> tuple[Block, ...]:
    pods = [pod for pod in cluster.pods if pod.component == "speaker"]
    pods.sort(key=lambda pod: (pod.ready, pod.node or "", pod.name))
    rows = [_speaker(pod, cluster.speakers.get(pod.node or NodeName(""))) for pod in pods[:at_most]]
    if not rows:
        return ()
    head = (*columns("SPEAKER ON", "STATE", "ANNOUNCES", "SESSIONS", "LEAVES"), Column("POD", wide=True))
    head += (Column("RESTARTS", wide=True), Column("VERSION", wide=True))
    table = Table(columns=head, rows=tuple(rows))
    if len(pods) <= at_most:
        return (table,)
    more = pods[at_most:]
    ready = sum(pod.ready for pod in more)
    return (table, Lines(lines=(f"and {len(more)} more speakers, {ready} of them ready: -o wide",)))


def _speaker(pod: PodState, status: SpeakerStatus | None) -> tuple[Cell | str, ...]:
    announces = sessions = leaving = ""
    if status is not None:
        announced = {one.address for one in status.addresses if one.announced_by == status.node}
        announces = _number(len(announced), "address", "addresses")
        wanted = [one for one in status.peers if one.reason != SessionRefusal.NODE_NOT_SELECTED]
        if wanted:
            sessions = f"{sum(one.state == UP for one in wanted)} of {len(wanted)} up"
        leaving = status.leaving
    where = pod.node or "no node yet"
    return (
        where,
        _state(pod),
        announces,
        sessions,
        Cell(leaving, Mood.ODD),
        pod.name,
        str(pod.restarts),
        pod.version,
    )


def _routers(cluster: Cluster) -> tuple[Table, ...]:
    """One row for each router: on how many nodes its session is up."""
    by_router: defaultdict[str, list[tuple[NodeName, PeerStatus]]] = defaultdict(list)
    for node, speaker in sorted(cluster.speakers.items()):
        for peer in speaker.peers:
            if peer.reason != SessionRefusal.NODE_NOT_SELECTED:
                by_router[peer.name].append((node, peer))
    rows = [_router(name, sessions) for name, sessions in by_router.items()]
    head = (*columns("ROUTER", "ADDRESS", "SESSIONS UP", "NOT UP ON"), Column("AS", wide=True))
    return (Table(columns=head, rows=tuple(rows)),) if rows else ()


def _router(name: str, sessions: Sequence[tuple[NodeName, PeerStatus]]) -> tuple[Cell | str, ...]:
    down = [node for node, peer in sessions if peer.state != UP]
    first = sessions[0][1]
    up = f"{len(sessions) - len(down)} of {len(sessions)}"
    numbers = Counter(peer.peer_asn for _, peer in sessions if peer.peer_asn)
    return (
        name,
        str(first.address),
        Cell(up, Mood.BAD if down else Mood.GOOD),
        Cell(", ".join(down), Mood.BAD),
        ", ".join(map(str, sorted(numbers))),
    )


def _data(cluster: Cluster, diagnosis: Diagnosis) -> Mapping[str, object]:
    """The names of the answer on a node, and more."""
    return versioned(
        {
            "controllers": plain(cluster.controllers),
            "speakers": [plain(cluster.speakers[node]) for node in sorted(cluster.speakers)],
            "wrong": [f"{one.word}: {one.subject}: {one.evidence}" for one in diagnosis.findings],
            "findings": plain(diagnosis.findings),
            "unknown": plain(diagnosis.unknown),
            "unasked": plain(cluster.unasked),
            "pods": plain(cluster.pods),
            "pools": plain(pools_of(cluster)),
            "configuration": {
                "generation": cluster.generation,
                "source": cluster.source,
                "problems": plain(cluster.offered),
            },
        }
    )
