"""A real cluster for people: three nodes with containerd and kubelet on this machine.

    python -m cluster.ring check                 what this machine lacks; exit code 3 if anything
    python -m cluster.ring build                 the same, then Kubernetes unless it is there: minutes, once
    python -m cluster.ring up [--bareway]        start it, with Bareway installed from manifests/ if wished
    python -m cluster.ring kubectl WORDS…        stock kubectl as administrator (`up` names a kubeconfig)
    python -m cluster.ring load ARCHIVE          make an image known on every node
    python -m cluster.ring exec MACHINE COMMAND… run something on node1 …, api, client or observer
    python -m cluster.ring node NAME cut|join|off|on|freeze|thaw
    python -m cluster.ring node NAME stop|start containerd|kubelet|kube-proxy
    python -m cluster.ring api stop|start        the API server
    python -m cluster.ring down                  end it, and remove every trace

It is reached from this machine, which has a cable into it: what a Service gets as external IP works in a
browser. Its network is 192.0.2.0/24, or the next one for documentation if this machine uses that itself.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

from cluster import cgroups
from cluster.build import CannotBuild, binary
from cluster.check import what_is_missing
from cluster.keeper import CANNOT, KUBECONFIG, PLACE, UP, ask, keeper
from lab.apis import program
from lab.commands import LabError
from lab.leftovers import clean
from lab.waiting import wait_for

LOG: Final = PLACE / "log"
UP_WITHIN_S: Final = 300.0
DOWN_WITHIN_S: Final = 60.0


def check() -> int:
    """Say what is missing."""
    missing = what_is_missing()
    print("\n".join(missing) or "A cluster can run here.", file=sys.stderr if missing else sys.stdout)
    return CANNOT if missing else 0


def build() -> int:
    """Compile Kubernetes; nobody waits for that on a machine that cannot run it."""
    if missing := what_is_missing(but_the_binary=True):
        print("No cluster can run here.", *missing, sep="\n", file=sys.stderr)
        return CANNOT
    try:
        binary()
    except CannotBuild as error:
        print(f"cannot build Kubernetes: {error}", file=sys.stderr)
        return CANNOT
    return 0


def up(*flags: str) -> int:
    """Start a keeper, show what it tells, and leave it running; a ring that does not come up is ended."""
    if code := check():
        return code
    if pid := keeper():
        print(f"A ring is up already (process {pid}); `make cluster-down` ends it.", file=sys.stderr)
        return 1
    PLACE.mkdir(mode=0o700, exist_ok=True)
    signal.signal(signal.SIGTERM, _leave)
    command = [sys.executable, "-m", "cluster.keeper", *flags]
    with LOG.open("wb") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    shown = 0

    def over() -> bool:
        nonlocal shown
        text = LOG.read_text(errors="replace")
        print(text[shown:], end="", flush=True)
        shown = len(text)
        return UP in text or process.poll() is not None

    try:
        wait_for(over, what="the ring to be up", within_s=UP_WITHIN_S, poll_s=0.1)
    except BaseException:  # Ctrl-C too: half a ring is none
        process.terminate()
        process.wait(DOWN_WITHIN_S)
        raise
    if process.returncode is not None:
        return process.returncode or 1
    print(f"export KUBECONFIG={KUBECONFIG}")
    return 0


def down() -> int:
    """End it, even while it is being built; what a killed keeper left is removed, too."""
    pid = keeper()
    if pid is None:
        print("no ring is up")
    else:
        os.kill(pid, signal.SIGTERM)
        wait_for(lambda: keeper() is None, what="the end of the ring", within_s=DOWN_WITHIN_S, poll_s=0.1)
    left = [*clean(), *cgroups.clean()]
    print("\n".join(f"removed {name}" for name in left) or "nothing is left")
    return 0


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    sys.exit(128 + number)


def main(words: Sequence[str]) -> int:
    """Do one command; returns the exit code."""
    match words:
        case ["check" | "build" | "down" as verb]:
            return {"check": check, "build": build, "down": down}[verb]()
        case ["up", *flags] if set(flags) <= {"--bareway"}:
            return up(*flags)
        case ["kubectl", *rest]:
            kubectl = str(program("kubectl"))
            os.execv(kubectl, [kubectl, f"--kubeconfig={KUBECONFIG}", *rest])  # noqa: S606 - no shell: meant
        case ["exec", machine, *command] if command:
            way = [*ask("where", machine).arguments, *command]
            os.execvp(way[0], way)  # noqa: S606 - no shell: meant
        case ["load", archive]:
            print(ask("load", str(Path(archive).resolve())).text)
        case ["node" | "api", *_]:
            print(ask(*words).text)
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except LabError as failure:
        sys.exit(str(failure))
    except KeyboardInterrupt:
        sys.exit(130)
