"""What ``bareway doctor`` prints of three clusters, as it lies in ``tests/bareway/cli/golden``.

Written by ``PYTHONPATH=tests:. .venv/bin/python -m support.doctor_pages``; read what changed.
"""

from pathlib import Path
from typing import Final

from bareway.cli.pages.doctor import page_of
from bareway.cli.pages.output import plain_text
from bareway.decide.answers.checks.view import DoctorView
from bareway.decide.answers.diagnosis import diagnose
from bareway.model.cluster import Unknown
from bareway.model.surroundings import Surroundings
from support.faults_around import AROUND
from support.faults_within import WITHIN
from support.patients import NODES, healthy, with_cluster, without_speaker

GOLDEN: Final = Path(__file__).resolve().parents[1] / "bareway" / "cli" / "golden"
PLANTED: Final = AROUND | WITHIN
BROKEN: Final = (
    "kube-proxy in IPVS mode without strictARP",
    "MetalLB serves the same class",
    "a stranger answers for an address",
    "a pool that is nearly full",
    "a Service waits for an address",
    "a clock is wrong",
)


def broken() -> DoctorView:
    """Much is wrong, and one speaker does not answer."""
    view = without_speaker(healthy(), NODES[2])
    for name in BROKEN:
        view = PLANTED[name].plant(view)
    silent = Unknown(
        subject=f"speaker on {NODES[2]}",
        why="no answer within 3 s",
        remedy="kubectl -n bareway-system logs bareway-speaker-node3",
    )
    return with_cluster(view, unknown=(silent,))


VIEWS: Final = {
    "good": healthy,
    "empty": lambda: DoctorView(surroundings=Surroundings(kubernetes="v1.30.2")),
    "broken": broken,
}


def page(name: str) -> str:
    """What is printed through a pipe."""
    return plain_text(page_of(diagnose(VIEWS[name]())).blocks)


def path(name: str) -> Path:
    """Where it lies."""
    return GOLDEN / f"doctor-{name}.txt"


if __name__ == "__main__":
    for each in VIEWS:
        path(each).write_text(page(each))
