"""Keeps a ring for people: a process in the background that owns it and does what it is told.

``python -m cluster.keeper [--bareway]`` builds the ring, tells each step on standard output, and then
answers one command at a time on a Unix socket, from the thread that started everything, since the kernel
ends the machines with that thread. SIGTERM or Ctrl-C ends the ring and the process. ``ask`` is the other
side.
"""

import fcntl
import os
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, NoReturn

import msgspec

from cluster import cgroups
from cluster.installation import Installation
from cluster.lan import NETWORKS, free_networks
from cluster.node import Node
from cluster.whole_cluster import Ring
from lab.commands import CannotTry, LabError, what_is_missing
from lab.network import Lab

PLACE: Final = Path("/run/bareway-ring")
"""Where people find the ring; one at a time, since one host interface leads to it."""
SOCKET: Final = PLACE / "commands"
KUBECONFIG: Final = PLACE / "kubeconfig"
LOCK: Final = PLACE / "lock"
UP: Final = "The ring is up."
CANNOT: Final = 3
MESSAGE_MAX: Final = 64 * 1024
ANSWER_WITHIN_S: Final = 300.0  # the slowest command loads an image


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a command."""

    is_done: bool
    text: str
    arguments: list[str] = []
    """A command line that the asker is to run itself."""


class NotUp(LabError):
    """Nobody keeps a ring."""


def ask(*words: str) -> Answer:
    """Tell the keeper a command; ``LabError`` if it was not done."""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(ANSWER_WITHIN_S)
        try:
            line.connect(str(SOCKET))
        except (FileNotFoundError, ConnectionRefusedError) as error:
            raise NotUp("no ring is up; `make cluster-up` starts one") from error
        line.sendall(msgspec.json.encode(words))
        line.shutdown(socket.SHUT_WR)
        answer = msgspec.json.decode(_all_of(line), type=Answer)
    if not answer.is_done:
        raise LabError(answer.text)
    return answer


def keeper() -> int | None:
    """The pid of the process that keeps a ring, or builds one; None if there is none."""
    try:
        with LOCK.open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return None
    except BlockingIOError:
        return int(LOCK.read_text())
    return None


def keep(*, with_bareway: bool) -> None:
    """Build the ring and keep it until told otherwise."""
    began = time.monotonic()

    def say(sentence: str) -> None:
        print(f"[{time.monotonic() - began:5.1f} s] {sentence}", flush=True)

    with Lab() as lab:
        free = free_networks()
        if not free:
            raise CannotTry(f"this host uses all of {', '.join(NETWORKS)}: no network is left for the ring")
        ring = Ring(lab, network=free[0])
        ring.lan.let_host_in()
        ring.start(say)
        if with_bareway:
            installation = Installation(ring)
            installation.load_images()
            say("Bareway's image is built and loaded.")
            installation.install()
            say("Bareway is installed.")
        KUBECONFIG.unlink(missing_ok=True)
        KUBECONFIG.symlink_to(ring.kubeconfig)
        with socket.socket(socket.AF_UNIX) as door:
            SOCKET.unlink(missing_ok=True)
            door.bind(str(SOCKET))
            door.listen()
            say(UP)
            try:
                _serve(door, ring)
            finally:
                SOCKET.unlink(missing_ok=True)
                KUBECONFIG.unlink(missing_ok=True)


def _serve(door: socket.socket, ring: Ring) -> NoReturn:
    while True:
        line, _ = door.accept()
        with line, suppress(OSError, msgspec.MsgspecError):  # an asker that went away
            line.settimeout(ANSWER_WITHIN_S)
            words = msgspec.json.decode(_all_of(line), type=list[str])
            try:
                answer = obey(ring, words)
            except LabError as failure:
                answer = Answer(is_done=False, text=str(failure))
            line.sendall(msgspec.json.encode(answer))


def obey(ring: Ring, words: Sequence[str]) -> Answer:
    """Do one command."""
    match words:
        case ["load", archive]:
            ring.load(Path(archive))
            return Answer(is_done=True, text=f"{archive} is loaded on {len(ring.nodes)} nodes")
        case ["where", machine]:
            return Answer(is_done=True, text="", arguments=_way_into(ring, machine))
        case ["api", ("stop" | "start") as verb]:
            _api(ring, verb)
        case ["node", name, verb, *daemon]:
            _node(ring.node(name), verb, *daemon)
        case _:
            raise LabError(f"unknown command: {' '.join(words)}")
    return Answer(is_done=True, text="done")


def _way_into(ring: Ring, machine: str) -> list[str]:
    if machine in {node.name for node in ring.nodes}:
        return list(ring.node(machine).machine.command())
    if machine not in ring.lab.machines:
        raise LabError(f"there is no machine {machine!r}; there are {', '.join(ring.lab.machines)}")
    return ["ip", "netns", "exec", ring.lab.machines[machine].namespace]


def _api(ring: Ring, verb: str) -> None:
    if verb == "stop":
        ring.plane.api_server.kill()
    else:
        ring.plane.api_server.start()
        ring.plane.wait_ready()


def _node(node: Node, verb: str, daemon: str = "") -> None:
    machine = node.machine
    faults: Mapping[str, Callable[[], None]] = {
        "cut": machine.cut,
        "join": machine.join,
        "freeze": machine.freeze,
        "thaw": machine.thaw,
        "off": machine.power_off,
        "on": node.power_on,
        "stop": lambda: node.stop_daemon(daemon),
        "start": lambda: node.start_daemon(daemon),
    }
    if verb not in faults:
        raise LabError(f"unknown: {verb!r}; a node knows {', '.join(faults)}")
    faults[verb]()


def _all_of(line: socket.socket) -> bytes:
    """Everything up to the other side's end of speech."""
    heard = b""
    while chunk := line.recv(MESSAGE_MAX):
        heard += chunk
        if len(heard) > MESSAGE_MAX:
            raise LabError(f"more than {MESSAGE_MAX} bytes in one command")
    return heard


def main() -> int:
    if missing := what_is_missing():
        print(missing, file=sys.stderr)
        return CANNOT
    PLACE.mkdir(mode=0o700, exist_ok=True)
    with LOCK.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("A ring is up already; `make cluster-down` ends it.", file=sys.stderr)
            return 1
        lock.truncate(0)
        print(os.getpid(), file=lock, flush=True)
        try:
            keep(with_bareway="--bareway" in sys.argv[1:])
        except CannotTry as lack:
            print(lack, file=sys.stderr)
            return CANNOT
        except LabError as failure:
            print(failure, file=sys.stderr)
            return 1
        finally:
            cgroups.clean()
    return 0


if __name__ == "__main__":
    sys.exit(main())
