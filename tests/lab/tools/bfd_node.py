"""A main program that wants BFD sessions and nothing else; runs under ``python -m speaker.bfd``.

Arguments: ``PEER,LOCAL,INTERFACE,HOPS`` for each session, HOPS ``single`` or ``multi``; ``--every-ms`` if
not each 100. Writes a JSON line of ``Stand`` for each change and, on SIGUSR1, for each session with its
figures. SIGHUP: other intervals.
"""

import argparse
import asyncio
import os
import signal
import sys
import time
from dataclasses import replace
from ipaddress import ip_address

import msgspec

from bareway.bfd.packet import Diagnostic, State
from bareway.bfd.register import Path
from bareway.model.configuration import BfdProfile
from lab.observations import Stand
from speaker.bfd.client import BfdClient, inherited, wanted
from speaker.bfd.records import Wanted

BIRD_S = 60
"""BIRD sends with the system's own TTL over several hops: 64, less the routers between."""
FAST = BfdProfile(
    name="fast", receive_interval_ms=100, transmit_interval_ms=100, detect_multiplier=3, minimum_ttl=BIRD_S
)
SLOWER = BfdProfile(
    name="slower", receive_interval_ms=400, transmit_interval_ms=250, detect_multiplier=4, minimum_ttl=BIRD_S
)


def tell(stand: Stand) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(stand) + b"\n")
    sys.stdout.buffer.flush()


def sessions(words: list[str], profile: BfdProfile) -> list[Wanted]:
    found = []
    for word in words:
        peer, local, interface, hops = word.split(",")
        path = Path(ip_address(peer), ip_address(local) if local else None, interface, hops == "multi")
        found.append(wanted(path, profile))
    return found


class Node:
    def __init__(self, words: list[str], profile: BfdProfile) -> None:
        self._words = words
        connection = inherited(os.environ)
        assert connection is not None
        self._tasks: set[asyncio.Task[None]] = set()
        self._client = BfdClient(connection, on_state=self._told, on_trouble=self._trouble)
        self._client.want(sessions(words, profile))

    def change(self) -> None:
        self._client.want(sessions(self._words, SLOWER))

    def restart(self) -> None:
        self._client.announce_restart()

    async def figures(self) -> None:
        await self._client.figures()
        for path in self._client.sessions:
            self._tell(path, kind="figures")

    def ask(self, group: asyncio.TaskGroup) -> None:
        group.create_task(self.figures())

    def _told(self, path: Path, state: State, diagnostic: Diagnostic) -> None:
        self._tell(path, kind="changed")

    def _trouble(self, path: Path, number: int) -> None:
        self._tell(path, kind="trouble")

    def _tell(self, path: Path, *, kind: str) -> None:
        report = self._client.sessions[path]
        tell(
            Stand(
                at=time.monotonic(),
                kind=kind,
                peer=str(path.peer),
                state=report.state.name,
                diagnostic=Diagnostic(report.diagnostic).name,
                remote_state=report.remote_state.name,
                trouble=report.trouble,
                transmit_interval_us=report.transmit_interval_us,
                detection_time_us=report.detection_time_us,
                ups=report.ups,
                downs=report.downs,
                packets_in=report.packets_in,
            )
        )


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every-ms", type=int, default=FAST.transmit_interval_ms)
    parser.add_argument("sessions", nargs="+")
    given = parser.parse_args()
    every_ms = given.every_ms
    profile = replace(FAST, receive_interval_ms=every_ms, transmit_interval_ms=every_ms)
    loop = asyncio.get_running_loop()
    ending = asyncio.Event()
    node = Node(given.sessions, profile)
    async with asyncio.TaskGroup() as group:
        loop.add_signal_handler(signal.SIGTERM, ending.set)
        loop.add_signal_handler(signal.SIGHUP, node.change)
        loop.add_signal_handler(signal.SIGUSR1, node.ask, group)
        loop.add_signal_handler(signal.SIGUSR2, node.restart)
        await ending.wait()


if __name__ == "__main__":
    asyncio.run(main())
