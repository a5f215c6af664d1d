import pytest

from bareway.model.configuration import Advertisement
from bareway.model.selectors import Selector
from support.configurations import PEER, accepted, bgp_pool_with, error, errors, with_key

PEERS = f"peers: [{PEER}, {with_key(with_key(PEER, 'peer-port: 180'), 'name: west')}]\n"


def ads_with(*written: str, addresses: str = "192.0.2.0/24, 2001:db8::/64") -> str:
    ads = ", ".join(f"{{{one}}}" for one in written)
    pool = bgp_pool_with(f"bgp-advertisements: [{ads}]")
    return (
        PEERS
        + "bgp-communities: {noexport: '65535:65281', 'large:1': '7:7'}\n"
        + pool.replace("192.0.2.0/24", addresses)
    )


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        pytest.param("", Advertisement(), id="all defaults"),
        pytest.param(
            "aggregation-length: 24, aggregation-length-v6: 64",
            Advertisement(aggregation_length=24, aggregation_length_v6=64),
            id="aggregation",
        ),
        pytest.param("localpref: 0xff", Advertisement(local_preference=255), id="preference"),
        pytest.param(
            "communities: [noexport, 64512:30, '00001:2', '65535:65281', 'large:64512:1:2']",
            Advertisement(communities=("65535:65281", "64512:30", "1:2"), large_communities=("64512:1:2",)),
            id="communities in the order of the document, aliases resolved, each once",
        ),
        pytest.param(
            "communities: ['large:1']",
            Advertisement(communities=("7:7",)),
            id="an alias that looks like no alias",
        ),
        pytest.param(
            "large-communities: [4294967295:0:1, 'large:1:2:3']",
            Advertisement(large_communities=("4294967295:0:1", "1:2:3")),
            id="large communities",
        ),
        pytest.param("peers: [west, peer1]", Advertisement(peers=("west", "peer1")), id="peers by name"),
        pytest.param(
            "node-selectors: [{match-labels: {rack: a}}]",
            Advertisement(node_selectors=(Selector(labels={"rack": "a"}),)),
            id="nodes",
        ),
        pytest.param("med: 0, prepend: 3", Advertisement(med=0, prepend=3), id="what routers choose by"),
    ],
)
def test_an_advertisement_is_read(written: str, expected: Advertisement) -> None:
    assert accepted(ads_with(written)).pools[0].advertisements == (expected,)


def test_advertisements_keep_their_order() -> None:
    (pool,) = accepted(ads_with("med: 2", "med: 1")).pools
    assert [one.med for one in pool.advertisements] == [2, 1]


@pytest.mark.parametrize(
    ("written", "path", "message"),
    [
        ("peers: [east]", "peers[0]", 'referencing non existing peer "east"'),
        ("peers: [west, west]", "peers[1]", 'duplicate definition of peers "west"'),
        ("communities: ['large:1:2']", "communities[0]", 'invalid community string "large:1:2"'),
        ("communities: ['large:1:2:4294967296']", "communities[0]", 'invalid section "4294967296"'),
        (
            "large-communities: ['1:2']",
            "large-communities[0]",
            'invalid community "1:2" in BGP advertisement',
        ),
        ("large-communities: ['1:2:x']", "large-communities[0]", 'invalid section "x"'),
        ("communities: ['-1:2']", "communities[0]", 'invalid first section of community "-1"'),
        ("communities: [':2']", "communities[0]", 'parsing "": invalid syntax'),
        ("communities: ['²:2']", "communities[0]", "invalid syntax"),
        (f"communities: ['{'9' * 5000}:2']", "communities[0]", "value out of range"),
        ("aggregation-length: -1", "aggregation-length", 'invalid aggregation length "-1" for IPv4'),
        ("aggregation-length-v6: 63", "aggregation-length-v6", 'invalid aggregation length 63: prefix "64"'),
        ("localpref: -1", "localpref", "cannot unmarshal !!int `-1` into uint32"),
        ("med: 4294967296", "med", "into uint32"),
        ("prepend: 33", "prepend", "must be in 0-32 range"),
        (
            "node-selectors: [{match-labels: {'': b}}]",
            "node-selectors[0].match-labels.",
            "parsing node selector: key",
        ),
        ("localPref: 1", "localPref", "field localPref not found in type config.bgpAdvertisement"),
    ],
)
def test_a_mistake_in_an_advertisement_is_told_with_its_place(written: str, path: str, message: str) -> None:
    problem = error(ads_with(written))
    assert message in problem.message
    assert problem.message.startswith(
        ("parsing address pool #1: parsing BGP communities: ", "could not parse")
    )
    assert problem.path == f"address-pools[0].bgp-advertisements[0].{path}"


@pytest.mark.parametrize(
    ("addresses", "length", "fits"),
    [
        pytest.param("192.0.2.0/24", 24, True, id="its own length"),
        pytest.param("192.0.2.1-192.0.2.254", 25, False, id="a range without such a prefix"),
        pytest.param("192.0.2.1-192.0.2.254", 26, True, id="a range with one"),
        pytest.param("192.0.2.0-192.0.2.255", 24, True, id="a range that is a prefix"),
        pytest.param("192.0.2.0/24, 198.51.100.0/28", 24, False, id="the narrower of two entries counts"),
        pytest.param("2001:db8::/64", 8, True, id="the other family does not matter"),
    ],
)
def test_a_length_must_fit_every_entry_as_in_metallb(addresses: str, length: int, fits: bool) -> None:
    text = ads_with(f"aggregation-length: {length}", addresses=addresses)
    assert (errors(text) == ()) is fits
