"""The gRPC server behind the socket of ``bareway.runtime.rpc``; imported by the first who asks.

Importing it costs 11 MB and seven threads. The threads stay inside gRPC: every call is answered on the loop,
so that a status is of one moment.
"""

import asyncio
import os
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from ipaddress import ip_address
from pathlib import Path
from typing import Final, TypeAlias

import grpc

from bareway.model.addresses import parse_address
from bareway.model.history import SpeakerHistory
from bareway.model.names import IPAddress
from bareway.model.status import ControllerStatus, SpeakerStatus
from bareway.rpc.convert import controller_message, speaker_message
from bareway.rpc.histories import history_message
from bareway.rpc.v1 import (
    controller_pb2,
    controller_pb2_grpc,
    history_pb2,
    speaker_pb2,
    speaker_pb2_grpc,
)

History: TypeAlias = Callable[[IPAddress | None], SpeakerHistory]
"""What is remembered of one address, or of all."""
Some: TypeAlias = Callable[[AbstractSet[IPAddress]], SpeakerStatus]
"""The status of a speaker, with these addresses alone."""

SOCKET_UMASK: Final = 0o177
"""Leaves 0600: nobody comes here but through the door."""
STOP_S: Final = 0.5  # for calls under way when the program ends


async def answer_for_speaker(
    path: Path,
    status: Callable[[], SpeakerStatus],
    history: History | None = None,
    *,
    some: Some,
    calls_max: int,
) -> None:
    """Answer what a speaker is asked on ``path`` until cancelled; ``OSError`` if it cannot be had."""
    server = grpc.aio.server(maximum_concurrent_rpcs=calls_max)
    speaker_pb2_grpc.add_SpeakerServicer_to_server(_Speaker(status, some, history), server)
    await _serve(server, path)


async def answer_for_controller(
    path: Path,
    status: Callable[[], ControllerStatus],
    *,
    why: Callable[[str], str],
    calls_max: int,
) -> None:
    """Answer what a controller is asked on ``path`` until cancelled; ``OSError`` if it cannot be had."""
    server = grpc.aio.server(maximum_concurrent_rpcs=calls_max)
    controller_pb2_grpc.add_ControllerServicer_to_server(_Controller(status, why), server)
    await _serve(server, path)


class _Speaker(speaker_pb2_grpc.SpeakerServicer):
    def __init__(self, status: Callable[[], SpeakerStatus], some: Some, history: History | None) -> None:
        self._status = status
        self._some = some
        self._history = history

    async def Status(  # noqa: N802 - the name in the .proto file
        self, request: speaker_pb2.SpeakerStatusRequest, _context: object
    ) -> speaker_pb2.SpeakerStatus:
        if not request.addresses:
            return speaker_message(self._status())
        named = {address for text in request.addresses if (address := parse_address(text)) is not None}
        return speaker_message(self._some(named))

    async def History(  # noqa: N802 - as above
        self,
        request: history_pb2.HistoryRequest,
        context: "grpc.aio.ServicerContext[history_pb2.HistoryRequest, history_pb2.SpeakerHistory]",
    ) -> history_pb2.SpeakerHistory:
        if self._history is None:
            await context.abort(grpc.StatusCode.UNIMPLEMENTED, "no history is kept here")
        try:
            about = ip_address(request.address) if request.address else None
        except ValueError:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"{request.address!r} is no IP address")
        history = self._history(about)
        await asyncio.sleep(0)  # each half takes 13 ms for all that a speaker remembers
        return history_message(history)


class _Controller(controller_pb2_grpc.ControllerServicer):
    def __init__(self, status: Callable[[], ControllerStatus], why: Callable[[str], str]) -> None:
        self._status = status
        self._why = why

    async def Status(  # noqa: N802 - the name in the .proto file
        self, _request: controller_pb2.ControllerStatusRequest, _context: object
    ) -> controller_pb2.ControllerStatus:
        return controller_message(self._status())

    async def Why(  # noqa: N802 - as above
        self, request: controller_pb2.WhyRequest, _context: object
    ) -> controller_pb2.WhyAnswer:
        return controller_pb2.WhyAnswer(chain=self._why(request.about))


async def _serve(server: grpc.aio.Server, path: Path) -> None:
    _listen(server, path)
    async with asyncio.TaskGroup() as group:
        starting = group.create_task(server.start(), name="start of gRPC")
        try:
            await asyncio.shield(starting)
            await asyncio.Event().wait()
        finally:
            await starting  # gRPC cannot stop a server whose start was broken off
            await server.stop(STOP_S)  # removes the socket too


def _listen(server: grpc.aio.Server, path: Path) -> None:
    before = os.umask(SOCKET_UMASK)
    try:
        server.add_insecure_port(f"unix:{path}")
    except RuntimeError as error:
        raise OSError(f"gRPC cannot listen on {path}") from error
    finally:
        os.umask(before)
