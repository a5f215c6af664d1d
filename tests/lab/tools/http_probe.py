"""Asks for a page on a fixed schedule, each time on a new connection (JSON lines of ``Attempt``).

Of several addresses each is asked in its turn. With ``--udp`` a datagram from a new port wants its echo.

    python -m lab.tools.http_probe 192.0.2.100 80

The schedule does not wait for answers: a request that hangs does not hide those after it.
"""

import argparse
import asyncio
import itertools
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from lab.observations import Attempt

Ask = Callable[[str, int], Awaitable[str]]

REPLY_MAX = 64 * 1024
"""A backend's page is a line; more than this is not ours."""


async def fetch(address: str, port: int) -> str:
    """The body of ``GET /``; ``OSError`` or ``ValueError`` when there is none."""
    loop = asyncio.get_running_loop()
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as connection:
        connection.setblocking(False)
        await loop.sock_connect(connection, (address, port))
        await loop.sock_sendall(connection, b"GET / HTTP/1.0\r\nHost: lab\r\n\r\n")
        reply = b""
        while chunk := await loop.sock_recv(connection, REPLY_MAX):
            reply += chunk
            if len(reply) > REPLY_MAX:
                raise ValueError("too long")
    head, _, body = reply.partition(b"\r\n\r\n")
    if head.split(b" ")[1:2] != [b"200"]:
        raise ValueError("status")
    return body.decode().strip()


async def echo(address: str, port: int) -> str:
    """What came back for a datagram of ours; ``OSError`` when the port is closed."""
    loop = asyncio.get_running_loop()
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as connection:
        connection.setblocking(False)
        await loop.sock_connect(connection, (address, port))
        await loop.sock_sendall(connection, b"echo")
        return (await loop.sock_recv(connection, REPLY_MAX)).decode()


async def attempt(ask: Ask, address: str, port: int, *, deadline_s: float) -> Attempt:
    """One request, told from its sending to its end."""
    sent_at = time.monotonic()
    body, failure = None, ""
    try:
        async with asyncio.timeout(deadline_s):
            body = await ask(address, port)
    except TimeoutError:
        failure = "timeout"
    except (OSError, ValueError) as error:
        failure = type(error).__name__
    return Attempt(sent_at=sent_at, ended_at=time.monotonic(), body=body, failure=failure, address=address)


async def probe(ask: Ask, addresses: Sequence[str], port: int, *, every_s: float, deadline_s: float) -> None:
    """Send on schedule until the process is ended; each attempt is a line as soon as it is over."""
    encode = msgspec.json.encode

    async def one(address: str) -> None:
        told = await attempt(ask, address, port, deadline_s=deadline_s)
        sys.stdout.buffer.write(encode(told) + b"\n")
        sys.stdout.buffer.flush()

    async with asyncio.TaskGroup() as group:
        due = time.monotonic()
        for address in itertools.cycle(addresses):
            group.create_task(one(address))
            # After a stall of the host the schedule begins anew: no burst of late requests.
            due = max(due + every_s, time.monotonic())
            await asyncio.sleep(due - time.monotonic())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("addresses", help="one or more, by comma")
    parser.add_argument("port", type=int)
    parser.add_argument("--udp", action="store_true")
    parser.add_argument("--every-ms", type=float, default=10.0)
    parser.add_argument("--deadline-ms", type=float, default=200.0)
    given = parser.parse_args()
    asyncio.run(
        probe(
            echo if given.udp else fetch,
            given.addresses.split(","),
            given.port,
            every_s=given.every_ms / 1000,
            deadline_s=given.deadline_ms / 1000,
        )
    )


if __name__ == "__main__":
    main()
