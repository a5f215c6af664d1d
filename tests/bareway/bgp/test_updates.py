"""What a peer's UPDATE may have wrong, and what follows: a row for each treatment of RFC 7606."""

from ipaddress import ip_network

import pytest

from bareway.bgp import updates
from bareway.bgp.errors import BadMessage, Treatment
from bareway.bgp.messages import Update
from bareway.bgp.negotiated import Negotiated
from bareway.bgp.prefixes import IPV4, IPV6, nlri

ORIGIN = "40 01 01 00"
PATH = "40 02 06 02 01 0000fc01"
HOP = "40 03 04 c0000201"
PREFERENCE = "40 05 04 00000064"
GOOD = f"{ORIGIN} {PATH} {HOP}"
ROUTE = "18 cb0071"  # 203.0.113.0/24
PREFIX = nlri(ip_network("203.0.113.0/24"))
REACH6 = "80 0e 1a 0002 01 10 20010db8000000000000000000000001 00 20 20010db8"
EXTERNAL = Negotiated(families=frozenset({IPV4, IPV6}))
INTERNAL = Negotiated(families=frozenset({IPV4, IPV6}), is_internal=True)


def body(attributes: str, announced: str = ROUTE, withdrawn: str = "") -> bytes:
    gone, told = bytes.fromhex(withdrawn), bytes.fromhex(attributes)
    parts = len(gone).to_bytes(2) + gone + len(told).to_bytes(2) + told
    return parts + bytes.fromhex(announced)


def test_a_good_update_is_announced_without_a_fault() -> None:
    told = updates.decode(body(GOOD), EXTERNAL)
    assert (told.announced, told.withdrawn, told.faults) == ({IPV4: (PREFIX,)}, {}, ())


@pytest.mark.parametrize(
    ("attributes", "subcode"),
    [
        pytest.param(f"40 01 01 03 {PATH} {HOP}", 6, id="ORIGIN of no value (7.1)"),
        pytest.param(f"40 01 02 0000 {PATH} {HOP}", 6, id="ORIGIN of two bytes (7.1)"),
        pytest.param(f"{ORIGIN} 40 02 06 05 01 0000fc01 {HOP}", 11, id="segment of no kind (7.2)"),
        pytest.param(f"{ORIGIN} 40 02 06 02 02 0000fc01 {HOP}", 11, id="segment that is cut off (7.2)"),
        pytest.param(f"{ORIGIN} 40 02 02 02 00 {HOP}", 11, id="empty segment (7.2)"),
        pytest.param(f"{ORIGIN} 40 02 01 02 {HOP}", 11, id="half a segment's head (7.2)"),
        pytest.param(f"{ORIGIN} 40 02 06 02 01 00000000 {HOP}", 11, id="AS 0 (RFC 7607)"),
        pytest.param(f"{ORIGIN} {PATH} 40 03 03 c00002", 8, id="NEXT_HOP of three bytes (7.3)"),
        pytest.param(f"{GOOD} 80 04 03 000000", 5, id="MED of three bytes (7.4)"),
        pytest.param(f"{GOOD} c0 08 03 000000", 9, id="COMMUNITIES of three bytes (7.8)"),
        pytest.param(f"{GOOD} c0 08 00", 9, id="empty COMMUNITIES (7.8)"),
        pytest.param(f"{GOOD} c0 10 04 00000000", 9, id="half an extended community (7.14)"),
        pytest.param(f"{GOOD} c0 20 08 0000000000000000", 9, id="two thirds of a large community"),
        pytest.param(f"80 01 01 00 {PATH} {HOP}", 4, id="flags of ORIGIN (3 c)"),
        pytest.param(f"{PATH} {HOP}", 3, id="no ORIGIN (3 d)"),
        pytest.param(f"{ORIGIN} {HOP}", 3, id="no AS_PATH (3 d)"),
        pytest.param(f"{ORIGIN} {PATH}", 3, id="no NEXT_HOP (3 d)"),
        pytest.param(f"{GOOD} 80 04 09 00", 1, id="last attribute too long (4)"),
        pytest.param(f"{GOOD} 80 04", 1, id="two bytes left (4)"),
        pytest.param(f"{GOOD} 90 04 00", 1, id="three bytes left of a long one (4)"),
    ],
)
def test_treated_as_withdrawn(attributes: str, subcode: int) -> None:
    told = updates.decode(body(attributes), EXTERNAL)
    assert (told.announced, told.withdrawn, told.attributes) == ({}, {IPV4: (PREFIX,)}, ())
    assert told.faults[0].treatment is Treatment.WITHDRAW
    assert told.faults[0].subcode == subcode


@pytest.mark.parametrize(
    "attributes",
    [
        pytest.param(f"{GOOD} 40 06 01 00", id="ATOMIC_AGGREGATE with a value (7.6)"),
        pytest.param(f"{GOOD} c0 07 06 fc00c0000201", id="AGGREGATOR of six bytes (7.7)"),
        pytest.param(f"{GOOD} {PREFERENCE}", id="LOCAL_PREF from another AS (7.5)"),
        pytest.param(f"{GOOD} 80 09 04 c0000201", id="ORIGINATOR_ID from another AS (7.9)"),
        pytest.param(f"{GOOD} 80 0a 03 c00002", id="CLUSTER_LIST from another AS (7.10)"),
        pytest.param(f"{GOOD} {ORIGIN}", id="ORIGIN twice (3 g)"),
        pytest.param(f"{GOOD} c0 63 00 c0 63 00", id="an unknown one twice (3 g)"),
    ],
)
def test_the_attribute_alone_is_dropped(attributes: str) -> None:
    told = updates.decode(body(attributes), EXTERNAL)
    assert told.announced == {IPV4: (PREFIX,)}
    assert [fault.treatment for fault in told.faults] == [Treatment.DISCARD]


def test_the_strongest_treatment_counts() -> None:
    told = updates.decode(body(f"{GOOD} 40 06 01 00 80 04 03 000000"), EXTERNAL)
    assert [fault.treatment for fault in told.faults] == [Treatment.DISCARD, Treatment.WITHDRAW]
    assert told.announced == {}


@pytest.mark.parametrize(
    ("data", "subcode"),
    [
        pytest.param(b"\0\x05\0\0", 1, id="withdrawn routes beyond the message"),
        pytest.param(b"\0\0\0\5\0", 1, id="attributes beyond the message"),
        pytest.param(body(GOOD, "21 c000020100"), 10, id="prefix of 33 bits (5.3)"),
        pytest.param(body(GOOD, "18 cb00"), 10, id="prefix that is cut off (5.3)"),
        pytest.param(body("", "", "18 cb00"), 10, id="withdrawn prefix that is cut off (3 i)"),
        pytest.param(body(f"{GOOD} 40 63 00"), 2, id="unknown well-known attribute"),
        pytest.param(body(f"{ORIGIN} {PATH} {REACH6} {REACH6}", ""), 1, id="MP_REACH_NLRI twice (3 g)"),
        pytest.param(body("80 0e 04 0002 01 10", ""), 9, id="MP_REACH_NLRI without its next hop (7.11)"),
        pytest.param(
            body(f"{ORIGIN} {PATH} 80 0e 0a 0002 01 04 c0000201 00 00", ""),
            9,
            id="next hop of 4 bytes (7.11)",
        ),
        pytest.param(body("80 0f 05 0002 01 81 00", ""), 9, id="prefix of 129 bits (5.3)"),
        pytest.param(body("80 0f 02 0002", ""), 9, id="MP_UNREACH_NLRI of two bytes (7.12)"),
        pytest.param(body("40 01 01 03", ""), 6, id="nothing to withdraw (5.2)"),
    ],
)
def test_the_session_ends(data: bytes, subcode: int) -> None:
    with pytest.raises(BadMessage) as refused:
        updates.decode(data, EXTERNAL)
    assert (refused.value.fault.code, refused.value.fault.subcode) == (3, subcode)


def test_within_an_as_preference_is_needed() -> None:
    assert updates.decode(body(f"{GOOD} {PREFERENCE}"), INTERNAL).faults == ()
    assert updates.decode(body(GOOD), INTERNAL).faults[0].data == b"\x05"
    bad = updates.decode(body(f"{GOOD} 40 05 03 000064"), INTERNAL)
    assert bad.withdrawn == {IPV4: (PREFIX,)}


def test_ipv6_is_read_in_its_attributes() -> None:
    told = updates.decode(body(f"{ORIGIN} {PATH} {REACH6}", ""), EXTERNAL)
    assert told.announced == {IPV6: (nlri(ip_network("2001:db8::/32")),)}
    gone = updates.decode(body("80 0f 08 0002 01 20 20010db8", ""), EXTERNAL)
    assert gone.withdrawn == told.announced


def test_a_family_that_was_not_agreed_on_is_passed_over() -> None:
    told = updates.decode(body(f"{ORIGIN} {PATH} {REACH6}", ""), Negotiated())
    assert told == Update(attributes=told.attributes)


def test_a_path_of_two_octets_is_read_with_what_stands_beside_it() -> None:
    old = Negotiated(has_four_octet_as=False)
    attributes = f"{ORIGIN} 40 02 04 02 01 5ba0 {HOP} c0 11 06 02 01 fa56ea00"
    assert updates.decode(body(attributes), old).faults == ()
    dropped = updates.decode(body(f"{ORIGIN} 40 02 04 02 01 5ba0 {HOP} c0 11 02 02 01"), old)
    assert [fault.treatment for fault in dropped.faults] == [Treatment.DISCARD]
    new = updates.decode(body(f"{GOOD} c0 11 06 02 01 fa56ea00"), EXTERNAL)
    assert 17 not in [attribute.kind for attribute in new.attributes]


def test_ipv4_with_a_next_hop_of_ipv6_is_read_where_agreed_on() -> None:
    reach = "80 0e 19 0001 01 10 20010db8000000000000000000000001 00 18 cb0071"
    agreed = Negotiated(has_extended_next_hop=True)
    assert updates.decode(body(f"{ORIGIN} {PATH} {reach}", ""), agreed).announced == {IPV4: (PREFIX,)}
    with pytest.raises(BadMessage):
        updates.decode(body(f"{ORIGIN} {PATH} {reach}", ""), Negotiated())
