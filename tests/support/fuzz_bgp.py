"""Broken messages against codec and sessions: ``PYTHONPATH=tests:. python -m support.fuzz_bgp 600``.

Starts from good messages, so that the mistakes lie deep; each round can be told again by its seed.
"""

import sys
from random import Random
from typing import Final

from bareway.bgp import codec, updates
from bareway.bgp.capabilities import FourOctetAs, MultiProtocol, RestartCapability, UnknownCapability
from bareway.bgp.codec import Reader
from bareway.bgp.errors import BadMessage
from bareway.bgp.events import Received, Tick, Want, Writable
from bareway.bgp.messages import Keepalive, Malformed, Notification, Open, RouteRefresh
from bareway.bgp.negotiated import Negotiated
from bareway.bgp.prefixes import IPV4, IPV6
from bareway.runtime.clock import monotonic
from support.bgp import CONNECTION, ROUTER, ROUTER_ASN, Bench, bench, routes

ROUNDS_SHORT: Final = 400
GOOD_OPEN: Final = Open(
    asn=ROUTER_ASN,
    hold_time_s=90,
    router_id=ROUTER,
    capabilities=(
        MultiProtocol(IPV4),
        MultiProtocol(IPV6),
        FourOctetAs(ROUTER_ASN),
        RestartCapability(restart_time_s=120, families=((IPV4, True),)),
        UnknownCapability(71, bytes(7)),
    ),
)
ATTRIBUTES: Final = bytes.fromhex(
    "40010100 40020602010000fc01 400304c0000201 80040400000001 40050400000064 400600 c007080000fc01c0000201"
    "c00804fc000064 800904c0000201 800a04c0000201 c010084004fc0047f42400 c0110602010000fc01 c0200c0000fc0000"
    "00000100000002 800e1a0002011020010db800000000000000000000000100 2020010db8 800f080002012020010db8"
)
SEEDS: Final = (
    codec.encode(GOOD_OPEN),
    codec.encode(Keepalive()),
    codec.encode(RouteRefresh(family=IPV4)),
    codec.encode(Notification(code=6, subcode=2, data=b"\3bye")),
    updates.frame(b"", ATTRIBUTES, bytes.fromhex("18cb0071 20c6336407")),
    updates.frame(bytes.fromhex("18cb0071"), b"", b""),
    updates.end_of_rib(IPV6),
)


def broken(message: bytes, rng: Random) -> bytes:
    """``message`` with a few mistakes behind its marker; its length mostly right."""
    data = bytearray(message[16:])
    for _ in range(rng.randrange(1, 5)):
        if len(data) <= 2:
            break
        place = rng.randrange(2, len(data))
        match rng.randrange(4):
            case 0:
                data[place] = rng.randrange(256)
            case 1:
                del data[place : place + rng.randrange(1, 6)]
            case 2:
                data[place:place] = rng.randbytes(rng.randrange(1, 6))
            case _:
                data[place] ^= 1 << rng.randrange(8)
    if rng.random() < 0.9:
        data[:2] = (16 + len(data)).to_bytes(2)
    return updates.MARKER + bytes(data)


def one_message(rng: Random) -> None:
    """Decode a broken message in some session; only `BadMessage` may come of it, and it can be answered."""
    session = Negotiated(
        has_four_octet_as=rng.random() < 0.5,
        is_internal=rng.random() < 0.5,
        families=frozenset({IPV4, IPV6}),
        has_extended_next_hop=rng.random() < 0.5,
    )
    data = broken(rng.choice(SEEDS), rng)
    try:
        codec.decode(data, session)
    except BadMessage as error:
        fault = error.fault
        codec.encode(Notification(code=fault.code, subcode=fault.subcode, data=fault.data))
    reader = Reader()
    reader.session = session
    found = list(reader.feed(data))
    assert all(not isinstance(message, Malformed) for message in found[:-1])


def one_session(rng: Random) -> None:
    """A session hears good and broken messages, in any portions, and goes on answering."""
    one: Bench = bench(seed=rng.randrange(2**16), graceful_restart=rng.random() < 0.5)
    one.do(Want(routes=routes("198.51.100.7/32", "2001:db8::/48")))
    if rng.random() < 0.8:
        one.established(GOOD_OPEN)
    else:
        one.connected(is_incoming=True)
    for _ in range(6):
        message = rng.choice(SEEDS)
        data = message if rng.random() < 0.6 else broken(message, rng)
        cut = rng.randrange(len(data) + 1)
        for part in (data[:cut], data[cut:]):
            one.do(Received(connection=CONNECTION, data=part))
        one.do(Writable(connection=CONNECTION))
        one.now += rng.random() * 40
        one.do(Tick())
        assert one.session.deadline > one.now


def rounds(seed: int, amount: int) -> None:
    """So many rounds, the first with ``seed``."""
    for number in range(seed, seed + amount):
        rng = Random(number)
        try:
            one_message(rng)
            one_session(rng)
        except BaseException:
            print(f"seed {number}", file=sys.stderr)
            raise


def main(seconds: float) -> None:
    """Go on for so long, and say how far it came."""
    start, number = monotonic(), 0
    while monotonic() - start < seconds:
        rounds(number, ROUNDS_SHORT)
        number += ROUNDS_SHORT
    print(f"{number} rounds, nothing but BadMessage")


if __name__ == "__main__":
    main(float(sys.argv[1]))
