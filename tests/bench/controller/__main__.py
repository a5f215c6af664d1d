"""The controller's measures: what is promised, and what came of it.

    python -m bench.controller --trials 3
    python -m bench.controller --trials 1 starts_of_many single

Each trial has a kube-apiserver of its own; no network namespaces, and no rights of root, are needed.
"""

import shutil
import sys

from bench.arguments import bench
from bench.controller.measures import NAMES
from bench.controller.report import TRIALS, ControllerReport, measure_controller


def what_is_missing() -> str | None:
    """One sentence on why nothing can be measured here, or None."""
    if shutil.which("setpriv") is None:
        return "The bench needs a program that is not installed: apt-get install util-linux"
    return None


def main() -> int:
    """The measures that are named, or all."""
    only = [one for one in sys.argv[1:] if one in NAMES]
    rest = [one for one in sys.argv[1:] if one not in NAMES]

    def measure(trials: int) -> tuple[ControllerReport, bool]:
        return measure_controller(trials, only=only or NAMES)

    return bench(rest, __doc__, measure, trials=TRIALS, missing=what_is_missing)


if __name__ == "__main__":
    sys.exit(main())
