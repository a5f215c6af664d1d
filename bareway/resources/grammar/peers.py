"""Routers that sessions are opened to: the entries of ``peers`` (RFC 4271).

What MetalLB allows in either of its modes is allowed: its BGP speakers each lack a part that ours has.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from bareway.model.addresses import parse_address
from bareway.model.configuration import BfdProfile, DynamicAsn, GracefulRestart, Peer
from bareway.model.names import IPAddress
from bareway.resources.grammar.keys import REQUIRED, Key, Shape
from bareway.resources.grammar.merging import named_sections
from bareway.resources.grammar.names import is_object_name
from bareway.resources.grammar.scalars import duration_ns, quoted
from bareway.resources.grammar.sections import UINT16, UINT32, Section, duration_hint
from bareway.resources.grammar.selectors import read_selectors

BGP_PORT: Final = 179
HOLD_TIME_S: Final = 90
HOLD_TIME_MIN_S: Final = 3  # RFC 4271 section 4.2: zero or at least three seconds
HOLD_TIME_MAX_S: Final = 2**16 - 1  # the field in OPEN has 16 bits
TTL_OF_MULTIHOP: Final = 254  # the least that is taken where the profile says nothing, as in FRR
TTL_OF_BIRD: Final = 64  # of its BFD packets over several hops: what the kernel gives any packet
PASSWORD_MAX: Final = 80  # bytes; the kernel takes no longer key for TCP MD5
SECOND_NS: Final = 10**9

PEER: Final = Shape(
    type_name="config.peer",
    keys=(
        Key(name="name", type="text", default="peer<N>", meaning="unique; `peer1` is the first of the list"),
        Key(name="my-asn", type="uint32", default=REQUIRED, meaning="our AS number"),
        Key(
            name="peer-asn",
            type="uint32",
            default=REQUIRED,
            meaning="the router's, unless `dynamic-asn` is there",
        ),
        Key(name="peer-address", type="address", default=REQUIRED, meaning="IPv4 or IPv6, no host name"),
        Key(name="source-address", type="address", meaning="the node's address that the session comes from"),
        Key(name="peer-port", type="uint16", default="179", meaning="TCP port of the router"),
        Key(name="hold-time", type="duration", default="90s", meaning="whole seconds; `0` or at least `3s`"),
        Key(
            name="keepalive-time",
            type="duration",
            meaning="whole seconds, no longer than the hold time; none: a third of it",
        ),
        Key(name="router-id", type="IPv4 address", meaning="BGP identifier; none: the node's address"),
        Key(name="node-selectors", type="list of selectors", meaning="nodes with a session, any; none: all"),
        Key(name="password", type="text", meaning=f"for TCP MD5, up to {PASSWORD_MAX} bytes"),
        Key(name="bfd-profile", type="name", meaning="watched by BFD with this profile"),
        Key(
            name="ebgp-multihop",
            type="bool",
            default="false",
            meaning="whether routers may lie between; only for another AS than ours",
        ),
        Key(
            name="password-secret",
            type="name",
            meaning="a Secret in our namespace that holds the password, instead of `password`",
        ),
        Key(name="passive", type="bool", default="false", meaning="wait for the router to connect"),
        Key(name="local-asn", type="uint32", meaning="our AS number towards this peer alone"),
        Key(
            name="dynamic-asn",
            type="`internal` or `external`",
            meaning="take the router's AS number from its OPEN, instead of `peer-asn`: ours, or any other",
        ),
        Key(
            name="graceful-restart",
            type="`auto`, `on` or `off`",
            default="auto",
            meaning="whether routes stay while a speaker restarts; `auto`: where there is a BFD profile",
        ),
        Key(
            name="weighted",
            type="bool",
            default="false",
            meaning="tell the router how many endpoints each node has",
        ),
        Key(
            name="ttl-security",
            type="bool",
            default="false",
            meaning="take packets from the next hop alone; not with `ebgp-multihop`",
        ),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Numbers:
    """Who we are to the router, and who it is."""

    mine: int
    theirs: int
    local: int | None
    dynamic: DynamicAsn | None

    @property
    def is_internal(self) -> bool:
        """Whether both are of one AS."""
        ours = self.local or self.mine
        return self.dynamic is DynamicAsn.INTERNAL or (ours != 0 and ours == self.theirs)


def read_peers(documents: Sequence[Section], profiles: Sequence[BfdProfile]) -> tuple[Peer, ...]:
    """The peers of all documents; those that can be read."""
    known = {profile.name: profile for profile in profiles}
    peers: dict[str, Peer] = {}
    contents: set[object] = set()
    for section in named_sections(documents, "peers", PEER, "parsing peer #{}: ", default_name="peer{}"):
        peer = _peer(section, known)
        if peer is None:
            continue
        content = _content(peer)
        if content in contents:
            message = f"peer #{section.number} already exists"
            section.walk.fail(section.place, message, hint="remove it: it says the same as an earlier one")
        elif peer.name in peers:
            message = f"duplicate definition of peer {quoted(peer.name)}"
            section.walk.fail(section.place, message, hint="a peer without a name has the name peer<N>")
        contents.add(content)
        peers[peer.name] = peer
    return tuple(peers.values())


def _peer(section: Section, profiles: Mapping[str, BfdProfile]) -> Peer | None:
    """None without an address: there is no telling then whether it equals another."""
    name, numbers, address = _name(section), _numbers(section), _address(section)
    multihop, security = _reach(section, numbers)
    hold_time_s, keepalive_time_s = _times(section)
    password, secret = _passwords(section)
    source, router = _source(section, address), _router_id(section)
    profile = _profile(section, profiles, multihop=multihop)
    port = section.whole("peer-port", UINT16) or BGP_PORT
    selectors = read_selectors(section, "node-selectors", "parsing node selector: ")
    passive, weighted = section.truth("passive"), section.truth("weighted")
    graceful_restart = section.word("graceful-restart", GracefulRestart.AUTO)
    if address is None:
        return None
    return Peer(
        name=name,
        my_asn=numbers.mine,
        peer_asn=numbers.theirs,
        address=address,
        port=port,
        hold_time_s=hold_time_s,
        keepalive_time_s=keepalive_time_s,
        router_id=router,
        source_address=source,
        node_selectors=selectors,
        password=password,
        password_secret=secret,
        bfd_profile=profile,
        ebgp_multihop=multihop,
        passive=passive,
        local_asn=numbers.local,
        dynamic_asn=numbers.dynamic,
        graceful_restart=graceful_restart,
        weighted=weighted,
        ttl_security=security,
    )


def _content(peer: Peer) -> object:
    """What two peers have in common that are one: all but the name."""
    selectors = tuple((frozenset(one.labels.items()), one.requirements) for one in peer.node_selectors)
    return replace(peer, name="", node_selectors=()), selectors


def _name(section: Section) -> str:
    name = section.text("name")
    if not name and section.place.document:
        section.fail("missing peer name", hint="name the peer that this belongs to, such as peer1")
    return name or f"peer{section.number}"


def _numbers(section: Section) -> _Numbers:
    mine, theirs = section.whole("my-asn", UINT32), section.whole("peer-asn", UINT32)
    has_dynamic = "dynamic-asn" in section.found
    dynamic = section.word("dynamic-asn", DynamicAsn.EXTERNAL) if has_dynamic else None
    if not mine and (mine == 0 or "my-asn" not in section.found):
        section.fail("missing local ASN", key="my-asn", hint="add a line like my-asn: 64512")
    if has_dynamic and theirs:
        section.fail("both peer ASN and dynamicASN specified", key="dynamic-asn", hint="remove one of them")
    if not has_dynamic and not theirs and (theirs == 0 or "peer-asn" not in section.found):
        section.fail("missing peer ASN", key="peer-asn", hint="add peer-asn: 64513 or dynamic-asn: external")
    local = section.whole("local-asn", UINT32)
    if local is not None and local in {0, mine}:
        hint = "write another AS number than my-asn, or remove it"
        section.fail(f"invalid local-asn {local}", key="local-asn", hint=hint)
    return _Numbers(mine=mine or 0, theirs=theirs or 0, local=local, dynamic=dynamic)


def _reach(section: Section, numbers: _Numbers) -> tuple[bool, bool]:
    """Whether routers may lie between, and whether packets that passed one are refused."""
    multihop, security = section.truth("ebgp-multihop"), section.truth("ttl-security")
    if multihop and numbers.is_internal:
        message = "invalid ebgp-multihop parameter set for an ibgp peer"
        section.fail(
            message, key="ebgp-multihop", hint="remove it: within an AS routers may always lie between"
        )
    if multihop and security:
        section.fail("both ebgp-multihop and ttl-security specified", key="ttl-security", hint="remove one")
    return multihop, security


def _address(section: Section) -> IPAddress | None:
    text = section.text("peer-address")
    address = parse_address(text)
    if address is None:
        section.fail(
            f"invalid peer IP {quoted(text)}", key="peer-address", hint="write an address like 192.0.2.1"
        )
    return address


def _source(section: Section, peer: IPAddress | None) -> IPAddress | None:
    text = section.text("source-address")
    address = parse_address(text)
    if text and address is None:
        hint = "write an address like 192.0.2.1"
        section.fail(f"invalid source IP {quoted(text)}", key="source-address", hint=hint)
    if address is not None and peer is not None and address.version != peer.version:
        message = f"invalid source IP {quoted(text)}: the peer's address is IPv{peer.version}"
        section.fail(message, key="source-address", hint=f"write an IPv{peer.version} address of the node")
    return address


def _router_id(section: Section) -> IPAddress | None:
    text = section.text("router-id")
    address = parse_address(text)
    if text and (address is None or address.version != 4 or address.is_unspecified):  # noqa: PLR2004 - IPv4
        hint = "write an IPv4 address like 192.0.2.1"
        section.fail(f"invalid router ID {quoted(text)}", key="router-id", hint=hint)
    return address


def _times(section: Section) -> tuple[int, int | None]:
    hold_s = _seconds(section, "hold-time", "hold time")
    if hold_s is not None and hold_s != 0 and not HOLD_TIME_MIN_S <= hold_s <= HOLD_TIME_MAX_S:
        bound = f">={HOLD_TIME_MIN_S}s" if hold_s < HOLD_TIME_MIN_S else f"<={HOLD_TIME_MAX_S}s"
        message = f"invalid hold time {quoted(section.text('hold-time'))}: must be 0 or {bound}"
        section.fail(message, key="hold-time", hint="write 90s")
    hold_s = HOLD_TIME_S if hold_s is None else hold_s
    keepalive_s = _seconds(section, "keepalive-time", "keepalive time")
    if keepalive_s is not None and not 0 <= keepalive_s <= hold_s:
        message = f"invalid keepaliveTime {quoted(section.text('keepalive-time'))}"
        hint = f"write at most the hold time, {hold_s}s; a third of it is usual"
        section.fail(message, key="keepalive-time", hint=hint)
    return hold_s, keepalive_s


def _seconds(section: Section, key: str, words: str) -> int | None:
    """A duration in whole seconds, the rest cut off as in MetalLB; None if there is none."""
    text = section.text(key)
    if not text:
        return None
    try:
        nanoseconds = duration_ns(text)
    except ValueError as error:
        section.fail(f"invalid {words} {quoted(text)}: {error}", key=key, hint=duration_hint(text))
        return None
    return -(-nanoseconds // SECOND_NS) if nanoseconds < 0 else nanoseconds // SECOND_NS


def _passwords(section: Section) -> tuple[str, str]:
    password, secret = section.text("password"), section.text("password-secret")
    if password and secret:
        message = "can not have both password and secret ref set in peer config"
        section.fail(message, key="password-secret", hint="remove one of them")
    if len(password.encode(errors="replace")) > PASSWORD_MAX:
        section.fail(f"password is longer than {PASSWORD_MAX} bytes", key="password", hint="shorten it")
    if secret and not is_object_name(secret):
        # Not what it is: people write the password itself there.
        section.fail(
            "invalid password-secret",
            key="password-secret",
            hint="write the name of a Secret in our namespace",
        )
    return password, secret


def _profile(section: Section, profiles: Mapping[str, BfdProfile], *, multihop: bool) -> str:
    name = section.text("bfd-profile")
    found = profiles.get(name)
    if found is not None and multihop and (found.minimum_ttl or TTL_OF_MULTIHOP) > TTL_OF_BIRD:
        least = found.minimum_ttl or TTL_OF_MULTIHOP
        message = f"BFD over several hops takes a TTL of {least} or more: BIRD sends {TTL_OF_BIRD}"
        hint = f"with BIRD, write minimum-ttl: {TTL_OF_BIRD} or less in the profile, one less for each hop"
        section.warn(message, key="bfd-profile", hint=hint)
    if name and name not in profiles:
        message = f"peer #{section.number} referencing non existing bfd profile {quoted(name)[1:-1]}"
        section.walk.fail(section.found["bfd-profile"], message, hint="define it under bfd-profiles")
    return name
