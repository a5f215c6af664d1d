"""What the programs on this node say, asked on their sockets, in the form that a whole cluster has."""

from collections.abc import Sequence
from pathlib import Path

from bareway.cli.asking.sockets import SOCKETS, Silent, ask
from bareway.model.cluster import Cluster, Unknown
from bareway.model.status import ControllerStatus, SpeakerStatus


class NobodyHere(Exception):
    """No program answers on this node; the sentence says which were asked."""


def gather_here(named: Sequence[Path], *, timeout_s: float, usual: Sequence[Path] = SOCKETS) -> Cluster:
    """Who runs here, asked on the ``named`` sockets, or on the ``usual`` ones if there are none.

    Raises:
        NobodyHere: no program answers.
    """
    answers = [ask(path, timeout_s) for path in named or usual]
    silent = [one for one in answers if isinstance(one, Silent)]
    if len(silent) == len(answers):
        raise NobodyHere("; ".join(one.sentence for one in silent))
    if not named:
        silent = [one for one in silent if not one.is_absent]  # a node need not run both
    return Cluster(
        controllers=tuple(one for one in answers if isinstance(one, ControllerStatus)),
        speakers={one.node: one for one in answers if isinstance(one, SpeakerStatus)},
        unknown=tuple(Unknown(subject=str(one.path), why=one.sentence) for one in silent),
    )
