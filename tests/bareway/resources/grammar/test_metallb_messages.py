"""Every error of MetalLB v0.12.1, by its row in the contract: its words, and where it stands."""

import pytest

from support.configurations import PEER, POOL, bgp_pool_with, error, errors, peer_with, pool_with, with_key

OTHER_PEER = with_key(PEER, "peer-address: 192.0.2.9")
PREFIX = "parsing address pool #1: "
ADS = f"{PREFIX}parsing BGP communities: "


def profile_with(written: str) -> str:
    return f"bfd-profiles: [{{name: fast, {written}}}]"


def ads_with(*written: str) -> str:
    return bgp_pool_with("bgp-advertisements: [" + ", ".join(f"{{{one}}}" for one in written) + "]")


ROWS = [
    pytest.param("a: b: c", "", "could not parse config: mapping values are not", id="1 syntax"),
    pytest.param(
        pool_with("auto-assign: 3"), "address-pools[0].auto-assign",
        "could not parse config: cannot unmarshal !!int `3` into bool", id="1 type",
    ),
    pytest.param(
        peer_with("my-asn: 4294967296"), "peers[0].my-asn",
        "could not parse config: cannot unmarshal !!int `4294967296` into uint32", id="1 number out of range",
    ),
    pytest.param(
        peer_with("peer-port: 65536"), "peers[0].peer-port",
        "could not parse config: cannot unmarshal !!int `65536` into uint16", id="1 port out of range",
    ),
    pytest.param(
        peer_with("bfdProfile: x"), "peers[0].bfdProfile",
        "could not parse config: field bfdProfile not found in type config.peer", id="1 unknown key",
    ),
    pytest.param(
        "peer-autodiscovery: {}", "peer-autodiscovery",
        "field peer-autodiscovery not found in type config.configFile", id="1 a key that never shipped",
    ),
    pytest.param(
        "peers: []\npeers: []", "peers", 'could not parse config: key "peers" already set in map',
        id="1 duplicate key",
    ),
    pytest.param(
        "bfd-profiles: [{}]", "bfd-profiles[0]", "parsing bfd profile #1: missing bfd profile name", id="2",
    ),
    pytest.param(
        profile_with("detect-multiplier: 1"), "bfd-profiles[0].detect-multiplier",
        "parsing bfd profile #1: invalid detect multiplier value: invalid value 1, must be in 2-255 range",
        id="3 detect multiplier",
    ),
    pytest.param(
        profile_with("receive-interval: 9"), "bfd-profiles[0].receive-interval",
        "parsing bfd profile #1: invalid receive interval value: invalid value 9, must be in 10-60000 range",
        id="3 receive interval",
    ),
    pytest.param(
        profile_with("transmit-interval: 60001"), "bfd-profiles[0].transmit-interval",
        "parsing bfd profile #1: invalid transmit interval value: invalid value 60001, must be in 10-60000",
        id="3 transmit interval",
    ),
    pytest.param(
        profile_with("minimum-ttl: 255"), "bfd-profiles[0].minimum-ttl",
        "parsing bfd profile #1: invalid minimum ttl value: invalid value 255, must be in 1-254 range",
        id="3 minimum ttl",
    ),
    pytest.param(
        profile_with("echo-interval: 0"), "bfd-profiles[0].echo-interval",
        "invalid minimum ttl value: invalid value 0, must be in 10-60000 range", id="3 echo interval",
    ),
    pytest.param(
        "bfd-profiles: [{name: fast}, {name: fast}]", "bfd-profiles[1]",
        "found duplicate bfd profile name fast",
        id="4",
    ),
    pytest.param(
        peer_with("my-asn: 0"), "peers[0].my-asn", "parsing peer #1: missing local ASN",
        id="5 zero",
    ),
    pytest.param(
        "peers: [{peer-asn: 1, peer-address: 192.0.2.1}]", "peers[0]", "parsing peer #1: missing local ASN",
        id="5 absent",
    ),
    pytest.param(
        peer_with("peer-asn: 0"), "peers[0].peer-asn", "parsing peer #1: missing peer ASN",
        id="5 theirs",
    ),
    pytest.param(
        "peers: [{my-asn: 1, peer-address: 192.0.2.1}]", "peers[0]", "parsing peer #1: missing peer ASN",
        id="5 theirs absent",
    ),
    pytest.param(
        "peers: [{my-asn: 1, peer-asn: 1, peer-address: 192.0.2.1, ebgp-multihop: true}]",
        "peers[0].ebgp-multihop", "parsing peer #1: invalid ebgp-multihop parameter set for an ibgp peer",
        id="6",
    ),
    pytest.param(
        peer_with("peer-address: router.example"), "peers[0].peer-address",
        'parsing peer #1: invalid peer IP "router.example"', id="7 a name",
    ),
    pytest.param(
        peer_with("peer-address: 'fe80::1%eth0'"), "peers[0].peer-address",
        'parsing peer #1: invalid peer IP "fe80::1%eth0"', id="7 a zone",
    ),
    pytest.param(
        "peers: [{my-asn: 1, peer-asn: 2}]", "peers[0]", 'parsing peer #1: invalid peer IP ""', id="7 absent"
    ),
    pytest.param(
        peer_with("hold-time: soon"), "peers[0].hold-time",
        'parsing peer #1: invalid hold time "soon": time: invalid duration "soon"', id="8 no duration",
    ),
    pytest.param(
        peer_with("hold-time: 90"), "peers[0].hold-time",
        'parsing peer #1: invalid hold time "90": time: missing unit in duration "90"', id="8 no unit",
    ),
    *(
        pytest.param(
            peer_with(f"hold-time: {time}"), "peers[0].hold-time",
            f'parsing peer #1: invalid hold time "{time}": must be 0 or >=3s', id=f"8 {time}",
        )
        for time in ("1s", "2s", "2.9s", "-5s")
    ),
    pytest.param(
        peer_with("keepalive-time: often"), "peers[0].keepalive-time",
        'parsing peer #1: invalid keepalive time "often": time: invalid duration "often"', id="9 no duration",
    ),
    pytest.param(
        peer_with("keepalive-time: 91s"), "peers[0].keepalive-time",
        'parsing peer #1: invalid keepaliveTime "91s"', id="9 longer than the hold time",
    ),
    pytest.param(
        peer_with("router-id: r1"), "peers[0].router-id", 'parsing peer #1: invalid router ID "r1"', id="10"
    ),
    pytest.param(
        peer_with("source-address: eth0"), "peers[0].source-address",
        'parsing peer #1: invalid source IP "eth0"', id="10 source",
    ),
    *(
        pytest.param(
            peer_with(f"node-selectors: [{{match-expressions: [{{key: a, {rest}}}]}}]"),
            "peers[0].node-selectors[0].match-expressions[0]" + path,
            f"parsing peer #1: parsing node selector: {message}", id=f"11 {id_}",
        )
        for id_, rest, path, message in (
            ("operator", "operator: Like", ".operator", '"Like" is not a valid pod selector operator'),
            ("no operator", "values: [x]", "", '"" is not a valid pod selector operator'),
            ("In without values", "operator: In", "", "values: Invalid value: []: for 'in', 'notin'"),
            ("NotIn without values", "operator: NotIn, values: []", "", "values: Invalid value: []: for"),
            ("Exists with values", "operator: Exists, values: [x]", ".values", "values: Invalid value:"),
            ("value", "operator: In, values: [a/b]", ".values[0]", 'values: Invalid value: "a/b": a valid'),
        )
    ),
    pytest.param(
        peer_with("node-selectors: [{match-labels: {'a b': c}}]"),
        "peers[0].node-selectors[0].match-labels.a b",
        'parsing peer #1: parsing node selector: key: Invalid value: "a b": name part', id="11 key",
    ),
    pytest.param(
        peer_with("bfd-profile: slow"), "peers[0].bfd-profile",
        "peer #1 referencing non existing bfd profile slow", id="12",
    ),
    pytest.param(f"peers: [{PEER}, {OTHER_PEER}, {PEER}]", "peers[2]", "peer #3 already exists", id="13"),
    pytest.param(
        "bgp-communities: {a: '1'}", "bgp-communities.a",
        'parsing community "a": invalid community string "1"',
        id="14 no colon",
    ),
    pytest.param(
        "bgp-communities: {a: '1:2:3'}", "bgp-communities.a",
        'parsing community "a": invalid community string "1:2:3"', id="14 two colons",
    ),
    pytest.param(
        "bgp-communities: {a: '65536:1'}", "bgp-communities.a",
        'parsing community "a": invalid first section of community "65536": strconv.ParseUint: '
        'parsing "65536": value out of range', id="14 first section",
    ),
    pytest.param(
        "bgp-communities: {a: '1:x'}", "bgp-communities.a",
        'parsing community "a": invalid second section of community "x": strconv.ParseUint: parsing "x": '
        "invalid syntax", id="14 second section",
    ),
    pytest.param(
        "address-pools: [{protocol: layer2, addresses: [192.0.2.0/24]}]", "address-pools[0]",
        f"{PREFIX}missing pool name", id="15 name",
    ),
    pytest.param(
        pool_with("addresses: []"), "address-pools[0]", f"{PREFIX}pool has no prefixes defined",
        id="15 no prefixes",
    ),
    *(
        pytest.param(
            pool_with(f"addresses: ['{text}']"), "address-pools[0].addresses[0]",
            f'{PREFIX}invalid CIDR "{text}" in pool "a": {message}', id=f"16 {id_}",
        )
        for id_, text, message in (
            ("prefix length", "192.0.2.0/33", 'invalid CIDR "192.0.2.0/33"'),
            ("netmask", "192.0.2.0/255.255.255.0", 'invalid CIDR "192.0.2.0/255.255.255.0"'),
            ("an address alone", "192.0.2.1", 'invalid CIDR "192.0.2.1"'),
            ("zone", "fe80::%eth0/64", 'invalid CIDR "fe80::%eth0/64"'),
            ("start", "x-192.0.2.9", 'invalid IP range "x-192.0.2.9": invalid start IP "x"'),
            ("end", "192.0.2.1-9", 'invalid IP range "192.0.2.1-9": invalid end IP "9"'),
            (
                "backwards", "192.0.2.9-192.0.2.1",
                'invalid IP range "192.0.2.9-192.0.2.1": start IP "192.0.2.9" is after the end IP',
            ),
            (
                "two families", "192.0.2.1-fc00::1",
                'invalid IP range "192.0.2.1-fc00::1": start and end are of different families',
            ),
        )
    ),
    pytest.param(
        pool_with("bgp-advertisements: [{}]"), "address-pools[0].bgp-advertisements",
        f"{PREFIX}cannot have bgp-advertisements configuration element in a layer2 address pool", id="17",
    ),
    pytest.param(
        "address-pools: [{name: a, addresses: [192.0.2.0/24]}]", "address-pools[0]",
        f"{PREFIX}address pool is missing the protocol field", id="18 missing",
    ),
    pytest.param(
        pool_with("protocol: arp"), "address-pools[0].protocol", f'{PREFIX}unknown protocol "arp"',
        id="18 unknown",
    ),
    pytest.param(
        ads_with("localpref: 1", "localpref: 2", "localpref: 1"), "address-pools[0].bgp-advertisements[2]",
        f"{ADS}duplicate definition of bgpadvertisements. advertisement 1 and 3 are equal", id="19",
    ),
    pytest.param(
        ads_with("communities: ['1:2', '1:2']"), "address-pools[0].bgp-advertisements[0].communities[1]",
        f'{ADS}duplicate definition of community "1:2"', id="20",
    ),
    pytest.param(
        ads_with("aggregation-length: 33"), "address-pools[0].bgp-advertisements[0].aggregation-length",
        f'{ADS}invalid aggregation length "33" for IPv4', id="21 IPv4",
    ),
    pytest.param(
        ads_with("aggregation-length-v6: 129"),
        "address-pools[0].bgp-advertisements[0].aggregation-length-v6",
        f'{ADS}invalid aggregation length "129" for IPv6', id="21 IPv6",
    ),
    pytest.param(
        ads_with("aggregation-length: 23"), "address-pools[0].bgp-advertisements[0].aggregation-length",
        f'{ADS}invalid aggregation length 23: prefix "24" in this pool is more specific than the aggregation '
        "length for addresses 192.0.2.0/24", id="22",
    ),
    pytest.param(
        ads_with("communities: [nothing]"), "address-pools[0].bgp-advertisements[0].communities[0]",
        f'{ADS}invalid community "nothing" in BGP advertisement: invalid community string "nothing"', id="23",
    ),
    pytest.param(
        f"address-pools: [{POOL}, {with_key(POOL, 'addresses: [198.51.100.0/24]')}]", "address-pools[1]",
        'duplicate definition of pool "a"', id="24",
    ),
    pytest.param(
        f"address-pools: [{POOL}, {with_key(POOL, 'name: b')}]", "address-pools[1].addresses[0]",
        'CIDR "192.0.2.0/24" in pool "b" overlaps with already defined CIDR "192.0.2.0/24"',
        id="25 two pools",
    ),
    pytest.param(
        pool_with("addresses: [192.0.2.0/24, 192.0.2.9-192.0.3.9]"), "address-pools[0].addresses[1]",
        'CIDR "192.0.2.9-192.0.3.9" in pool "a" overlaps with already defined CIDR "192.0.2.0/24"',
        id="25 one pool",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("document", "path", "words"), ROWS)
def test_the_mistake_is_told_in_metallbs_words_and_with_its_place(
    document: str, path: str, words: str
) -> None:
    problem = error(document)
    assert words in problem.message
    assert problem.path == path
    assert 1 <= problem.line <= document.count("\n") + 1


@pytest.mark.parametrize("document", [pytest.param(row.values[0], id=row.id) for row in ROWS[1:]])
def test_what_to_write_instead_is_told_too(document: str) -> None:
    assert error(document).hint


def test_all_of_them_are_told_at_once() -> None:
    document = """\
        address-pools:
        - {name: a, protocol: arp, addresses: [x]}
        - {protocol: bgp, addresses: [10.0.0.0/8], bgp-advertisements: [{aggregation-length: 40}]}
        peers:
        - {my-asn: 0, peer-asn: 0, hold-time: 1s, router-id: x, bfd-profile: y}
        bgp-communities: {a: b}
        bfd-profiles:
        - {receive-interval: 1, echo-interval: 1}
        """
    assert [problem.line for problem in errors(document)] == [2, 2, 3, 3, 5, 5, 5, 5, 5, 5, 6, 8, 8, 8]


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(peer_with("hold-time: 0.5s"), id="8 half a second is none"),
        pytest.param(peer_with("hold-time: 0"), id="8 none"),
        pytest.param(peer_with("hold-time: 3s"), id="8 the least"),
        pytest.param(peer_with("keepalive-time: 90s"), id="9 equal to the hold time"),
        pytest.param(f"peers: [{PEER}, {with_key(PEER, 'peer-port: 180')}]", id="13 another port"),
        pytest.param(f"peers: [{PEER}, {with_key(PEER, 'password: x')}]", id="13 another password"),
        pytest.param(
            f"peers: [{with_key(PEER, 'node-selectors: [{}]')},"
            f" {with_key(PEER, 'node-selectors: [{match-labels: {a: b}}]')}]",
            id="13 other nodes",
        ),
        pytest.param(bgp_pool_with("addresses: [2001:db8::/64]"), id="IPv6 by BGP"),
        pytest.param(
            f"peers: [{with_key(PEER, 'router-id: 192.0.2.1')}, {with_key(OTHER_PEER, 'my-asn: 1')}]",
            id="peers that MetalLB's FRR mode refuses together",
        ),
        pytest.param(
            "bfd-profiles: [{name: fast}]\n" + peer_with("bfd-profile: fast"),
            id="what MetalLB's native mode refuses",
        ),
        pytest.param(
            ads_with("localpref: 1", "localpref: 1, aggregation-length: 32"), id="19 a default written"
        ),
        pytest.param(
            ads_with("communities: ['1:2', '2:1']", "communities: ['2:1', '1:2']"), id="19 another order"
        ),
    ],
)
def test_what_metallb_accepts_in_either_mode_is_accepted(document: str) -> None:
    assert errors(document) == ()
