"""gRPC on a Unix socket: what a program says about itself, to whoever may open the socket.

Nothing can be changed here. Importing this costs 11 MB, 2 MB of them private, and seven threads;
gRPC's threaded server costs the same. Both programs import it at their start. The threads stay
inside gRPC: every call is answered on the loop, so that a status is of one moment.
"""

import asyncio
import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Final

import grpc

from bareway.model.status import ControllerStatus, SpeakerStatus
from bareway.rpc.convert import controller_message, speaker_message
from bareway.rpc.v1 import controller_pb2, controller_pb2_grpc, speaker_pb2, speaker_pb2_grpc

DIRECTORY_MODE: Final = 0o750
SOCKET_UMASK: Final = 0o117
"""Leaves 0660: owner and group may ask, since addresses and names of Services are not for everybody."""
CALLS_MAX: Final = 16  # at once; more callers wait in the kernel or are told to come back
STOP_S: Final = 0.5  # for calls under way when the program ends


class SocketRefusal(StrEnum):
    """Why a socket is not served."""

    ANOTHER_INSTANCE = "AnotherInstance"
    NOT_POSSIBLE = "NotPossible"


class SocketUnavailable(Exception):
    """The socket cannot be served; its text is the sentence to print."""

    def __init__(self, reason: SocketRefusal, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


async def serve_speaker(path: Path, status: Callable[[], SpeakerStatus]) -> None:
    """Answer Speaker.Status on ``path`` until cancelled.

    Raises:
        SocketUnavailable: at once, when the socket cannot be had.
    """
    server = _server()
    speaker_pb2_grpc.add_SpeakerServicer_to_server(_Speaker(status), server)
    await _serve(server, path)


async def serve_controller(path: Path, status: Callable[[], ControllerStatus]) -> None:
    """Answer Controller.Status on ``path`` until cancelled.

    Raises:
        SocketUnavailable: at once, when the socket cannot be had.
    """
    server = _server()
    controller_pb2_grpc.add_ControllerServicer_to_server(_Controller(status), server)
    await _serve(server, path)


class _Speaker(speaker_pb2_grpc.SpeakerServicer):
    def __init__(self, status: Callable[[], SpeakerStatus]) -> None:
        self._status = status

    async def Status(  # noqa: N802 - the name in the .proto file
        self, _request: speaker_pb2.SpeakerStatusRequest, _context: object
    ) -> speaker_pb2.SpeakerStatus:
        return speaker_message(self._status())


class _Controller(controller_pb2_grpc.ControllerServicer):
    def __init__(self, status: Callable[[], ControllerStatus]) -> None:
        self._status = status

    async def Status(  # noqa: N802 - the name in the .proto file
        self, _request: controller_pb2.ControllerStatusRequest, _context: object
    ) -> controller_pb2.ControllerStatus:
        return controller_message(self._status())


def _server() -> grpc.aio.Server:
    return grpc.aio.server(maximum_concurrent_rpcs=CALLS_MAX)


async def _serve(server: grpc.aio.Server, path: Path) -> None:
    with _ours(path):
        before = os.umask(SOCKET_UMASK)
        try:
            server.add_insecure_port(f"unix:{path}")
        except RuntimeError as error:
            raise _not_possible(path, error) from error
        finally:
            os.umask(before)
        await server.start()
        try:
            await asyncio.Event().wait()
        finally:
            await server.stop(STOP_S)


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
        yield  # gRPC removes the socket when it stops
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
