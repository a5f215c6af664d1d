"""An HTTP response, cut out of the bytes of a connection (RFC 9112); without sockets.

Only what an API server sends in answer to a write: a length, chunks, or all until the end. Read over:
trailers, extensions of chunks, and every header but four.
"""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

HEAD_MAX: Final = 64 * 1024
"""Bytes of a status line and headers, or of what stands between two chunks; API servers send some hundred."""
_DIGITS: Final = 16
"""Of the size of a chunk: more says nothing that could ever be read."""


class BadResponse(ValueError):
    """No HTTP, or more of it than we take."""


@dataclass(frozen=True, slots=True)
class Response:
    """A whole one."""

    status: int
    retry_after: str
    body: bytes
    keeps: bool
    """Another request may follow on the same connection."""


class ResponseReader:
    """Takes the bytes of one response as they come."""

    def __init__(self, body_max_bytes: int) -> None:
        self._body_max = body_max_bytes
        self._buffer = bytearray()
        self._status = 0
        """0 until the head is complete."""
        self._retry_after = ""
        self._keeps = False
        self._length: int | None = None
        """Of the body, or of the chunk that is being read; None = it ends with the connection."""
        self._is_chunked = False
        self._chunks: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> Response | None:
        """The response, once it is complete.

        Raises:
            BadResponse: it never will be.
        """
        self._buffer += data
        if not self._status and not self._read_head():
            return None
        if self._is_chunked:
            return self._read_chunks()
        self._bound(len(self._buffer) if self._length is None else self._length)
        if self._length is None or len(self._buffer) < self._length:
            return None
        return self._end(bytes(self._buffer[: self._length]), self._length)

    def end(self) -> Response:
        """The connection has ended.

        Raises:
            BadResponse: in the middle.
        """
        if not self._status or self._is_chunked or self._length is not None:
            raise BadResponse("the connection ended before the answer")
        return self._end(bytes(self._buffer), len(self._buffer))

    def _read_head(self) -> bool:
        while not self._status:
            end = self._buffer.find(b"\r\n\r\n")
            if max(end, len(self._buffer) if end < 0 else 0) > HEAD_MAX:
                raise BadResponse(f"headers of more than {HEAD_MAX} bytes")
            if end < 0:
                return False
            status_line, *lines = bytes(self._buffer[:end]).decode("latin-1").split("\r\n")
            del self._buffer[: end + 4]
            status = _status(status_line)
            if status == HTTPStatus.SWITCHING_PROTOCOLS:
                raise BadResponse("it switches to a protocol that nobody asked for")
            if status >= HTTPStatus.OK:  # others announce that one (RFC 9110 section 15.2)
                self._take_head(status, status_line, lines)
        return True

    def _take_head(self, status: int, status_line: str, lines: list[str]) -> None:
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        self._status, self._retry_after = status, headers.get("retry-after", "")
        self._keeps = status_line.startswith("HTTP/1.1") and headers.get("connection", "").lower() != "close"
        if status in {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}:
            self._length = 0
        elif coding := headers.get("transfer-encoding"):
            if coding.lower() != "chunked":
                raise BadResponse(f"a coding that nobody asked for: {coding[:40]}")
            self._is_chunked = True
        elif (length := headers.get("content-length")) is not None:
            self._length = _number(length, 10)

    def _read_chunks(self) -> Response | None:
        """RFC 9112 section 7.1."""
        while True:
            if self._length is None:
                line = self._line()
                if line is None:
                    return None
                self._length = _number(line.partition(b";")[0].strip().decode("latin-1"), 16)
                self._bound(self._size + self._length)
            if not self._length:
                return self._read_trailers()
            if len(self._buffer) < self._length + 2:
                return None
            if self._buffer[self._length : self._length + 2] != b"\r\n":
                raise BadResponse("a chunk is longer than it says")
            self._chunks.append(bytes(self._buffer[: self._length]))
            self._size += self._length
            del self._buffer[: self._length + 2]
            self._length = None

    def _read_trailers(self) -> Response | None:
        while (line := self._line()) is not None:
            if not line:
                return self._end(b"".join(self._chunks), 0)
        return None

    def _line(self) -> bytes | None:
        end = self._buffer.find(b"\r\n")
        if end < 0:
            if len(self._buffer) > HEAD_MAX:
                raise BadResponse("a line without an end")
            return None
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        return line

    def _bound(self, size: int) -> None:
        if size > self._body_max:
            raise BadResponse(f"more than {self._body_max} bytes")

    def _end(self, body: bytes, used: int) -> Response:
        """What is left over belongs to no request of ours: that connection is not used again."""
        is_rest = len(self._buffer) > used
        keeps = self._keeps and not is_rest and (self._is_chunked or self._length is not None)
        return Response(self._status, self._retry_after, body, keeps)


def _status(line: str) -> int:
    version, _, rest = line.partition(" ")
    code = rest[:3]
    if not version.startswith("HTTP/1.") or not (
        code.isascii() and code.isdecimal() and len(code) == len("200")
    ):
        raise BadResponse(f"no HTTP: {line[:60]!r}")
    return int(code)


def _number(text: str, base: int) -> int:
    """A length; Python's own reader takes signs and underscores too."""
    if not text.isascii() or not text.isalnum() or len(text) > _DIGITS:
        raise BadResponse(f"no length: {text[:40]!r}")
    try:
        return int(text, base)
    except ValueError as error:
        raise BadResponse(f"no length: {text[:40]!r}") from error
