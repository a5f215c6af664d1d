"""What is wrong on the link is told once while it lasts, to those whom it concerns, and never in a flood."""

import logging
from collections.abc import Iterable
from dataclasses import replace
from ipaddress import ip_address

import pytest

from bareway.gossip.findings import Finding, FindingWord
from bareway.model.mac import MacAddress
from bareway.model.names import IPAddress, NodeName, ObjectKey
from bareway.model.objects import ObjectReference
from speaker.findings import FORGOTTEN_AFTER_S, TOLD_MAX, Findings
from support.rig import FakeRecorder

ME, OTHER = NodeName("a"), NodeName("b")
A = ip_address("192.0.2.1")
STRANGER = Finding(
    address=A,
    word=FindingWord.ADDRESS_IN_USE,
    mac=MacAddress.parse("02:00:00:00:00:99"),
    node=None,
    by=ME,
)
IPVS = replace(STRANGER, word=FindingWord.STRICT_ARP_MISSING, node=OTHER)


class Told:
    def __init__(self) -> None:
        self.now = 100.0
        self.recorder = FakeRecorder()
        self.findings = Findings(ME, recorder=self.recorder, services=self._services, clock=lambda: self.now)

    def _services(self, key: IPAddress) -> Iterable[ObjectReference]:
        return [ObjectReference(kind="Service", key=ObjectKey("shop", f"web-{int(key) & 255}"), uid="u")]

    def shown(self) -> list[Finding]:
        return list(self.findings.lasting)

    def events(self) -> list[tuple[str, str]]:
        return [(about, reason) for about, reason, _ in self.recorder.told]


def at(finding: Finding, last_octet: int) -> Finding:
    return replace(finding, address=ip_address(f"192.0.2.{last_octet}"))


def test_an_address_that_somebody_else_has_is_told_to_its_service(caplog: pytest.LogCaptureFixture) -> None:
    made = Told()
    with caplog.at_level(logging.WARNING, "speaker.findings"):
        made.findings.take(STRANGER)
    ((about, reason, message),) = made.recorder.told
    assert (about, reason) == ("shop/web-1", "AddressInUse")
    assert "192.0.2.1 is in use by a station that is no node of ours (02:00:00:00:00:99)" in message
    (record,) = caplog.records
    assert (vars(record)["mac"], vars(record)["detail"]) == ("02:00:00:00:00:99", message)
    assert made.findings.counts == {"AddressInUse": 1}
    assert made.findings.lasting == (STRANGER,)


def test_a_node_without_strict_arp_is_named_once_whatever_number_of_addresses_it_answers_for() -> None:
    made = Told()
    for last_octet in range(1, 200):
        made.findings.take(at(IPVS, last_octet))
    ((about, reason, message),) = made.recorder.told
    assert (about, reason) == ("b", "StrictArpMissing")
    assert "strictARP: true" in message
    assert "node b (02:00:00:00:00:99)" in message
    assert made.findings.counts == {"StrictArpMissing": 1}


def test_each_node_that_answers_is_named() -> None:
    made = Told()
    for node, octet in (("b", 11), ("c", 12), ("b", 11)):
        mac = MacAddress(bytes([2, 0, 0, 0, 0, octet]))
        made.findings.take(replace(IPVS, node=NodeName(node), mac=mac))
    assert made.events() == [("b", "StrictArpMissing"), ("c", "StrictArpMissing")]


def test_a_station_that_answers_for_all_is_told_about_the_node_that_it_is_or_that_saw_it() -> None:
    made = Told()
    made.findings.take(replace(STRANGER, word=FindingWord.PROXY_ARP_SUSPECTED))
    made.findings.take(replace(IPVS, word=FindingWord.PROXY_ARP_SUSPECTED, mac=MacAddress(b"\2\0\0\0\0\7")))
    assert made.events() == [("a", "ProxyArpSuspected"), ("b", "ProxyArpSuspected")]


def test_two_members_that_announced_the_same_is_told_to_the_service() -> None:
    made = Told()
    made.findings.take(replace(IPVS, word=FindingWord.DOUBLE_ANNOUNCER))
    assert made.events() == [("shop/web-1", "DoubleAnnouncer")]
    assert made.recorder.told[0][2].startswith("node b (02:00:00:00:00:99) announced 192.0.2.1 too")


def test_what_lasts_is_told_once_and_what_comes_back_is_told_again() -> None:
    made = Told()
    for _ in range(20):  # three minutes of it
        made.findings.take(STRANGER)
        made.now += 10.0
    assert len(made.recorder.told) == 1
    made.now += FORGOTTEN_AFTER_S
    assert made.findings.lasting == ()
    made.findings.take(STRANGER)
    assert len(made.recorder.told) == 2
    assert made.findings.counts == {"AddressInUse": 2}


def test_what_is_over_is_shown_no_more_and_told_anew_only_after_a_while() -> None:
    made = Told()
    for finding in (at(IPVS, 2), IPVS, STRANGER):
        made.findings.take(finding)
    assert made.shown() == [IPVS, STRANGER]
    made.findings.take(IPVS, lasts=False)
    made.findings.take(STRANGER, lasts=False)
    assert made.shown() == [at(IPVS, 2)], "it answers for that one"
    made.findings.take(at(IPVS, 2), lasts=False)
    assert made.shown() == []
    told = list(made.recorder.told)
    made.findings.take(STRANGER)
    assert made.shown() == [STRANGER]
    assert made.recorder.told == told
    made.findings.take(at(STRANGER, 9), lasts=False)  # of which nothing was told
    assert made.shown() == [STRANGER]


def test_what_another_member_found_is_for_it_to_tell() -> None:
    made = Told()
    made.findings.take(replace(STRANGER, by=OTHER))
    assert (made.recorder.told, made.findings.counts, made.findings.lasting) == ([], {}, ())


def test_a_link_full_of_strangers_is_counted_in_full_and_told_in_part() -> None:
    made = Told()
    for number in range(TOLD_MAX + 50):
        made.findings.take(replace(STRANGER, address=ip_address(0x0A000000 + number)))
    assert len(made.recorder.told) == len(made.findings.lasting) == TOLD_MAX
    assert made.findings.counts == {"AddressInUse": TOLD_MAX + 50}
