"""The main program's side of BFD: says which sessions it wants, and hears how they stand.

    client = BfdClient(connection, on_state=told)   # connection = inherited(environ); None = nobody to ask
    client.want([wanted(path, profile), …])         # the whole list, as often as you like
    client.sessions[path]                           # a Report: both sides' states, figures, trouble

``on_state(path, state, diagnostic)`` is called for each change of a wanted session, and once with how it
stands when it is wanted first: after a restart of the main program that may be UP. A session that went down
and came up again while nobody read is told as both. Look at ``sessions[path].remote_state`` before a session
to the router is ended for it: ``ADMIN_DOWN`` there says nothing of the path (RFC 5882 section 3.2).
"""

import asyncio
import socket
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final

from bareway.bfd.packet import Diagnostic, State
from bareway.bfd.register import TTL, Path
from bareway.bfd.timing import Timing
from bareway.model.configuration import BfdProfile
from speaker.bfd.records import (
    DESCRIPTOR_VARIABLE,
    MINIMUM_TTL_OF_MULTIHOP,
    REPORT_BYTES,
    Report,
    Request,
    RequestKind,
    Totals,
    Wanted,
    pack_request,
    read_report,
)

OnState = Callable[[Path, State, Diagnostic], None]
MICROSECONDS: Final = 1000
REPORTS_MOST: Final = 64
"""In one turn of the loop."""
DEFAULTS: Final = BfdProfile(name="")


def inherited(environ: Mapping[str, str]) -> socket.socket | None:
    """The socket that the process above us left for us; None where it keeps no BFD sessions."""
    number = environ.get(DESCRIPTOR_VARIABLE, "")
    if not number.isdecimal():
        return None
    try:
        return socket.socket(fileno=int(number))
    except OSError:  # the variable outlived the process that set it
        return None


def wanted(path: Path, profile: BfdProfile = DEFAULTS) -> Wanted:
    """A session with the timing of a profile; what that leaves open is 300 ms times 3, as in FRR."""
    default = Timing()
    transmit_ms, receive_ms = profile.transmit_interval_ms, profile.receive_interval_ms
    return Wanted(
        path=path,
        timing=Timing(
            default.desired_min_tx_us if transmit_ms is None else transmit_ms * MICROSECONDS,
            default.required_min_rx_us if receive_ms is None else receive_ms * MICROSECONDS,
            profile.detect_multiplier or default.detect_multiplier,
        ),
        is_passive=profile.passive_mode,
        minimum_ttl=(profile.minimum_ttl or MINIMUM_TTL_OF_MULTIHOP) if path.is_multihop else TTL,
    )


class BfdClient:
    """One connection to the BFD process; belongs to the running loop."""

    def __init__(
        self,
        connection: socket.socket,
        *,
        on_state: OnState,
        on_lost: Callable[[], None] | None = None,
        on_trouble: Callable[[Path, int], None] | None = None,
    ) -> None:
        connection.setblocking(False)  # noqa: FBT003 - its only form
        self._connection = connection
        self._on_state = on_state
        self._on_lost = on_lost
        self._on_trouble = on_trouble
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(connection, self._read)
        self._wanted: dict[Path, Wanted] = {}
        self._reports: dict[Path, Report] = {}
        self._unsent: deque[bytes] = deque()
        self._totals: Totals | None = None
        self._asking: list[asyncio.Future[Totals]] = []
        self._is_open = True

    @property
    def sessions(self) -> Mapping[Path, Report]:
        """How each wanted session stood when it was last told; figures are as old as ``figures()``."""
        return MappingProxyType(self._reports)

    @property
    def is_open(self) -> bool:
        """The process is there."""
        return self._is_open

    def want(self, sessions: Iterable[Wanted]) -> None:
        """From now on these and no others; a session that is not in the list ends after a minute."""
        self._wanted = {session.path: session for session in sessions}
        for path in self._reports.keys() - self._wanted.keys():
            del self._reports[path]
        requests = [Request(RequestKind.WANT, session) for session in self._wanted.values()]
        self._say(*requests, Request(RequestKind.COMPLETE))

    def announce_restart(self) -> None:
        """We end soon, on purpose, and shall be back: the peers are asked for patience."""
        self._say(Request(RequestKind.RESTARTING))

    def ask(self) -> None:
        """Have ``sessions`` brought up to date soon, unless something waits to be said already."""
        if self._is_open and not self._unsent:
            self._say(Request(RequestKind.FIGURES))

    async def figures(self) -> Totals:
        """Bring ``sessions`` up to date; what concerns no session is returned.

        Raises:
            ConnectionError: the process is gone.
        """
        if not self._is_open:
            raise ConnectionResetError("the BFD process is gone")
        answer: asyncio.Future[Totals] = self._loop.create_future()
        self._asking.append(answer)
        self._say(Request(RequestKind.FIGURES))
        return await answer

    def close(self) -> None:
        """Hear and say nothing more; the sessions go on for a minute."""
        if self._is_open:
            self._is_open = False
            self._loop.remove_reader(self._connection)
            self._loop.remove_writer(self._connection)
            self._connection.close()
            for answer in self._asking:
                if not answer.done():
                    answer.set_exception(ConnectionResetError("the BFD process is gone"))
            self._asking.clear()

    # -- inside

    def _say(self, *requests: Request) -> None:
        if requests[-1].kind is RequestKind.COMPLETE:
            self._unsent.clear()  # a newer list; a question that waits there is asked again
            requests += (Request(RequestKind.FIGURES),) if self._asking else ()
        self._unsent += [pack_request(request) for request in requests]
        self._write()

    def _write(self) -> None:
        if not self._is_open:
            return
        try:
            while self._unsent:
                self._connection.send(self._unsent[0])
                self._unsent.popleft()
        except BlockingIOError:
            self._loop.add_writer(self._connection, self._write)
        except ConnectionError:
            self._lose()
        else:
            self._loop.remove_writer(self._connection)

    def _read(self) -> None:
        for _ in range(REPORTS_MOST):
            try:
                record = self._connection.recv(REPORT_BYTES + 1)
            except BlockingIOError:
                return
            except ConnectionError:
                record = b""
            if not record:
                self._lose()
                return
            self._hear(read_report(record))
            if not self._is_open:  # whoever was told has closed us
                return

    def _hear(self, report: Report | Totals) -> None:
        if isinstance(report, Totals):
            for answer in self._asking:
                if not answer.done():
                    answer.set_result(report)
            self._asking.clear()
        elif report.path in self._wanted:
            before = self._reports.get(report.path)
            self._reports[report.path] = report
            self._tell(before, report)

    def _tell(self, before: Report | None, report: Report) -> None:
        path, diagnostic = report.path, _named(report.diagnostic)
        if before is None or report.state is not before.state:
            self._on_state(path, report.state, diagnostic)
        elif report.state is State.UP and report.downs != before.downs:
            self._on_state(path, State.DOWN, diagnostic)
            self._on_state(path, State.UP, diagnostic)
        if self._on_trouble is not None and report.trouble != (0 if before is None else before.trouble):
            self._on_trouble(path, report.trouble)

    def _lose(self) -> None:
        self.close()
        if self._on_lost is not None:
            self._on_lost()


def _named(number: int) -> Diagnostic:
    return Diagnostic(number) if number in set(Diagnostic) else Diagnostic.NONE
