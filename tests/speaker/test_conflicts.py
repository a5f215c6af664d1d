"""A conflict is told to the operator, and a flood of them is not."""

import logging
from ipaddress import IPv4Address

import pytest

from bareway.layer2.ethernet import MacAddress
from bareway.layer2.responder import Conflict
from bareway.model.names import InterfaceName
from speaker.conflicts import LINES_MAX, QUIET_S, ConflictLog
from speaker.layer2.links import Link

LINK = Link(index=2, name=InterfaceName("eth0"), mac=MacAddress(b"\x02\0\0\0\0\1"), subnets=())


def conflict(last_octet: int, mac: int = 9) -> Conflict:
    return Conflict(
        IPv4Address(f"192.0.2.{last_octet}"), MacAddress(bytes([2, 0, 0, 0, 0, mac])), gratuitous=True
    )


def test_a_flood_about_one_address_is_one_line_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "speaker.conflicts")
    now = 100.0
    log = ConflictLog(lambda: now)
    for number in range(1000):
        log.tell(conflict(1, mac=number % 250), LINK)
    assert len(caplog.records) == 1
    assert vars(caplog.records[0])["ip"] == "192.0.2.1"
    now += QUIET_S
    log.tell(conflict(1), LINK)
    assert len(caplog.records) == 2


def test_many_addresses_at_once_are_some_lines_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "speaker.conflicts")
    now = 100.0
    log = ConflictLog(lambda: now)
    for last_octet in range(200):
        log.tell(conflict(last_octet), LINK)
    assert len(caplog.records) == LINES_MAX
    now += QUIET_S
    log.tell(conflict(250), LINK)
    assert len(caplog.records) == LINES_MAX + 1
