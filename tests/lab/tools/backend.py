"""A backend: answers every request with one line of text and closes; a datagram is sent back as it came.

python -m lab.tools.backend 10.244.0.1,fd00:10:244::1 8080 "Hello from backend-1"
"""

import argparse
import asyncio
from typing import cast


class Echo(asyncio.DatagramProtocol):
    """Sends every datagram back."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._transport.sendto(data, addr)


async def serve(address: str, port: int, page: str) -> None:
    """Answer until the process is ended."""
    body = f"{page}\n".encode()
    head = f"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n\r\n".encode()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(5.0):
                await reader.readuntil(b"\r\n\r\n")
                writer.write(head + body)
                await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # the client's affair
        finally:
            writer.close()

    addresses = address.split(",")
    server = await asyncio.start_server(answer, addresses, port, backlog=512)
    for each in addresses:
        await asyncio.get_running_loop().create_datagram_endpoint(Echo, local_addr=(each, port))
    print(f"serving {address}:{port}", flush=True)
    async with server:
        await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("address", help="one or more, by comma")
    parser.add_argument("port", type=int)
    parser.add_argument("page")
    given = parser.parse_args()
    asyncio.run(serve(given.address, given.port, given.page))


if __name__ == "__main__":
    main()
