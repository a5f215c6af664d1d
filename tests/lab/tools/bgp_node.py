"""The speaker's BGP driver with what a file says: sessions and routes (a ``Plan`` in JSON, `lab.announcer`).

    python -m speaker.bfd --memory FILE python -m lab.tools.bgp_node PLAN

SIGHUP: the file says something else. SIGUSR1: tell how all stands. SIGTERM: leave as the plan says. Writes a
JSON line of ``Word`` for each thing that happens.
"""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Iterator
from ipaddress import IPv4Address, ip_address, ip_network
from pathlib import Path
from random import Random

import msgspec

from bareway.bgp.events import Faulty, Stage, StateChanged, StopReason, Told
from bareway.bgp.peers import PeerSettings
from bareway.bgp.routes import Attributes, RouteSet, community, large_community
from bareway.model.configuration import BfdProfile
from bareway.model.names import IPNetwork
from lab.announcer import Plan, PlannedPeer, PlannedRoutes, Word
from speaker.bfd.client import inherited
from speaker.bgp.driver import BgpDriver

PROFILES = {
    "fast": BfdProfile(name="fast", receive_interval_ms=100, transmit_interval_ms=100, detect_multiplier=3)
}


def tell(word: Word) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(word) + b"\n")
    sys.stdout.buffer.flush()


def settings(peer: PlannedPeer) -> PeerSettings:
    return PeerSettings(
        name=peer.name,
        address=ip_address(peer.address),
        local_asn=peer.local_asn,
        peer_asn=peer.peer_asn,
        router_id=IPv4Address(peer.router_id),
        port=peer.port,
        source_address=ip_address(peer.source_address) if peer.source_address else None,
        is_passive=peer.is_passive,
        ttl_security=peer.ttl_security,
        password=peer.password.encode(),
        hold_time_s=peer.hold_time_s,
        connect_retry_s=peer.connect_retry_s,
        graceful_restart=peer.graceful_restart,
        bfd_profile="fast" if peer.has_bfd else "",
    )


def routes(planned: PlannedRoutes) -> Iterator[tuple[IPNetwork, Attributes]]:
    first = ip_network(planned.first)
    attributes = Attributes(
        communities=tuple(map(community, planned.communities)),
        large_communities=tuple(map(large_community, planned.large_communities)),
        local_preference=planned.local_preference,
        med=planned.med,
        link_bandwidth=planned.link_bandwidth,
    )
    kind, start, size = type(first), int(first.network_address), first.num_addresses
    for number in range(planned.count):
        yield kind((start + number * size, first.prefixlen)), attributes


class Node:
    def __init__(self, place: Path) -> None:
        self._place = place
        self._routes: tuple[PlannedRoutes, ...] = ()
        self._set = RouteSet()
        self._is_draining = False
        self.ending = asyncio.Event()
        # The process above us lives: who starts in its place was here a moment ago.
        connection = inherited(os.environ)
        self.driver = BgpDriver(rng=Random(str(place)), on_output=self._said, bfd_connection=connection)
        self.plan: Plan

    def follow(self) -> None:
        """Do what the file says now."""
        self.plan = msgspec.json.decode(self._place.read_bytes(), type=Plan)
        if self.plan.routes != self._routes:
            self._routes = self.plan.routes
            self._set = RouteSet.of(route for planned in self._routes for route in routes(planned))
        self.driver.configure({peer.name: settings(peer) for peer in self.plan.peers}, PROFILES)
        tell(Word(at=time.monotonic(), kind="wanted"))
        self.driver.want({peer.name: self._set for peer in self.plan.peers}, is_complete=True)
        if self.plan.is_draining is not self._is_draining:
            self._is_draining = self.plan.is_draining
            self.driver.drain(Stage.BEGIN if self._is_draining else Stage.END)

    def report(self) -> None:
        digests = self.driver.digests()
        for name, status in self.driver.statuses().items():
            tell(
                Word(
                    at=time.monotonic(),
                    kind="status",
                    peer=name,
                    state=status.state.name,
                    told=sum(status.told.values()),
                    owed=status.owed,
                    held_back=status.held_back,
                    established=status.established,
                    digest=digests[name],
                )
            )

    def _said(self, name: str, output: StateChanged | Told | Faulty) -> None:
        now = time.monotonic()
        match output:
            case StateChanged(after=after, reason=reason):
                tell(Word(at=now, kind="state", peer=name, state=after.name, reason=reason.value))
            case Told(notification=notice, is_ours=is_ours):
                inner = notice.inner
                tell(
                    Word(
                        at=now,
                        kind="notification",
                        peer=name,
                        is_ours=is_ours,
                        code=inner.code,
                        subcode=inner.subcode,
                        reason=str(notice),
                    )
                )
            case Faulty(fault=fault):
                tell(Word(at=now, kind="fault", peer=name, code=fault.code, subcode=fault.subcode))


async def main() -> None:
    loop = asyncio.get_running_loop()
    node = Node(Path(sys.argv[1]))
    loop.add_signal_handler(signal.SIGTERM, node.ending.set)
    loop.add_signal_handler(signal.SIGHUP, node.follow)
    loop.add_signal_handler(signal.SIGUSR1, node.report)
    node.follow()
    async with asyncio.TaskGroup() as group:
        serving = group.create_task(node.driver.run())
        tell(Word(at=time.monotonic(), kind="ready"))
        await node.ending.wait()
        await node.driver.leave(StopReason(node.plan.at_end))
        serving.cancel()


if __name__ == "__main__":
    asyncio.run(main())
