"""Routers that misbehave, each on an address of its own, for one node.

    python -m lab.tools.bad_routers NODE ASN ADDRESS=BEHAVIOUR…

``million`` sends a million routes; ``deaf`` reads nothing once the session is up; ``flap`` closes as soon as
it is; ``wrong-as`` and ``hold-1`` say in OPEN what must be refused; ``same-id`` is of the node's AS and has
its router id; ``hundred`` opens a hundred connections to the node and says nothing in them; ``noise`` sends
what is no BGP. Writes a line for what it has done.
"""

import asyncio
import socket
import struct
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from ipaddress import IPv4Address

from bareway.bgp.capabilities import FourOctetAs, MultiProtocol
from bareway.bgp.codec import encode
from bareway.bgp.messages import Keepalive, Open
from bareway.bgp.prefixes import IPV4

BGP_PORT = 179
ROUTES = 1_000_000
PER_UPDATE = 800
NODE_ID = "192.0.2.11"
NODE_ASN = 64512
CONNECTIONS = 100
BETWEEN_FLAPS_S = 0.1
BETWEEN_KEEPALIVES_S = 2.0
HEADER_BYTES = 19
UPDATE = 2


async def message(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readexactly(HEADER_BYTES)
    return head + await reader.readexactly(struct.unpack_from("!H", head, 16)[0] - HEADER_BYTES)


def opening(address: str, asn: int, *, hold_time_s: int = 90) -> bytes:
    capabilities = (MultiProtocol(IPV4), FourOctetAs(asn))
    says = Open(asn=asn, hold_time_s=hold_time_s, router_id=IPv4Address(address), capabilities=capabilities)
    return encode(says)


def updates(address: str, asn: int) -> list[bytes]:
    """A million different /32, in as few messages as they fit in."""
    attributes = b"\x40\x01\x01\x00" + b"\x40\x02\x06\x02\x01" + struct.pack("!I", asn)
    attributes += b"\x40\x03\x04" + IPv4Address(address).packed
    found = []
    for begin in range(0, ROUTES, PER_UPDATE):
        nlri = b"".join(struct.pack("!BI", 32, 0x0B000000 + i) for i in range(begin, begin + PER_UPDATE))
        body = b"\0\0" + struct.pack("!H", len(attributes)) + attributes + nlri
        found.append(b"\xff" * 16 + struct.pack("!HB", HEADER_BYTES + len(body), UPDATE) + body)
    return found


class Bad:
    """One router."""

    def __init__(self, address: str, behaviour: str, node: str, asn: int) -> None:
        self._address, self._behaviour, self._node, self._asn = address, behaviour, node, asn

    async def run(self) -> None:
        if self._behaviour == "hundred":
            await self._knock()
            return
        server = await asyncio.start_server(self._serve, self._address, BGP_PORT)
        async with server:
            await server.serve_forever()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behaviours: dict[str, Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]] = {
            "million": self._million,
            "deaf": self._deaf,
            "flap": self._flap,
            "noise": self._noise,
        }
        try:
            await behaviours.get(self._behaviour, self._different)(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # the node has ended it
        finally:
            writer.close()

    async def _establish(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(opening(self._address, self._asn) + encode(Keepalive()))
        await message(reader)
        await message(reader)
        print(f"{self._behaviour} up", flush=True)

    async def _million(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._establish(reader, writer)
        for each in updates(self._address, self._asn):
            writer.write(each)
            await writer.drain()
        print("million sent", flush=True)
        while True:
            await message(reader)

    async def _deaf(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._establish(reader, writer)
        transport = writer.transport
        assert isinstance(transport, asyncio.Transport)
        transport.pause_reading()
        while True:  # it goes on saying that it is there
            await asyncio.sleep(BETWEEN_KEEPALIVES_S)
            writer.write(encode(Keepalive()))

    async def _flap(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._establish(reader, writer)
        await asyncio.sleep(BETWEEN_FLAPS_S)

    async def _noise(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"GET / HTTP/1.1\r\nHost: router\r\n\r\n" * 4)
        await reader.read()

    async def _different(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        said = {
            "wrong-as": opening(self._address, self._asn + 1),
            "hold-1": opening(self._address, self._asn, hold_time_s=1),
            "same-id": opening(NODE_ID, NODE_ASN),
        }
        writer.write(said[self._behaviour] + encode(Keepalive()))
        print(f"{self._behaviour} said", flush=True)
        while await reader.read(1 << 16):
            pass

    async def _knock(self) -> None:
        held: list[object] = []
        while not held:  # the node does not listen yet
            await asyncio.sleep(BETWEEN_FLAPS_S)
            await self._connect(held)
        for _ in range(CONNECTIONS - 1):
            await self._connect(held)
        print(f"hundred: {len(held)} connections", flush=True)
        await asyncio.Event().wait()

    async def _connect(self, held: list[object]) -> None:
        with suppress(OSError):  # refused, which is as good
            own = (self._address, 0)
            held.append(
                await asyncio.open_connection(self._node, BGP_PORT, local_addr=own, family=socket.AF_INET)
            )


async def main() -> None:
    node, asn, *routers = sys.argv[1:]
    async with asyncio.TaskGroup() as group:
        for router in routers:
            address, _, behaviour = router.partition("=")
            group.create_task(Bad(address, behaviour, node, int(asn)).run(), name=behaviour)


if __name__ == "__main__":
    asyncio.run(main())
