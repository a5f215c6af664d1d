"""The controller's measures: what is promised, and what came of it.

    python -m bench.controller --trials 3

Each trial has a kube-apiserver of its own; no network namespaces, and no rights of root, are needed.
"""

import shutil
import sys

from bench.arguments import bench
from bench.controller.report import TRIALS, measure_controller


def what_is_missing() -> str | None:
    """One sentence on why nothing can be measured here, or None."""
    if shutil.which("setpriv") is None:
        return "The bench needs a program that is not installed: apt-get install util-linux"
    return None


if __name__ == "__main__":
    sys.exit(bench(sys.argv[1:], __doc__, measure_controller, trials=TRIALS, missing=what_is_missing))
