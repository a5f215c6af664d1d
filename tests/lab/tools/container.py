"""Where ``bareway`` is run in a machine as the runtime runs it in a container, asked by exec.

    python -m lab.tools.container SOCKET

Each connection brings the words as a JSON list, ends them by closing its side, and gets back an ``Ended``.
The modules are loaded before anybody asks, and each command is a child of ours: what takes a new Python
half a second of CPU takes a twentieth, and a question to a whole cluster is eight of them.
"""

import os
import signal
import socket
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

import msgspec

from bareway.cli import doctor, status, why
from bareway.cli.__main__ import main as bareway
from bareway.cli.asking import kernel, sockets

LOADED = (doctor, status, why, kernel, sockets)
"""What the verbs import when they are used."""
BACKLOG = 32
CRASHED = 1


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """How a command ended."""

    output: bytes
    complaint: bytes
    code: int


def main() -> None:
    """Serve until a signal comes."""
    path = Path(sys.argv[1])
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel forgets our children by itself
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen(BACKLOG)
        print("ready", flush=True)
        while True:
            asking, _ = listening.accept()
            with asking:
                if os.fork() == 0:
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    asking.sendall(msgspec.msgpack.encode(run(read_words(asking))))
                    os._exit(0)


def read_words(asking: socket.socket) -> Sequence[str]:
    """All that it brings."""
    said = b""
    while more := asking.recv(1 << 16):
        said += more
    return msgspec.json.decode(said, type=list[str])


def run(words: Sequence[str]) -> Ended:
    """In this process, which ends afterwards."""
    written = [os.memfd_create(name) for name in ("output", "complaint")]
    for stream, descriptor in zip((1, 2), written, strict=True):
        os.dup2(descriptor, stream)
    try:
        code = int(bareway(words))
    except SystemExit as end:  # argparse, of words that it does not know
        code = end.code if isinstance(end.code, int) else CRASHED
    except BaseException:  # noqa: BLE001 - as the interpreter tells of it
        traceback.print_exc()
        code = CRASHED
    sys.stdout.flush()
    sys.stderr.flush()
    output, complaint = (os.pread(descriptor, os.fstat(descriptor).st_size, 0) for descriptor in written)
    return Ended(output=output, complaint=complaint, code=code)


if __name__ == "__main__":
    main()
