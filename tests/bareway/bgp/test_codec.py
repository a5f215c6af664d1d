"""Messages: golden bytes, an independent reader, and whatever else may come over the wire."""

from ipaddress import IPv4Address, ip_network

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scapy.contrib import bgp as scapy_bgp

from bareway.bgp import capabilities, codec, updates
from bareway.bgp.capabilities import (
    ExtendedNextHop,
    FourOctetAs,
    MultiProtocol,
    RefreshCapability,
    RestartCapability,
    UnknownCapability,
)
from bareway.bgp.codec import Reader
from bareway.bgp.errors import BadMessage, Cease
from bareway.bgp.messages import (
    Keepalive,
    Malformed,
    Message,
    Notification,
    Open,
    RouteRefresh,
    Update,
    administrative,
    hard_reset,
)
from bareway.bgp.negotiated import Negotiated
from bareway.bgp.outbound import Style
from bareway.bgp.prefixes import AFI_IPV6, IPV4, IPV6, Family, nlri
from bareway.bgp.routes import Attributes, LargeCommunity
from bareway.bgp.updates import MARKER
from support.bgp import NODE, NODE6, NODE_ASN, ROUTER

scapy_bgp.bgp_module_conf.use_2_bytes_asn = False

OPEN = bytes.fromhex(
    "ffffffffffffffffffffffffffffffff 0043 01"
    "04 fc00 005a c000020b"  # version 4, AS 64512, hold time 90 s, identifier 192.0.2.11
    "26 02 24"  # 38 bytes of parameters: one, capabilities
    "01 04 0001 00 01"  # IPv4 unicast
    "01 04 0002 00 01"  # IPv6 unicast
    "02 00"  # route refresh
    "05 06 0001 0001 0002"  # IPv4 with a next hop of IPv6
    "40 06 8078 0001 01 80"  # graceful restart: R, 120 s, IPv4 with F
    "41 04 0000fc00"  # AS 64512
)
SPOKEN = Open(
    asn=NODE_ASN,
    hold_time_s=90,
    router_id=NODE,
    capabilities=(
        MultiProtocol(IPV4),
        MultiProtocol(IPV6),
        RefreshCapability(),
        ExtendedNextHop(((IPV4, AFI_IPV6),)),
        RestartCapability(restart_time_s=120, is_restarted=True, families=((IPV4, True),)),
        FourOctetAs(NODE_ASN),
    ),
)

families = st.sampled_from([IPV4, IPV6]) | st.builds(Family, st.integers(0, 65535), st.integers(0, 255))
one_capability = st.one_of(
    st.builds(MultiProtocol, families),
    st.builds(RefreshCapability, st.booleans()),
    st.builds(FourOctetAs, st.integers(1, 2**32 - 1)),
    st.builds(ExtendedNextHop, st.lists(st.tuples(families, st.integers(0, 65535)), max_size=4).map(tuple)),
    st.builds(
        RestartCapability,
        restart_time_s=st.integers(0, 4095),
        is_restarted=st.booleans(),
        has_notification=st.booleans(),
        families=st.lists(st.tuples(families, st.booleans()), max_size=4).map(tuple),
    ),
    st.builds(UnknownCapability, st.integers(129, 255), st.binary(max_size=60)),
)
opens = st.builds(
    Open,
    asn=st.integers(1, 65535),
    hold_time_s=st.integers(3, 65535) | st.just(0),
    router_id=st.ip_addresses(v=4).filter(int),
    capabilities=st.lists(one_capability.filter(lambda c: not isinstance(c, FourOctetAs)), max_size=12).map(
        tuple
    ),
)
prefixes4 = st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 32)).map(
    lambda pair: nlri(ip_network((pair[0], pair[1]), strict=False))
)
prefixes6 = st.tuples(st.integers(2**32, 2**128 - 1), st.integers(0, 128)).map(
    lambda pair: nlri(ip_network((pair[0], pair[1]), strict=False))
)


def test_an_open_has_these_bytes_both_ways() -> None:
    assert codec.encode(SPOKEN) == OPEN
    assert codec.decode(OPEN) == SPOKEN


def test_scapy_reads_our_open() -> None:
    message = scapy_bgp.BGPHeader(OPEN)[scapy_bgp.BGPOpen]
    assert (message.version, message.my_as, message.hold_time, message.bgp_id) == (4, NODE_ASN, 90, str(NODE))
    codes = [scapy_bgp.BGPOptParam(bytes(one)).param_value.code for one in message.opt_params]
    assert codes == [1]
    assert message.opt_param_len == 38


@pytest.mark.parametrize("family", [IPV4, IPV6], ids=str)
def test_scapy_reads_our_routes(family: Family) -> None:
    hop = NODE.packed if family == IPV4 else NODE6.packed
    style = Style(
        family=family,
        local_asn=NODE_ASN,
        is_internal=False,
        has_four_octet_as=True,
        next_hop=hop,
        is_classic=family == IPV4,
        is_leaving=True,
    )
    attributes = Attributes(
        med=5, communities=(64512 << 16 | 100,), large_communities=(LargeCommunity(64512, 1, 2),)
    )
    texts = ["198.51.100.7/32", "203.0.113.0/24"] if family == IPV4 else ["2001:db8::7/128", "2001:db8::/48"]
    data = style.announce(style.encode(attributes), [nlri(ip_network(text)) for text in texts])
    message = scapy_bgp.BGPHeader(data)[scapy_bgp.BGPUpdate]
    found = {attribute.type_code: attribute.attribute for attribute in message.path_attr}
    assert found[1].origin == 0
    assert [(s.segment_type, s.segment_value) for s in found[2].segments] == [(2, [NODE_ASN])]
    assert found[4].med == 5
    assert found[8].community == 64512 << 16 | 100
    assert bytes(found[8])[4:] == bytes.fromhex("ffff0000")  # GRACEFUL_SHUTDOWN
    if family == IPV4:
        assert [item.prefix for item in message.nlri] == texts
        assert found[3].next_hop == str(NODE)
    else:
        reach = found[14]
        assert message.path_attr[0].type_code == 14  # RFC 7606 section 5.1
        assert (reach.afi, reach.safi, reach.nh_v6_addr) == (2, 1, str(NODE6))
        assert [item.prefix for item in reach.nlri] == texts


def test_scapy_reads_our_last_word() -> None:
    message = scapy_bgp.BGPHeader(codec.encode(administrative(Cease.SHUTDOWN, "bye")))[
        scapy_bgp.BGPNotification
    ]
    assert (message.error_code, message.error_subcode, bytes(message.data)) == (6, 2, b"\x03bye")


@given(opens)
def test_an_open_that_was_written_reads_the_same(message: Open) -> None:
    assert codec.decode(codec.encode(message)) == message


def test_capabilities_beyond_255_bytes_take_the_long_form_and_no_others() -> None:
    many = tuple(UnknownCapability(200 + place, bytes(100)) for place in range(3))
    data = capabilities.encode(many)
    assert data[:2] == b"\xff\xff"
    assert capabilities.decode(data) == many
    assert capabilities.encode(many[:2])[:2] == bytes((206, 2))
    for size, head in ((251, b"\xff\x02"), (252, b"\xff\xff")):
        widest = (UnknownCapability(200, bytes(size)),)
        assert capabilities.encode(widest)[:2] == head
        assert capabilities.decode(capabilities.encode(widest)) == widest


def test_capabilities_may_be_grouped_in_any_way() -> None:
    assert capabilities.decode(bytes.fromhex("0c 02 02 0200 02 06 4104 0000fc00")) == (
        RefreshCapability(),
        FourOctetAs(NODE_ASN),
    )


@pytest.mark.parametrize(
    ("data", "subcode"),
    [
        pytest.param("02 02 05", 0, id="parameter longer than the message"),
        pytest.param("04 02 02 41 04", 0, id="capability longer than its parameter"),
        pytest.param("05 02 03 41 01 00", 0, id="AS number of one byte"),
        pytest.param("04 02 02 40 00", 0, id="graceful restart without its time"),
        pytest.param("07 02 02 02 00", 0, id="length that is not there"),
        pytest.param("ff ff 0009 02 0002 0200", 0, id="long form with a wrong length"),
        pytest.param("ff ff 00", 0, id="long form cut off"),
        pytest.param("02 01 00", 4, id="authentication"),
    ],
)
def test_capabilities_that_do_not_fit_are_refused(data: str, subcode: int) -> None:
    with pytest.raises(BadMessage) as refused:
        capabilities.decode(bytes.fromhex(data))
    assert (refused.value.fault.code, refused.value.fault.subcode) == (2, subcode)


@given(
    st.lists(prefixes4, max_size=20, unique=True),
    st.lists(prefixes6, max_size=20, unique=True),
    st.lists(prefixes4, max_size=20, unique=True),
)
def test_routes_that_were_written_read_the_same(
    four: list[bytes], six: list[bytes], gone: list[bytes]
) -> None:
    session = Negotiated(families=frozenset({IPV4, IPV6}))
    style = Style(
        family=IPV6,
        local_asn=1,
        is_internal=False,
        has_four_octet_as=True,
        next_hop=NODE6.packed,
        is_classic=False,
    )
    data = style.announce(style.encode(Attributes()), six)  # type: ignore[arg-type]  # Nlri is bytes
    told = codec.decode(data, session)
    assert isinstance(told, Update)
    assert list(told.announced.get(IPV6, ())) == six
    assert told.faults == ()
    again = Update(withdrawn={IPV4: tuple(gone)} if gone else {}, announced={}, attributes=())  # type: ignore[arg-type]  # Nlri is bytes
    assert codec.decode(codec.encode(again), session) == (again if gone else Update(withdrawn={IPV4: ()}))
    whole = Update(announced={IPV4: tuple(four)}, attributes=told.attributes)  # type: ignore[arg-type]  # Nlri is bytes
    read = codec.decode(codec.encode(whole), session)
    assert isinstance(read, Update)
    assert bool(read.faults) is bool(four)  # no NEXT_HOP


@pytest.mark.parametrize("family", [IPV4, IPV6], ids=str)
def test_the_end_of_rib_is_known_again(family: Family) -> None:
    told = codec.decode(updates.end_of_rib(family), Negotiated(families=frozenset({IPV4, IPV6})))
    assert isinstance(told, Update)
    assert told.end_of_rib == family


def test_text_for_the_operator_is_cut_at_a_letter_and_a_hard_reset_wraps_it() -> None:
    long = "ä" * 200
    notice = administrative(Cease.SHUTDOWN, long)
    assert notice.text == "ä" * 127
    assert hard_reset(notice).text == notice.text
    assert hard_reset(notice).inner == notice
    assert administrative(Cease.DECONFIGURED, "x").data == b""


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\5ab", id="shorter than it says"),
        pytest.param(b"\2\xff\xfe", id="no text"),
        pytest.param(b"", id="empty"),
    ],
)
def test_text_that_is_none_is_left_out(data: bytes) -> None:
    assert Notification(code=6, subcode=2, data=data).text == ""


def test_text_cannot_forge_a_line_of_the_log() -> None:
    assert Notification(code=6, subcode=2, data=b"\3a\nb").text == "a b"


@given(
    st.lists(st.sampled_from([OPEN, codec.KEEPALIVE_BYTES, updates.end_of_rib(IPV4)]), max_size=6), st.data()
)
def test_a_stream_reads_the_same_in_any_portions(messages: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(messages)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    reader = Reader()
    found: list[Message | Malformed] = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += reader.feed(stream[start:end])
    assert found == [codec.decode(message) for message in messages]


def test_after_what_is_malformed_nothing_is_read() -> None:
    reader = Reader()
    (first,) = reader.feed(b"\0" * 40)
    assert isinstance(first, Malformed)
    assert list(reader.feed(codec.KEEPALIVE_BYTES)) == []


sessions = st.builds(
    Negotiated,
    has_four_octet_as=st.booleans(),
    is_internal=st.booleans(),
    families=st.sets(families).map(frozenset),
    has_extended_next_hop=st.booleans(),
)


@given(st.integers(1, 6), st.binary(max_size=120), sessions)
@example(2, bytes(4), Negotiated())
@example(2, b"\0\0\0\7\x80\x0e\4\0\1\1\0", Negotiated())
@example(5, b"\0\1\0", Negotiated())
def test_no_body_raises_anything_but_its_own_error(kind: int, body: bytes, session: Negotiated) -> None:
    data = MARKER + (19 + len(body)).to_bytes(2) + bytes((kind,)) + body
    try:
        message = codec.decode(data, session)
    except BadMessage as error:
        fault = error.fault
        codec.encode(Notification(code=fault.code, subcode=fault.subcode, data=fault.data))
        return
    assert isinstance(message, Open | Update | Notification | Keepalive | RouteRefresh)


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_their_own_error(data: bytes) -> None:
    list(Reader().feed(data))
    try:
        codec.decode(data)
    except BadMessage:
        return


def test_a_refresh_has_these_bytes_and_a_short_one_is_named() -> None:
    data = MARKER + bytes.fromhex("0017 05 0001 00 01")
    assert codec.decode(data) == RouteRefresh(family=IPV4)
    assert codec.encode(RouteRefresh(family=IPV4)) == data
    short = MARKER + bytes.fromhex("0016 05 0001 00")
    with pytest.raises(BadMessage) as refused:
        codec.decode(short)
    assert (refused.value.fault.code, refused.value.fault.data) == (7, short)


def test_a_keepalive_is_a_header() -> None:
    assert codec.decode(codec.encode(Keepalive())) == Keepalive()
    with pytest.raises(BadMessage):
        codec.decode(MARKER + b"\0\x14\4x")


def test_what_is_too_long_for_a_message_is_our_mistake() -> None:
    with pytest.raises(ValueError, match="too long"):
        codec.encode(Update(withdrawn={IPV4: (nlri(ip_network("198.51.100.7/32")),) * 1000}))


def test_an_as_of_four_bytes_is_found_behind_as_trans() -> None:
    message = Open(
        asn=4_200_000_000, hold_time_s=0, router_id=ROUTER, capabilities=(FourOctetAs(4_200_000_000),)
    )
    data = codec.encode(message)
    assert data[20:22] == (23456).to_bytes(2)
    assert codec.decode(data) == message
    assert IPv4Address(data[24:28]) == ROUTER
