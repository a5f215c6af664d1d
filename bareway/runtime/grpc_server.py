"""The gRPC server behind the socket of ``bareway.runtime.rpc``; imported by the first who asks.

Importing it costs 11 MB and seven threads. The threads stay inside gRPC: every call is answered on the loop,
so that a status is of one moment.
"""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import grpc

from bareway.model.status import ControllerStatus, SpeakerStatus
from bareway.rpc.convert import controller_message, speaker_message
from bareway.rpc.v1 import controller_pb2, controller_pb2_grpc, speaker_pb2, speaker_pb2_grpc

SOCKET_UMASK: Final = 0o177
"""Leaves 0600: nobody comes here but through the door."""
STOP_S: Final = 0.5  # for calls under way when the program ends


async def answer_for_speaker(path: Path, status: Callable[[], SpeakerStatus], *, calls_max: int) -> None:
    """Answer Speaker.Status on ``path`` until cancelled; ``OSError`` if it cannot be had."""
    server = grpc.aio.server(maximum_concurrent_rpcs=calls_max)
    speaker_pb2_grpc.add_SpeakerServicer_to_server(_Speaker(status), server)
    await _serve(server, path)


async def answer_for_controller(
    path: Path, status: Callable[[], ControllerStatus], *, calls_max: int
) -> None:
    """Answer Controller.Status on ``path`` until cancelled; ``OSError`` if it cannot be had."""
    server = grpc.aio.server(maximum_concurrent_rpcs=calls_max)
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
