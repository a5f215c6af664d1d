"""What the controller and the speakers hold in memory at rest: PSS, which counts shared pages once, and RSS.

    python -m bench.memory

With the embedded API server and one Service; ``--trials`` is how often each process is looked at.
"""

import sys
from collections.abc import Sequence

import msgspec

from bench.arguments import bench
from bench.bareway import running
from bench.summary import Figures, figures
from lab.process import Process
from lab.waiting import pause

SETTLED_S = 5.0
"""After the last change: start-up garbage has been collected by then."""

BETWEEN_S = 0.5


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """Of one program, in MB of 1,000,000 bytes."""

    program: str
    pss_mb: Figures
    rss_mb: Figures
    pss_mb_looks: list[float]


def look(name: str, processes: Sequence[Process], looks: int) -> Memory:
    """Look so often at each process of a program."""
    seen: list[dict[str, int]] = []
    for _ in range(looks):
        seen += [process.memory_kb() for process in processes]
        pause(BETWEEN_S)
    pss, rss = ([round(one[key] * 1024 / 1e6, 1) for one in seen] for key in ("Pss", "Rss"))
    return Memory(program=name, pss_mb=figures(pss), rss_mb=figures(rss), pss_mb_looks=pss)


def measure_memory(looks: int) -> list[Memory]:
    """Controller and speakers of a settled system."""
    with running() as system:
        system.address_of()
        pause(SETTLED_S)
        assert system.controller is not None
        return [
            look("bareway-controller", [system.controller], looks),
            look("bareway-speaker", list(system.speakers.values()), looks),
        ]


if __name__ == "__main__":
    sys.exit(bench(sys.argv[1:], __doc__, lambda looks: (measure_memory(looks), True), trials=3))
