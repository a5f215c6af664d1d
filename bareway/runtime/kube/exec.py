"""Runs one command in a container by the API's exec, over a WebSocket; needs the right to that, like kubectl.

Each message begins with the number of its channel: 1 what the command prints, 2 what it complains of, 3 how
it ended, as a Status. Protocols v5 and v4 differ in how input ends, and we give none.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from aiohttp import ClientWebSocketResponse, WSMsgType
from msgspec import Struct

from bareway.model.names import ObjectKey
from bareway.resources.kinds import PODS
from bareway.runtime.kube.client import KubeClient
from bareway.runtime.kube.errors import ApiError, BadAnswer, KubeError, Unreachable

PROTOCOLS: Final = (
    "v5.channel.k8s.io",
    "v4.channel.k8s.io",
)  # an API server before 1.30 knows the second alone
OUTPUT_MAX_BYTES: Final = 64 * 2**20  # ten times what a program tells of 10,000 addresses
COMPLAINT_MAX_BYTES: Final = 64 * 2**10  # the rest is dropped: a traceback's last line came long before
OUTPUT, COMPLAINT, END = b"\x01", b"\x02", b"\x03"
"""The first byte of a message: its channel."""
NOT_RUNNING: Final = ("container not found", "not running", "CONTAINER_EXITED", "stopped", "host assigned")
"""What kubelets and runtimes say of a container that is not there at the moment."""
NO_SUCH_CONTAINER: Final = "is not valid for pod"
NOT_FOUND: Final = ("executable file not found", "no such file or directory")


class CannotRun(KubeError):
    """The API server agreed, and the command did not start; the sentence says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What a command did."""

    code: int
    output: bytes
    complaint: str
    """Of standard error, the first 64 KiB."""


class _Cause(Struct, frozen=True):
    reason: str = ""
    message: str = ""


class _Details(Struct, frozen=True):
    causes: list[_Cause] | None = None


class _Status(Struct, frozen=True):
    status: str = ""
    reason: str = ""
    message: str = ""
    details: _Details | None = None


async def run_in_pod(
    client: KubeClient,
    pod: ObjectKey,
    command: Sequence[str],
    *,
    container: str,
    timeout_s: float,
    output_max_bytes: int = OUTPUT_MAX_BYTES,
) -> Ran:
    """Run ``command`` in that container to its end.

    Raises:
        Forbidden: no right to ``pods/exec``; ``NotFound``: no such Pod; ``Unreachable``: no answer in time.
        CannotRun: the container is not there, or has no such program.
        BadAnswer: more output than allowed, or not what the API promises.
    """
    what = f"exec in Pod {pod}"
    query = [("container", container), ("stdout", "true"), ("stderr", "true")]
    query += [("command", word) for word in command]
    try:
        async with (
            asyncio.timeout(timeout_s),
            client.websocket(PODS.object_path(pod, "exec"), query, protocols=PROTOCOLS) as socket,
        ):
            if socket.protocol not in PROTOCOLS:
                raise BadAnswer(f"{what}: the API server speaks neither of {', '.join(PROTOCOLS)}")
            heard = _Heard(what, output_max_bytes)
            await _listen(socket, heard)
    except TimeoutError:
        raise Unreachable(f"{what}: no answer within {timeout_s:g} s") from None
    except ApiError as error:
        if _is_missing(error.message) or NO_SUCH_CONTAINER in error.message:
            # An older API server lets the kubelet answer the request itself.
            raise CannotRun(_why(what, container, error.message)) from error
        raise
    return heard.ran(container)


async def _listen(socket: ClientWebSocketResponse[bool], heard: "_Heard") -> None:
    """Until the server closes: only then all is said, in whatever order it came."""
    while True:
        message = await socket.receive()
        match message.type:
            case WSMsgType.BINARY:
                heard.take(message.data)
            case WSMsgType.CLOSE | WSMsgType.CLOSED | WSMsgType.CLOSING | WSMsgType.ERROR:
                return
            case _:
                raise BadAnswer(f"{heard.what}: a message that is not binary")


class _Heard:
    """What came on the channels so far."""

    def __init__(self, what: str, output_max_bytes: int) -> None:
        self.what = what
        self._room = output_max_bytes
        self._output: list[bytes] = []
        self._complaint = b""
        self._end = b""

    def take(self, message: bytes) -> None:
        """One message; those that only open a channel are empty."""
        channel, content = message[:1], message[1:]
        if channel == OUTPUT:
            self._room -= len(content)
            if self._room < 0:
                raise BadAnswer(f"{self.what}: the command printed more than it may")
            self._output.append(content)
        elif channel == COMPLAINT:
            self._complaint += content[: COMPLAINT_MAX_BYTES - len(self._complaint)]
        elif channel == END:
            self._end += content[: COMPLAINT_MAX_BYTES - len(self._end)]

    def ran(self, container: str) -> Ran:
        """How it ended."""
        if not self._end:
            raise Unreachable(f"{self.what}: the connection ended before the command did")
        return Ran(
            code=_code(self.what, container, self._end),
            output=b"".join(self._output),
            complaint=self._complaint.decode(errors="replace"),
        )


def _code(what: str, container: str, end: bytes) -> int:
    try:
        status = msgspec.json.decode(end, type=_Status)
    except msgspec.MsgspecError as error:
        raise BadAnswer(f"{what}: its end is told by no Status: {error}") from error
    if status.status == "Success":
        return 0
    causes = (status.details.causes if status.details else None) or []
    code = next((cause.message for cause in causes if cause.reason == "ExitCode"), "")
    if status.reason == "NonZeroExitCode" and code.isdecimal():
        return int(code)
    raise CannotRun(_why(what, container, status.message))


def _is_missing(message: str) -> bool:
    return any(words in message for words in NOT_RUNNING)


def _why(what: str, container: str, message: str) -> str:
    if _is_missing(message):
        return f"{what}: its container {container} does not run ({message})"
    if NO_SUCH_CONTAINER in message:
        return f"{what}: it has no container {container}"
    if any(words in message for words in NOT_FOUND):
        return f"{what}: its image has no such program ({message})"
    return f"{what}: {message or 'the command did not start, and nothing says why'}"
