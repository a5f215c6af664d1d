"""Bareway with thousands of Services that had their addresses before it started, and what the wire says.

No kube-proxy stands beside it: nobody asks for pages here, only for addresses.
"""

import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from ipaddress import ip_address

from bareway.model.announcer_lists import shard_of
from lab.apis import PORT, READY_WITHIN_S, EmbeddedApi
from lab.machine import Machine
from lab.network import Lab
from lab.observations import ArpFrame, Write
from lab.process import Process, Records
from lab.site import Site
from lab.stations import NeighbourWatch, start_module
from lab.system import System
from lab.waiting import wait_for

FIRST = {"IPv4": ip_address("198.18.1.0"), "IPv6": ip_address("2001:db8:1::1:1")}
POOLS = ("198.18.0.0/16", "2001:db8:1::1:0/112")
"""For benchmarks (RFC 2544) and for documentation (RFC 3849); asked for on the link all the same."""
FILLED_WITHIN_S = 120.0
TOLD_WITHIN_S = 120.0
MET_WITHIN_S = 60.0
LISTED_WITHIN_S = 120.0
OTHER_CONFIG_MAPS = 2
QUIET_S = 5.0
QUIET_WITHIN_S = 300.0
"""Events are told at fifty a second and speaker."""


def addresses_of(count: int, families: Sequence[str]) -> list[str]:
    """So many addresses, as even parts of the families."""
    parts = [(count + place) // len(families) for place in range(len(families))]
    return [str(FIRST[family] + i) for family, part in zip(families, parts, strict=True) for i in range(part)]


class FilledApi(EmbeddedApi):
    """The embedded API server with Services in it, and a record of what is written."""

    name = "an embedded API server with many Services"

    def __init__(self, site: Site, addresses: Sequence[str], *, tool: str = "pod") -> None:
        """``tool`` is the module of ``lab.tools`` that speakers are."""
        super().__init__(site)
        self._addresses = addresses
        self._tool = tool

    def speaker(self) -> tuple[str, ...]:
        return (sys.executable, "-m", f"lab.tools.{self._tool}", self.url)

    def start(self) -> None:
        words = ("--listen", f"{self._machine.address}:{PORT}", "--kubeconfig-out", str(self.kubeconfig))
        self.process = start_module(
            self._machine, "lab.tools.filled_api", *words, *self._addresses, name="apiserver"
        )
        self._process = self.process
        self.process.wait_for_output(f":{PORT}", within_s=READY_WITHIN_S + FILLED_WITHIN_S)
        url_line = len(f"{self.url}\n")
        self._writes = Records(self.process.output, Write, offset=url_line)

    @property
    def writes(self) -> list[Write]:
        """All that was written since the start."""
        return self._writes.all()

    def attach(self, node: Machine) -> None:
        """Nobody asks for pages."""


class Wire:
    """What an observer saw told unasked, and answered for a few addresses that it asks for all the time."""

    def __init__(self, site: Site, sample: Sequence[str] = (), *, every_ms: float = 20.0) -> None:
        self._watches = {
            by_ndp: NeighbourWatch(
                site.observer,
                *(address for address in sample if (":" in address) is by_ndp),
                every_ms=every_ms,
                evenly=True,
                by_ndp=by_ndp,
                name=f"wire-{'ndp' if by_ndp else 'arp'}-{id(self)}",
            )
            for by_ndp in (False, True)
        }
        self._is_stopped = False
        self._read = dict.fromkeys(self._watches, 0)
        self._told: list[tuple[float, str, str]] = []
        self._answered: list[ArpFrame] = []

    def stop(self) -> None:
        """See nothing more; what was seen stays."""
        if not self._is_stopped:
            self._look()
        self._is_stopped = True
        for watch in self._watches.values():
            watch.process.kill()

    def told(self, *, since: float = 0.0, but: str = "", by: str = "") -> dict[str, float]:
        """When each address was first told of unasked after ``since``, by any MAC but this, or by this."""
        self._look()
        first: dict[str, float] = {}
        for at, address, mac in self._told:
            if at >= since and mac != but and by in {"", mac}:
                first.setdefault(address, at)
        return first

    def tellers(self) -> dict[str, str]:
        """Whose hardware address each address was told with last."""
        self._look()
        return {address: mac for _, address, mac in self._told}

    def answers(self, *, since: float = 0.0) -> list[ArpFrame]:
        """To what was asked."""
        self._look()
        return [frame for frame in self._answered if frame.at >= since]

    def _look(self) -> None:
        if self._is_stopped:
            return
        for family, watch in self._watches.items():
            frames = watch.frames
            for frame in frames[self._read[family] :]:
                if frame.is_gratuitous:
                    self._told.append((frame.at, frame.sender_ip, frame.sender_mac))
                elif frame.is_answer:
                    self._answered.append(frame)
            self._read[family] = len(frames)


class Multitude:
    """A system whose addresses are known beforehand."""

    def __init__(
        self,
        lab: Lab,
        *,
        count: int,
        nodes: int,
        families: Sequence[str],
        tool: str = "pod",
        flags: Sequence[str] = (),
        together: bool = False,
    ) -> None:
        """``together``: all speakers know each other before they know of any address.

        Otherwise none runs yet, and whoever starts first takes everything.
        """
        self.addresses = addresses_of(count, families)
        site = Site(lab, nodes=nodes)
        self.api = FilledApi(site, self.addresses, tool=tool)
        self.system = System(site, lambda _: self.api)
        self.system.speaker_flags = tuple(flags)
        self.system.start_cluster()
        if together:
            self.system.start_controller()
            self.start_speakers()
            wait_for(self._are_met, what="all speakers to meet", within_s=MET_WITHIN_S, poll_s=0.2)
            self.system.configure(*POOLS)
        else:
            self.system.configure(*POOLS)
            self.system.start_controller()
        wait_for(
            self._is_listed, what="the controller to list them all", within_s=LISTED_WITHIN_S, poll_s=0.2
        )

    @property
    def site(self) -> Site:
        """Where it stands."""
        return self.system.site

    def _are_met(self) -> bool:
        """By their logs: who is asked for its status needs more memory from then on."""
        others = len(self.site.nodes) - 1
        logs = [self.speaker(node).output.read_text() for node in self.site.nodes]
        return all(log.count('"state":"Alive"') >= others for log in logs)

    def _is_listed(self) -> bool:
        """Of ConfigMaps one was ours, two are its configuration and its memory, the others lists."""
        assert self.system.controller is not None
        self.system.controller.must_run()
        shards = {shard_of(ip_address(address)) for address in self.addresses}
        return self.writes(since=0.0)["configmaps"] >= OTHER_CONFIG_MAPS + len(shards)

    def writes(self, *, since: float) -> Counter[str]:
        """What was written after ``since``, by its kind; Leases are renewed for ever."""
        return Counter(
            write.resource for write in self.api.writes if write.at >= since and write.resource != "leases"
        )

    def wait_quiet(self) -> None:
        """Return once nothing was written for a while: every Event is told, every list is up to date."""
        wait_for(
            lambda: not self.writes(since=time.monotonic() - QUIET_S),
            what="an end of all writes",
            within_s=QUIET_WITHIN_S,
            poll_s=0.5,
        )

    def start_speakers(self) -> None:
        """All of them, one right after the other."""
        for node in self.site.nodes:
            self.system.start_speaker(node)

    def kill_speakers(self) -> None:
        """All of them, without a word."""
        for node in self.site.nodes:
            self.system.speakers[node.name].kill()

    def speaker(self, node: Machine) -> Process:
        """Its supervisor."""
        return self.system.speakers[node.name]

    def wait_told(
        self, wire: Wire, addresses: Iterable[str], *, since: float, but: str = ""
    ) -> dict[str, float]:
        """When each was first told of, once all were."""
        wanted = set(addresses)

        def whole() -> dict[str, float] | None:
            told = wire.told(since=since, but=but)
            return {one: told[one] for one in wanted} if wanted <= told.keys() else None

        return wait_for(whole, what="every address to be told of", within_s=TOLD_WITHIN_S, poll_s=0.1)

    def answerers(self, addresses: Sequence[str], *, over_s: float) -> dict[str, set[str]]:
        """Ask for each until it was answered; who answered for it."""
        wire = Wire(self.site, addresses, every_ms=1000 * over_s)

        def whole() -> dict[str, set[str]] | None:
            found: dict[str, set[str]] = {}
            for frame in wire.answers():
                found.setdefault(frame.sender_ip, set()).add(frame.sender_mac)
            return found if len(found) == len(addresses) else None

        try:
            return wait_for(whole, what="an answer for every address", within_s=TOLD_WITHIN_S, poll_s=0.2)
        finally:
            wire.stop()


@contextmanager
def multitude(
    *,
    count: int,
    nodes: int,
    families: Sequence[str],
    tool: str = "pod",
    flags: Sequence[str] = (),
    together: bool = False,
) -> Iterator[Multitude]:
    """Build it; no speaker runs yet, unless they start ``together``."""
    with Lab() as lab:
        yield Multitude(
            lab, count=count, nodes=nodes, families=families, tool=tool, flags=flags, together=together
        )
