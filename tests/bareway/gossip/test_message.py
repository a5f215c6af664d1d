"""Messages and their bytes, both ways, and what a reader refuses."""

from collections.abc import Sequence
from ipaddress import ip_address, ip_network
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import msgpack

from bareway.gossip.claims import Claim
from bareway.gossip.findings import Finding, FindingWord
from bareway.gossip.member import (
    LINK_NAME_MAX,
    LINKS_MAX,
    Facts,
    LinkFact,
    MemberState,
    Report,
    Side,
    publishable,
)
from bareway.gossip.message import (
    FRAME_MAX,
    WAIT_MAX_MS,
    BadMessage,
    DropReason,
    Heartbeat,
    Message,
    News,
    PingAnswer,
    PingRequest,
    Pull,
    State,
    decode,
    encode,
    news,
    states,
)
from bareway.gossip.parts import NAME_MAX, NUMBER_MAX, UPDATES_MAX
from bareway.model.mac import MAC_BYTES, MacAddress
from bareway.model.names import InterfaceName, IPNetwork, NodeName

T = TypeVar("T")
NAMES = st.from_regex(r"\A[a-z0-9.-]{1,30}\Z").map(NodeName)
NUMBERS = st.integers(0, NUMBER_MAX)
SIDES = st.builds(Side, NUMBERS, NAMES)
MACS = st.binary(min_size=MAC_BYTES, max_size=MAC_BYTES).map(MacAddress)
NETWORKS: st.SearchStrategy[IPNetwork] = st.builds(
    lambda address, share: ip_network((address, round(share * address.max_prefixlen)), strict=False),
    st.ip_addresses(),
    st.floats(0, 1),
)
LINKS = st.lists(
    st.builds(
        LinkFact,
        name=st.from_regex(r"\A[a-z0-9.@-]{1,15}\Z").map(InterfaceName),
        mac=MACS,
        networks=st.lists(NETWORKS, max_size=4).map(tuple),
    ),
    max_size=4,
).map(publishable)
REPORTS = st.builds(
    Report,
    name=NAMES,
    epoch=NUMBERS,
    incarnation=NUMBERS,
    state=st.sampled_from(MemberState),
    facts=st.builds(
        Facts,
        started=st.booleans(),
        able=st.booleans(),
        leaving=st.booleans(),
        links=LINKS,
        key_id=st.binary(max_size=16),
    ),
    by=NAMES,
    side=st.none() | SIDES,
    crashed=st.booleans(),
)
CLAIMS = st.builds(
    Claim, address=st.ip_addresses(), generation=NUMBERS, count=NUMBERS, node=NAMES | st.just(NodeName(""))
)
FINDINGS = st.builds(
    Finding,
    address=st.ip_addresses(),
    word=st.sampled_from(FindingWord),
    mac=MACS,
    node=st.none() | NAMES,
    by=NAMES,
)
UPDATES = {
    "reports": st.lists(REPORTS, max_size=4).map(tuple),
    "claims": st.lists(CLAIMS, max_size=4).map(tuple),
}
MESSAGES: st.SearchStrategy[Message] = st.one_of(
    st.builds(
        Heartbeat,
        sequence=NUMBERS,
        interval_ms=st.integers(5, 60_000),
        generation=NUMBERS,
        view_digest=NUMBERS,
        claims_digest=NUMBERS,
        side=SIDES,
    ),
    st.builds(News, relay=st.booleans(), findings=st.lists(FINDINGS, max_size=4).map(tuple), **UPDATES),
    st.builds(Pull, number=NUMBERS),
    st.builds(PingRequest, number=NUMBERS, target=NAMES, wait_ms=st.integers(0, WAIT_MAX_MS)),
    st.builds(PingAnswer, number=NUMBERS, heard=st.booleans()),
    st.builds(State, number=NUMBERS, last=st.booleans(), **UPDATES),
)

HEARTBEAT = bytes.fromhex(
    "97"  # an array of seven
    "01"  # kind: heartbeat
    "07"  # sequence
    "64"  # interval 100 ms
    "00"  # generation
    "cd 0102"  # digest of the view
    "cd 0304"  # digest of the claims
    "92 03 a5 6e6f646531"  # side: three members, the lowest is node1
)


def test_a_heartbeat_is_laid_out_as_drawn() -> None:
    heartbeat = Heartbeat(
        sequence=7,
        interval_ms=100,
        generation=0,
        view_digest=0x0102,
        claims_digest=0x0304,
        side=Side(3, NodeName("node1")),
    )
    assert encode(heartbeat) == HEARTBEAT
    assert decode(HEARTBEAT) == heartbeat


@given(MESSAGES)
def test_what_is_encoded_is_decoded_the_same(message: Message) -> None:
    assert decode(encode(message)) == message


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_a_bad_message(frame: bytes) -> None:
    try:
        message = decode(frame)
    except BadMessage:
        return
    assert decode(encode(message)) == message


@given(MESSAGES, st.data())
def test_a_changed_byte_makes_a_message_or_a_bad_message(message: Message, data: st.DataObject) -> None:
    frame = bytearray(encode(message))
    frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))
    try:
        decode(bytes(frame))
    except BadMessage:
        return


def claim_frame(address: bytes = b"\xc0\x00\x02\x01", count: object = 1, node: object = "node1") -> bytes:
    return msgpack.encode([2, [], [[address, 0, count, node]], False])


def report_frame(name: object = "node1", state: object = 0, flags: object = 0) -> bytes:
    return msgpack.encode([2, [[name, 1, 0, state, flags, "node2", None]], [], False])


def links_frame(*networks: bytes, name: object = "eth0", mac: object = b"\x02" * 6) -> bytes:
    link = [name, mac, list(networks)]
    return msgpack.encode([2, [["node1", 1, 0, 0, 0, "node2", None, [link]]], [], False])


def test_links_are_laid_out_as_drawn() -> None:
    frame = links_frame(b"\x18\xc0\x00\x02\x00", b"\x20" + ip_address("2001:db8::").packed)
    message = decode(frame)
    assert isinstance(message, News)
    (link,) = message.reports[0].facts.links
    assert (link.name, str(link.mac)) == ("eth0", "02:02:02:02:02:02")
    assert [str(network) for network in link.networks] == ["192.0.2.0/24", "2001:db8::/32"]


def test_what_an_older_member_says_has_no_links_and_no_findings() -> None:
    message = decode(report_frame())
    assert isinstance(message, News)
    assert message.reports[0].facts.links == ()
    assert message.findings == ()


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        pytest.param(b"", DropReason.MALFORMED, id="nothing"),
        pytest.param(HEARTBEAT[:-1], DropReason.MALFORMED, id="cut short"),
        pytest.param(HEARTBEAT + b"\x00", DropReason.MALFORMED, id="something behind it"),
        pytest.param(b"\x91" * 5000 + b"\x01", DropReason.INVALID, id="nested deeper than anybody means"),
        pytest.param(
            claim_frame(node="aa").replace(b"aa", b"\xff\xfe"),
            DropReason.MALFORMED,
            id="name that is not UTF-8",
        ),
        pytest.param(b"\xc0", DropReason.INVALID, id="nil"),
        pytest.param(msgpack.encode([9, 1]), DropReason.INVALID, id="unknown kind"),
        pytest.param(msgpack.encode([3]), DropReason.INVALID, id="one field too few"),
        pytest.param(msgpack.encode([3, -1]), DropReason.INVALID, id="negative number"),
        pytest.param(msgpack.encode([3, 2**63]), DropReason.INVALID, id="number beyond 63 bits"),
        pytest.param(HEARTBEAT[:3] + b"\x04" + HEARTBEAT[4:], DropReason.INVALID, id="interval too short"),
        pytest.param(claim_frame(address=b"\x01\x02\x03"), DropReason.INVALID, id="address of three bytes"),
        pytest.param(claim_frame(address=b"\x01" * 5), DropReason.INVALID, id="address of five bytes"),
        pytest.param(claim_frame(count="1"), DropReason.INVALID, id="text for a number"),
        pytest.param(claim_frame(node="n" * (NAME_MAX + 1)), DropReason.INVALID, id="name too long"),
        pytest.param(claim_frame(node="a\nb"), DropReason.INVALID, id="name that forges a line of a log"),
        pytest.param(claim_frame(node="nöde"), DropReason.INVALID, id="name that is not ASCII"),
        pytest.param(report_frame(name=""), DropReason.INVALID, id="report without a name"),
        pytest.param(report_frame(state=4), DropReason.INVALID, id="unknown state"),
        pytest.param(report_frame(flags=-1), DropReason.INVALID, id="flags below zero"),
        pytest.param(
            msgpack.encode([2, [], [[b"\x01" * 4, 0, 1, "n"]] * (UPDATES_MAX + 1), False]),
            DropReason.INVALID,
            id="too many claims",
        ),
        pytest.param(links_frame(mac=b"12345"), DropReason.INVALID, id="hardware address of five bytes"),
        pytest.param(links_frame(name="n" * 16), DropReason.INVALID, id="link with too long a name"),
        pytest.param(links_frame(b"\x21\x0a\x00\x00\x00"), DropReason.INVALID, id="prefix of 33 bits"),
        pytest.param(links_frame(b"\x08\x0a\x00\x00\x01"), DropReason.INVALID, id="network with a host"),
        pytest.param(
            links_frame(b"\x08\x0a\x00\x00\x00\x00"), DropReason.INVALID, id="network of five bytes"
        ),
        pytest.param(
            links_frame(*[b"\x08\x0a\x00\x00\x00"] * (LINKS_MAX + 1)), DropReason.INVALID, id="many networks"
        ),
        pytest.param(HEARTBEAT + bytes(FRAME_MAX), DropReason.TOO_LARGE, id="too large"),
    ],
)
def test_a_frame_that_is_no_message_is_refused_by_its_reason(frame: bytes, reason: DropReason) -> None:
    with pytest.raises(BadMessage) as refused:
        decode(frame)
    assert refused.value.reason is reason


def longest(number: int, *, has_links: bool = False) -> Report:
    name = NodeName(f"{number}".rjust(NAME_MAX, "n"))
    network = ip_network("2001:db8:ffff:ffff::/64")
    links = [
        LinkFact(name=InterfaceName("n" * LINK_NAME_MAX), mac=MacAddress(b"\xfe" * 6), networks=(network,))
    ] * LINKS_MAX
    return Report(
        name=name,
        epoch=NUMBER_MAX,
        incarnation=NUMBER_MAX,
        state=MemberState.DEAD,
        by=name,
        side=Side(NUMBER_MAX, name),
        facts=Facts(links=publishable(links) if has_links else (), key_id=b"k" * 16),
    )


def some_claims(count: int) -> list[Claim]:
    node = NodeName("n" * NAME_MAX)
    first = ip_address("2001:db8::")
    return [Claim(address=first + each, generation=0, count=1, node=node) for each in range(count)]


@pytest.mark.parametrize(
    ("reports", "claims"),
    [
        pytest.param(0, 1, id="one claim"),
        pytest.param(UPDATES_MAX, 0, id="a frame full of reports"),
        pytest.param(UPDATES_MAX - 1, 2, id="one claim more than fits"),
        pytest.param(3 * UPDATES_MAX + 5, 700, id="many of both"),
    ],
)
def test_parts_fit_frames_and_lose_nothing_with_reports_first(reports: int, claims: int) -> None:
    said, claimed = [longest(number) for number in range(reports)], some_claims(claims)
    for messages in (states(1, said, claimed), news(said, claimed, relay=False)):
        assert all(len(encode(message)) <= FRAME_MAX for message in messages)
        assert all(len(message.reports) + len(message.claims) <= UPDATES_MAX for message in messages)
        assert joined([message.reports for message in messages]) == said
        assert joined([message.claims for message in messages]) == claimed
        kinds = "".join("r" * len(message.reports) + "c" * len(message.claims) for message in messages)
        assert kinds == "r" * reports + "c" * claims


def test_reports_with_links_fit_frames_and_lose_nothing() -> None:
    said = [longest(number, has_links=number % 3 > 0) for number in range(UPDATES_MAX * 2)]
    claimed = some_claims(10)
    assert all(len(report.facts.links) > 4 for report in said[1::3])
    for messages in (states(1, said, claimed), news(said, claimed, relay=False)):
        assert max(len(encode(message)) for message in messages) <= FRAME_MAX
        assert joined([message.reports for message in messages]) == said
        assert joined([message.claims for message in messages]) == claimed
        assert len(messages) <= len(said) / UPDATES_MAX * 2, "frames are filled"


def test_findings_fit_frames_and_lose_nothing() -> None:
    name = NodeName("n" * NAME_MAX)
    found = [
        Finding(
            address=ip_address("2001:db8::") + number,
            word=FindingWord.ADDRESS_IN_USE,
            mac=MacAddress(b"\xfe" * 6),
            node=name,
            by=name,
        )
        for number in range(2 * UPDATES_MAX + 1)
    ]
    messages = news([longest(1)], some_claims(1), found, relay=True)
    assert max(len(encode(message)) for message in messages) <= FRAME_MAX
    assert joined([message.findings for message in messages]) == found
    assert all(message.relay for message in messages)


def joined(parts: Sequence[Sequence[T]]) -> list[T]:
    return [each for part in parts for each in part]


def test_an_empty_state_still_says_that_it_is_the_last_and_empty_news_is_not_said() -> None:
    assert states(5, [], []) == [State(number=5, last=True)]
    assert news([], [], relay=True) == []


def test_only_the_last_part_of_a_state_says_so() -> None:
    assert [part.last for part in states(1, [], some_claims(2 * UPDATES_MAX + 1))] == [False, False, True]


@pytest.mark.parametrize(
    ("newer", "known"),
    [
        pytest.param(
            msgpack.encode([3, 7, "new"]), msgpack.encode([3, 7]), id="a field at the end of a message"
        ),
        pytest.param(
            msgpack.encode([2, [], [[b"\x01\x02\x03\x04", 0, 1, "n", "new"]], False]),
            msgpack.encode([2, [], [[b"\x01\x02\x03\x04", 0, 1, "n"]], False]),
            id="a field at the end of a claim",
        ),
        pytest.param(report_frame(flags=1 | 1 << 20), report_frame(flags=1), id="a further flag"),
        pytest.param(
            msgpack.encode([2, [], [], False, [[b"\x01" * 4, 9, b"\x02" * 6, "", "n"]]]),
            msgpack.encode([2, [], [], False]),
            id="a finding of a further kind",
        ),
    ],
)
def test_what_a_newer_version_adds_is_not_looked_at(newer: bytes, known: bytes) -> None:
    assert decode(newer) == decode(known)
