"""A stream of bytes cut into lines, whatever the sizes of the chunks that it comes in."""

LINE_MAX_BYTES = 4 * 2**20  # etcd refuses objects above 1.5 MiB; JSON of a watch adds an envelope and escapes


class LineTooLong(ValueError):
    """No newline within the limit: what comes is no watch."""


class LineSplitter:
    """Cuts chunks at newlines and keeps the unfinished rest for the next chunk."""

    def __init__(self, limit: int = LINE_MAX_BYTES) -> None:
        self._limit = limit
        self._parts: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that ``chunk`` completes, without their newline; blank lines are left out.

        Raises:
            LineTooLong: a line exceeds the limit.
        """
        *ended, rest = chunk.split(b"\n")
        if ended:
            self._parts.append(ended[0])
            ended[0] = b"".join(self._parts)
            self._parts.clear()
            self._size = 0
        if rest:
            self._parts.append(
                rest
            )  # joined once: a line that comes in 1,000 chunks is not copied 1,000 times
            self._size += len(rest)
        if self._size > self._limit or any(len(line) > self._limit for line in ended):
            raise LineTooLong(f"a line of more than {self._limit} bytes")
        return [line for line in ended if line.strip()]
