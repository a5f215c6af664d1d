"""How long the verbs take that need no cluster: ``python -m bench.offline``: from start to end of each.

The configuration and the Services are the ones that the README shows. An empty Python is timed beside them,
in turn: what any command written in Python waits for. Each is run once before, so that its bytecode is kept,
as it is where Bareway is installed.
"""

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from msgspec import Struct

from bench.arguments import bench
from bench.trials import say

ROOT = Path(__file__).resolve().parents[2]
TARGET_S = 0.25
COMMAND = (str(Path(sys.executable).with_name("bareway")),)
VERBS = {
    "an empty Python": (sys.executable, "-c", ""),
    "version": (*COMMAND, "version"),
    "explain": (*COMMAND, "explain", "PoolExhausted"),
    "completion": (*COMMAND, "completion", "bash"),
    "lint": (*COMMAND, "lint", "-f", "office.yaml"),
    "plan": (*COMMAND, "plan", "-f", "office.yaml"),
}


class Taken(Struct, frozen=True, kw_only=True):
    """Of one verb, in seconds of a clock on the wall."""

    least_s: float
    median_s: float
    most_s: float
    all_s: list[float]


class Offline(Struct, frozen=True, kw_only=True):
    """Of all verbs."""

    target_s: float
    load: float
    verbs: dict[str, Taken]


def measure(trials: int) -> tuple[Offline, bool]:
    """Every verb once, then every verb again; well if each median meets the target."""
    (office,) = re.findall(r"```yaml\n(# office\.yaml\n.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    took: dict[str, list[float]] = {verb: [] for verb in VERBS}
    with TemporaryDirectory() as folder:
        (Path(folder) / "office.yaml").write_text(office)
        for trial in range(trials + 1):
            for verb, words in VERBS.items():
                began = time.monotonic()
                subprocess.run(words, cwd=folder, env=_environment(), check=True, capture_output=True)
                if trial:
                    took[verb].append(time.monotonic() - began)
    found = Offline(
        target_s=TARGET_S,
        load=round(os.getloadavg()[0], 2),
        verbs={verb: _taken(all_s) for verb, all_s in took.items()},
    )
    for verb, one in found.verbs.items():
        say(f"  {verb}: {one.median_s:.3f} s (up to {one.most_s:.3f})")
    return found, all(one.median_s <= TARGET_S for one in found.verbs.values())


def _environment() -> dict[str, str]:
    """Bytecode is kept, whatever this shell says."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def _taken(all_s: list[float]) -> Taken:
    rounded = [round(one, 4) for one in all_s]
    return Taken(least_s=min(rounded), median_s=median(rounded), most_s=max(rounded), all_s=rounded)


if __name__ == "__main__":
    raise SystemExit(bench(sys.argv[1:], __doc__, measure, trials=20, missing=lambda: None))
