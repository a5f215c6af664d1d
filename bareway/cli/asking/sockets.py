"""Asks the programs on this node over their Unix sockets; every failure becomes one sentence.

gRPC is imported when the first question is asked, so that other verbs start without it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

from bareway.model.history import SpeakerHistory
from bareway.model.names import IPAddress
from bareway.model.status import ControllerStatus, SpeakerStatus
from bareway.runtime.settings import CONTROLLER_SOCKET, SPEAKER_SOCKET

if TYPE_CHECKING:
    import grpc

T = TypeVar("T")

SOCKETS: Final = (CONTROLLER_SOCKET, SPEAKER_SOCKET)
ANSWER_MAX = 64 * 1024 * 1024  # bytes; 10,000 addresses with the longest names take half of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Silent:
    """Nobody answered on a socket."""

    path: Path
    sentence: str
    is_absent: bool = False
    """There is no such socket."""


Answer: TypeAlias = SpeakerStatus | ControllerStatus | Silent


def ask(path: Path, timeout_s: float, addresses: Sequence[str] = ()) -> Answer:
    """What the program behind ``path`` says about itself; a speaker of these ``addresses`` alone, if any."""
    return _called(path, timeout_s, lambda channel: _status(channel, timeout_s, addresses))


def ask_why(path: Path, about: str, timeout_s: float) -> str | Silent:
    """The chain of a Service or an address as JSON text, from the controller behind ``path``."""
    return _called(path, timeout_s, lambda channel: _why(channel, about, timeout_s))


def ask_history(path: Path, address: IPAddress | None, timeout_s: float) -> SpeakerHistory | Silent:
    """What the speaker behind ``path`` remembers of an address, or of all."""
    return _called(path, timeout_s, lambda channel: _history(channel, address, timeout_s))


def _called(path: Path, timeout_s: float, call: Callable[["grpc.Channel"], T]) -> T | Silent:
    """What the call returns, or why nobody answered it."""
    import grpc  # noqa: PLC0415 - 33 MB that other verbs do without

    try:
        if not path.is_socket():
            return Silent(path=path, sentence=f"no socket {path}: nothing runs here with it", is_absent=True)
    except OSError as error:
        return Silent(path=path, sentence=f"cannot look at {path}: {error.strerror}")
    options = [("grpc.max_receive_message_length", ANSWER_MAX)]
    with grpc.insecure_channel(f"unix:{path.absolute()}", options) as channel:
        try:
            return call(channel)
        except grpc.RpcError as error:
            return Silent(path=path, sentence=_sentence(path, error, timeout_s))


def _status(
    channel: "grpc.Channel", timeout_s: float, addresses: Sequence[str]
) -> SpeakerStatus | ControllerStatus:
    import grpc  # noqa: PLC0415 - as above

    from bareway.rpc.convert import controller_status, speaker_status  # noqa: PLC0415 - as above
    from bareway.rpc.v1 import controller_pb2, controller_pb2_grpc, speaker_pb2, speaker_pb2_grpc  # noqa: PLC0415

    try:
        request = speaker_pb2.SpeakerStatusRequest(addresses=addresses)
        return speaker_status(speaker_pb2_grpc.SpeakerStub(channel).Status(request, timeout=timeout_s))
    except grpc.RpcError as error:
        if error.code() is not grpc.StatusCode.UNIMPLEMENTED:  # it is a controller's socket
            raise
    return controller_status(
        controller_pb2_grpc.ControllerStub(channel).Status(
            controller_pb2.ControllerStatusRequest(), timeout=timeout_s
        )
    )


def _why(channel: "grpc.Channel", about: str, timeout_s: float) -> str:
    from bareway.rpc.v1 import controller_pb2, controller_pb2_grpc  # noqa: PLC0415 - as above

    request = controller_pb2.WhyRequest(about=about)
    return controller_pb2_grpc.ControllerStub(channel).Why(request, timeout=timeout_s).chain


def _history(channel: "grpc.Channel", address: IPAddress | None, timeout_s: float) -> SpeakerHistory:
    from bareway.rpc.histories import speaker_history  # noqa: PLC0415 - as above
    from bareway.rpc.v1 import history_pb2, speaker_pb2_grpc  # noqa: PLC0415

    request = history_pb2.HistoryRequest(address="" if address is None else str(address))
    return speaker_history(speaker_pb2_grpc.SpeakerStub(channel).History(request, timeout=timeout_s))


def _sentence(path: Path, error: "grpc.RpcError", timeout_s: float) -> str:
    import grpc  # noqa: PLC0415 - as above

    match error.code():
        case grpc.StatusCode.UNAVAILABLE:
            return f"nothing answers on {path}: the program ended, or you may not open it ({error.details()})"
        case grpc.StatusCode.DEADLINE_EXCEEDED:
            return f"no answer on {path} within {timeout_s:g} s: the program hangs or is frozen"
        case _:
            return f"a bad answer on {path}: {error.code().name}: {error.details()}"
