"""Which sessions there are, who wants them, and what is told of them; without sockets or clock.

A session lives on while the main program is gone: it asks anew and finds its sessions as they stand. What
nobody has wanted for a minute is ended, and the peer is told that it was on purpose.
"""

import errno
import math
from collections.abc import Iterator
from random import Random
from typing import Final, Protocol

from bareway.bfd.drops import DropReason, PacketError
from bareway.bfd.memory import Memory, resumed
from bareway.bfd.packet import State, decode, encode
from bareway.bfd.register import Arrival, Entry, Path, Register
from bareway.bfd.session import Change, Disable, Enable, Ended, Event, Received, Send, Session, Tick
from bareway.bfd.timing import PATIENT_MULTIPLIER
from speaker.bfd.records import Report, ReportKind, Request, RequestKind, Totals, Wanted

UNWANTED_S: Final = 60.0
"""A main program that starts anew has asked by then, even on a slow node; one that does not has left."""
FAREWELLS: Final = 3
"""Copies of a last packet: one may be lost."""
SESSIONS_MOST: Final = 256
"""More routers than a node peers with; beyond that a mistake is at work, and the first ones stay in time."""


class Wires(Protocol):
    """The network, as the desk uses it."""

    @property
    def dropped(self) -> int:
        """Packets that the kernel kept back by their TTL."""

    def listen(self, path: Path, minimum_ttl: int) -> int:
        """Hear what comes for a path, at least with that TTL; 0 or an errno."""

    def send(self, path: Path, data: bytes) -> int:
        """To the peer; 0 or an errno."""

    def forget(self, path: Path) -> None:
        """A session is over."""


class Kept:
    """One session with what the desk knows of it."""

    __slots__ = ("downs", "heard", "sent", "session", "trouble", "unwanted_at", "ups", "wanted")

    def __init__(self, wanted: Wanted, session: Session) -> None:
        self.wanted = wanted
        self.session = session
        self.unwanted_at: float | None = None
        self.trouble = 0
        self.ups = 0
        self.downs = 0
        self.heard = 0
        self.sent = 0


class Desk:
    """All sessions of the process."""

    def __init__(self, *, wires: Wires, rng: Random) -> None:
        self._wires = wires
        self._rng = rng
        self._register = Register(rng)
        self._kept: dict[Path, Kept] = {}
        self._listed: set[Path] = set()
        self._untold: dict[Path, ReportKind] = {}
        self._owes_totals = False
        self.drops: dict[DropReason, int] = {}
        self.is_real_time = False

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def deadline(self) -> float:
        """When a ``tick`` is due."""
        return min((self._deadline_of(kept) for kept in self._kept.values()), default=math.inf)

    # -- from the main program

    def obey(self, request: Request, *, now: float) -> None:
        """Do what the main program says."""
        match request.kind:
            case RequestKind.WANT:
                if request.wanted is not None:
                    self._listed.add(request.wanted.path)
                    self._want(request.wanted, now=now)
            case RequestKind.COMPLETE:
                self._complete(now=now)
            case RequestKind.FIGURES:
                for path in self._kept:
                    self._untold.setdefault(path, ReportKind.FIGURES)
                self._owes_totals = True
            case RequestKind.RESTARTING:
                for path, kept in tuple(self._kept.items()):
                    timing = kept.wanted.timing._replace(detect_multiplier=PATIENT_MULTIPLIER)
                    self._handle(path, Change(timing, kept.wanted.is_passive), now=now)

    def leave_alone(self, *, now: float) -> None:
        """The main program is gone: nobody wants anything for now, and nobody listens."""
        self._listed.clear()
        self._untold.clear()
        self._owes_totals = False
        self._complete(now=now)

    def reports(self) -> Iterator[Report | Totals]:
        """What the main program has not been told yet; of each session how it stands now."""
        while self._untold:
            path, kind = next(iter(self._untold.items()))
            yield self._report(path, kind)
            self._untold.pop(path, None)
        if self._owes_totals:
            yield Totals(self.is_real_time, self._all_drops())
            self._owes_totals = False

    @property
    def has_news(self) -> bool:
        """There is something to tell."""
        return bool(self._untold) or self._owes_totals

    # -- from the network and the clock

    def hear(self, data: bytes, arrival: Arrival, *, now: float) -> None:
        """A datagram came."""
        try:
            packet = decode(data)
            entry = self._register.select(packet, arrival)
        except PacketError as error:
            self._drop(error.reason)
            return
        if entry.session.state is State.ADMIN_DOWN:
            self._drop(DropReason.ADMINISTRATIVELY_DOWN)
        else:
            self._kept[entry.path].heard += 1
        self._handle(entry.path, Received(packet), now=now)

    def tick(self, *, now: float) -> None:
        """All that had arrived by ``now`` was handed over."""
        for path, kept in tuple(self._kept.items()):
            if kept.unwanted_at is not None and now >= kept.unwanted_at + UNWANTED_S:
                kept.unwanted_at = None
                self._handle(path, Disable(), now=now)
            if path in self._kept and now >= kept.session.deadline:
                self._handle(path, Tick(), now=now)

    def end(self, *, now: float) -> None:
        """Tell all peers that we leave on purpose; nobody will be here to say it again."""
        for path, kept in self._kept.items():
            for output in kept.session.handle(Disable(), now=now):
                if isinstance(output, Send):
                    for _ in range(FAREWELLS):
                        self._send(path, kept, encode(output.packet))

    # -- over a restart of the whole process

    def memories(self) -> list[tuple[Wanted, Memory]]:
        """What is needed to go on with the sessions that are up."""
        return [
            (kept.wanted, Memory.of(kept.session))
            for kept in self._kept.values()
            if kept.session.state is State.UP
        ]

    def resume(self, wanted: Wanted, memory: Memory, *, now: float) -> None:
        """Go on with a session of a former life; it has a minute to be wanted."""
        session = resumed(memory, timing=wanted.timing, is_passive=wanted.is_passive, rng=self._rng, now=now)
        kept = self._keep(wanted, session)
        kept.unwanted_at = now
        kept.ups = 1

    # -- inside

    def _want(self, wanted: Wanted, *, now: float) -> None:
        path = wanted.path
        kept = self._kept.get(path)
        if kept is None:
            if len(self._kept) >= SESSIONS_MOST:
                self._untold[path] = ReportKind.CHANGED
                return
            session = Session(
                discriminator=self._register.new_discriminator(),
                timing=wanted.timing,
                is_passive=wanted.is_passive,
                rng=self._rng,
                now=now,
            )
            kept = self._keep(wanted, session)
        else:
            kept.wanted = wanted
            self._register.put(Entry(path, wanted.minimum_ttl, kept.session))
            self._wires.listen(path, wanted.minimum_ttl)
            self._handle(path, Enable(), now=now)
            self._handle(path, Change(wanted.timing, wanted.is_passive), now=now)
        kept.unwanted_at = None
        self._untold[path] = ReportKind.CHANGED

    def _keep(self, wanted: Wanted, session: Session) -> Kept:
        kept = self._kept[wanted.path] = Kept(wanted, session)
        self._register.put(Entry(wanted.path, wanted.minimum_ttl, session))
        kept.trouble = self._wires.listen(wanted.path, wanted.minimum_ttl)
        return kept

    def _complete(self, *, now: float) -> None:
        for path, kept in self._kept.items():
            is_ending = kept.session.state is State.ADMIN_DOWN
            if path not in self._listed and kept.unwanted_at is None and not is_ending:
                kept.unwanted_at = now
        self._listed.clear()

    def _handle(self, path: Path, event: Event, *, now: float) -> None:
        kept = self._kept[path]
        before = kept.session.state
        for output in kept.session.handle(event, now=now):
            if isinstance(output, Send):
                self._send(path, kept, encode(output.packet))
            elif isinstance(output, Ended):
                self._forget(path)
        self._note(path, kept, before)

    def _note(self, path: Path, kept: Kept, before: State) -> None:
        state = kept.session.state
        if state is before or path not in self._kept:
            return
        kept.ups += state is State.UP
        kept.downs += before is State.UP
        self._untold[path] = ReportKind.CHANGED

    def _send(self, path: Path, kept: Kept, data: bytes) -> None:
        trouble = self._wires.listen(path, kept.wanted.minimum_ttl) or self._wires.send(path, data)
        kept.sent += trouble == 0
        if trouble != kept.trouble:
            kept.trouble = trouble
            self._untold[path] = ReportKind.CHANGED

    def _forget(self, path: Path) -> None:
        del self._kept[path]
        self._register.remove(path)
        self._wires.forget(path)
        self._untold.pop(path, None)

    def _all_drops(self) -> dict[DropReason, int]:
        """With those by the kernel, before anybody here saw them."""
        unseen = self._wires.dropped
        if not unseen:
            return self.drops
        return {**self.drops, DropReason.BAD_TTL: self.drops.get(DropReason.BAD_TTL, 0) + unseen}

    def _drop(self, reason: DropReason) -> None:
        self.drops[reason] = self.drops.get(reason, 0) + 1

    def _deadline_of(self, kept: Kept) -> float:
        if kept.unwanted_at is None:
            return kept.session.deadline
        return min(kept.session.deadline, kept.unwanted_at + UNWANTED_S)

    def _report(self, path: Path, kind: ReportKind) -> Report:
        kept = self._kept.get(path)
        if kept is None:
            return Report(kind, path, State.DOWN, 0, State.DOWN, 0, trouble=errno.E2BIG)
        session = kept.session
        return Report(
            kind=kind,
            path=path,
            state=session.state,
            diagnostic=session.diagnostic,
            remote_state=session.remote.state,
            remote_diagnostic=session.remote.diagnostic,
            trouble=kept.trouble,
            discriminator=session.discriminator,
            remote_discriminator=session.remote.discriminator,
            transmit_interval_us=session.transmit_interval_us,
            ups=kept.ups,
            downs=kept.downs,
            detection_time_us=round(session.detection_time_s * 1_000_000),
            packets_in=kept.heard,
            packets_out=kept.sent,
        )
