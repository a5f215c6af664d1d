"""A Unix socket on which a program says what it knows about itself, by gRPC, to whoever may open the socket.

Nothing can be changed here. Few ask, and gRPC is the largest library that a program would carry: so the door
is ours, and the first who knocks starts the server behind it (``bareway.runtime.grpc_server``). Their bytes
are passed on as they are.

Left out: a limit for who keeps talking; only the owner can.
"""

import asyncio
import fcntl
import importlib
import os
import socket
from collections.abc import Callable, Coroutine, Iterator
from collections.abc import Set as AbstractSet
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeAlias

from bareway.model.history import SpeakerHistory
from bareway.model.names import IPAddress
from bareway.model.status import ControllerStatus, SpeakerStatus

DIRECTORY_MODE: Final = 0o700
SOCKET_UMASK: Final = 0o177
"""Leaves 0600: whom the program runs as may ask, and root; names of Services are not for everybody."""
BACKLOG: Final = 16
GUESTS_MAX: Final = 16  # at once; more wait in the kernel or are told to come back
CHUNK_BYTES: Final = 65_536
READY_POLL_S: Final = 0.01  # until the server behind the door listens: some tenths of a second, once
READY_WITHIN_S: Final = 10.0  # on a starving machine; who asks gives up before
OUT_OF_MEANS_S: Final = 0.5
IDLE_S: Final = (
    60.0  # a guest who says and hears nothing: an answer takes milliseconds, and 16 would fill the house
)
SPARE_DESCRIPTORS: Final = 16
"""gRPC ends the whole process if it gets none while it starts; it takes fewer than these."""

Server: TypeAlias = Callable[[Path], Coroutine[None, None, None]]
"""Answers on a socket of its own until cancelled."""


class SocketRefusal(StrEnum):
    """Why a socket is not served."""

    ANOTHER_INSTANCE = "AnotherInstance"
    NOT_POSSIBLE = "NotPossible"


class SocketUnavailable(Exception):
    """The socket cannot be served; its text is the sentence to print."""

    def __init__(self, reason: SocketRefusal, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


def narrowed(status: SpeakerStatus, addresses: AbstractSet[IPAddress]) -> SpeakerStatus:
    """The same, of addresses only these."""
    return replace(status, addresses=tuple(one for one in status.addresses if one.address in addresses))


def _knows_nothing(about: str) -> str:  # noqa: ARG001 - whatever it is
    return ""


async def serve_speaker(
    path: Path,
    status: Callable[[], SpeakerStatus],
    *,
    some: Callable[[AbstractSet[IPAddress]], SpeakerStatus] | None = None,
    history: Callable[[IPAddress | None], SpeakerHistory] | None = None,
    at_once: bool = False,
) -> None:
    """Answer what a speaker is asked on ``path`` until cancelled; ``at_once``: gRPC starts before that.

    ``some`` is the status with these addresses alone; by default it is taken out of the whole.

    Raises:
        SocketUnavailable: at once, when the socket cannot be had.
    """

    async def answer(behind: Path) -> None:
        await _load()
        from bareway.runtime.grpc_server import answer_for_speaker  # noqa: PLC0415 - 11 MB, when somebody asks

        of_some = some or (lambda addresses: narrowed(status(), addresses))
        await answer_for_speaker(behind, status, history, some=of_some, calls_max=GUESTS_MAX)

    await _Door(path, answer).serve(at_once=at_once)


async def serve_controller(
    path: Path, status: Callable[[], ControllerStatus], *, why: Callable[[str], str] = _knows_nothing
) -> None:
    """Answer what a controller is asked on ``path`` until cancelled.

    ``why`` tells the chain of a Service or an address as JSON text; empty = nothing is known yet.

    Raises:
        SocketUnavailable: at once, when the socket cannot be had.
    """

    async def answer(behind: Path) -> None:
        await _load()
        from bareway.runtime.grpc_server import answer_for_controller  # noqa: PLC0415 - as above

        await answer_for_controller(behind, status, why=why, calls_max=GUESTS_MAX)

    await _Door(path, answer).serve()


class _Door:
    """Listens, and leads everybody who comes to the server behind it."""

    def __init__(self, path: Path, answer: Server) -> None:
        self._path = path
        self._behind = path.with_name(f".{path.name}")
        self._answer = answer
        self._guests = asyncio.Semaphore(GUESTS_MAX)
        self._server: asyncio.Task[None] | None = None
        self._listened = False

    async def serve(self, *, at_once: bool = False) -> None:
        """Until cancelled."""
        with _ours(self._path):
            _remove_socket(self._behind)
            listener = _listen(self._path)
            try:
                async with asyncio.TaskGroup() as group:
                    if at_once:
                        self._server = self._served(group)
                    await self._let_in(group, listener)
            finally:
                listener.close()
                self._path.unlink(missing_ok=True)

    async def _let_in(self, group: asyncio.TaskGroup, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._guests.acquire()
            guest = await _accept(loop, listener)
            self._server = self._served(group)
            group.create_task(self._lead(guest, self._server), name="a guest of gRPC")

    def _served(self, group: asyncio.TaskGroup) -> asyncio.Task[None]:
        """The server, which may just be starting; a new one if it ended or its socket was taken away."""
        server = self._server
        gone = self._listened and not self._behind.is_socket()
        if server is None or server.done() or server.cancelling() or gone:
            self._listened = False
            server = group.create_task(self._serve_behind(server), name="gRPC")
        return server

    async def _serve_behind(self, former: asyncio.Task[None] | None) -> None:
        if former is not None:  # it removes the socket when it ends: not ours
            former.cancel()
            await asyncio.wait({former})
        with suppress(OSError):  # the folder is gone, or no file may be opened: the next guest tries again
            await self._answer(self._behind)

    async def _lead(self, guest: socket.socket, server: asyncio.Task[None]) -> None:
        """Pass bytes both ways until both sides have said all, or nothing for too long."""
        try:
            with guest, await self._reach(server) as host:
                async with asyncio.timeout(IDLE_S) as idle, asyncio.TaskGroup() as group:
                    group.create_task(_pass_on(guest, host, idle))
                    group.create_task(_pass_on(host, guest, idle))
        except* OSError:  # one of them is gone
            pass
        finally:
            self._guests.release()

    async def _reach(self, server: asyncio.Task[None]) -> socket.socket:
        """A connection to the server; ``OSError`` if it does not start: the next guest gets another."""
        try:
            async with asyncio.timeout(READY_WITHIN_S):
                while (host := await _connect(self._behind)) is None:
                    if server.done():
                        raise ConnectionRefusedError
                    await asyncio.sleep(READY_POLL_S)
        except TimeoutError:
            server.cancel()
            raise
        self._listened = True
        return host


async def _load() -> None:
    """Import gRPC beside the loop, which must turn meanwhile; ``OSError`` if files run out."""
    _check_descriptors()
    await asyncio.to_thread(importlib.import_module, "bareway.runtime.grpc_server")
    _check_descriptors()


def _check_descriptors() -> None:
    with ExitStack() as opened:
        for _ in range(SPARE_DESCRIPTORS):
            opened.callback(os.close, os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))


async def _accept(loop: asyncio.AbstractEventLoop, listener: socket.socket) -> socket.socket:
    while True:
        try:
            guest, _ = await loop.sock_accept(listener)
        except OSError:  # no file may be opened any more: not our end, and soon another's
            await asyncio.sleep(OUT_OF_MEANS_S)
        else:
            guest.settimeout(0)
            return guest


async def _connect(path: Path) -> socket.socket | None:
    with suppress(FileNotFoundError, ConnectionRefusedError), ExitStack() as unless_connected:
        host = unless_connected.enter_context(socket.socket(socket.AF_UNIX))
        host.settimeout(0)
        await asyncio.get_running_loop().sock_connect(host, str(path))
        unless_connected.pop_all()
        return host
    return None


async def _pass_on(source: socket.socket, target: socket.socket, idle: asyncio.Timeout) -> None:
    loop = asyncio.get_running_loop()
    while chunk := await loop.sock_recv(source, CHUNK_BYTES):
        idle.reschedule(loop.time() + IDLE_S)
        await loop.sock_sendall(target, chunk)
    target.shutdown(socket.SHUT_WR)


def _listen(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    before = os.umask(SOCKET_UMASK)
    try:
        listener.bind(str(path))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise _not_possible(path, error) from error
    finally:
        os.umask(before)
    listener.settimeout(0)
    return listener


@contextmanager
def _ours(path: Path) -> Iterator[None]:
    """Hold the lock beside the socket: who has it may replace a socket that a dead program left behind.

    The kernel drops the lock with the process, so that nothing has to be guessed about a socket that exists.
    """
    try:
        path.parent.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)
        lock = os.open(path.with_name(path.name + ".lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _not_possible(path, error) from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            sentence = f"another instance serves {path}; give this one its own with --socket"
            raise SocketUnavailable(SocketRefusal.ANOTHER_INSTANCE, sentence) from error
        _remove_socket(path)
        yield
    finally:
        os.close(lock)


def _remove_socket(path: Path) -> None:
    """Remove a socket, and nothing that is not one: --socket may be a slip of the pen."""
    if path.is_socket():
        path.unlink(missing_ok=True)
    elif path.exists():
        raise _not_possible(path, FileExistsError("it is there and is not a socket"))


def _not_possible(path: Path, error: Exception) -> SocketUnavailable:
    sentence = f"cannot serve {path} ({error}); choose another with --socket, or --socket=off"
    return SocketUnavailable(SocketRefusal.NOT_POSSIBLE, sentence)
