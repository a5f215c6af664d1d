"""Which news of addresses is looked at."""

import asyncio
import socket
from ipaddress import ip_address, ip_interface

import pytest

from bareway.model.names import IPAddress
from speaker.bgp import address_watch
from speaker.bgp.address_watch import AddressWatch
from speaker.layer2.netlink import AddressMessage, Message
from support.until import until

END = ip_address("198.51.100.77")
"""On no interface of this machine: as after it was taken away, and before it is there again."""


class Route:
    """Tells the same news once, and is readable then."""

    def __init__(self, *news: Message) -> None:
        self._near, self._far = socket.socketpair()
        self._news = list(news)
        self._far.send(b"x")
        self.was_read = False

    def fileno(self) -> int:
        return self._near.fileno()

    def news(self) -> list[Message] | None:
        self._near.recv(1)
        self.was_read = True
        return self._news

    def dump(self) -> list[Message]:
        return []

    def close(self) -> None:
        self._near.close()
        self._far.close()


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        pytest.param("198.51.100.77/24", 1, id="an end of a session that came back"),
        pytest.param("198.51.100.78/24", 0, id="an address of an interface without a session"),
    ],
)
async def test_news_of_an_end_counts_although_no_interface_is_known_to_bear_it(
    address: str, expected: int
) -> None:
    changes: list[str] = []
    route = Route(AddressMessage(index=1_000_000, address=ip_interface(address)))
    ends: set[IPAddress] = {END}
    watch = AddressWatch(
        ends=lambda: ends,
        on_change=lambda: changes.append("changed"),
        fresh_s=0.0,
        open_route=lambda: route,
    )
    assert END not in {message.address.ip for message in watch.known()}
    async with asyncio.TaskGroup() as group:
        task = group.create_task(watch.run())
        await until(lambda: route.was_read)
        await asyncio.sleep(0)
        task.cancel()
    assert len(changes) == expected


async def test_who_asks_after_news_that_nobody_waited_for_is_told_what_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A session that begins a moment after its link got another address."""
    link = [AddressMessage(index=7, address=ip_interface("198.51.100.77/24"))]
    later = AddressMessage(index=7, address=ip_interface("2001:db8::77/64"))
    monkeypatch.setattr(address_watch, "own_addresses", lambda: list(link))
    route = Route(later)
    watch = AddressWatch(ends=set, on_change=lambda: None, fresh_s=1000.0, open_route=lambda: route)
    assert watch.known() == link
    link.append(later)
    assert later not in watch.known()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(watch.run())
        await until(lambda: route.was_read)
        await asyncio.sleep(0)
        task.cancel()
    assert later in watch.known()
