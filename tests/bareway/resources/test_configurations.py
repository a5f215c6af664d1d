from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareway.model.addresses import parse_range
from bareway.model.configuration import Configuration, Pool, Protocol
from bareway.model.names import PoolName
from bareway.model.problems import Problem, Severity
from bareway.resources.configurations import PROBLEMS_MAX, read_configuration


def accepted(text: str) -> Configuration:
    reading = read_configuration(dedent(text))
    assert reading.problems == ()
    assert reading.configuration is not None
    return reading.configuration


def problems(text: str) -> tuple[Problem, ...]:
    return read_configuration(dedent(text)).problems


def told(text: str) -> list[tuple[int, str, str]]:
    return [(problem.line, problem.path, problem.message) for problem in problems(text)]


def test_a_document_in_every_notation_is_read_in_full() -> None:
    assert accepted("""\
        address-pools:
        - name: office
          protocol: layer2
          addresses:
          - 192.0.2.17/28
          - 198.51.100.10 - 198.51.100.20
          - 2001:db8::/48
        - {name: 007, protocol: bgp, addresses: ["203.0.113.7/32"], auto-assign: no, avoid-buggy-ips: on}
        """.replace("bgp", "layer2")) == Configuration(
        pools=(
            Pool(
                name=PoolName("office"),
                ranges=(
                    parse_range("192.0.2.16-192.0.2.31"),
                    parse_range("198.51.100.10-198.51.100.20"),
                    parse_range("2001:db8::/48"),
                ),
            ),
            Pool(
                name=PoolName("007"),
                ranges=(parse_range("203.0.113.7/32"),),
                auto_assign=False,
                avoid_buggy_ips=True,
            ),
        )
    )  # fmt: skip


@pytest.mark.parametrize("text", ["", "# nothing", "address-pools:", "address-pools: []", "peers: []"])
def test_an_empty_document_is_a_configuration_without_pools(text: str) -> None:
    assert accepted(text) == Configuration()


def test_anchors_and_merges_spare_repetition() -> None:
    configuration = accepted("""\
        address-pools:
        - &first {name: a, protocol: layer2, addresses: [192.0.2.0/28], auto-assign: off}
        - {<<: *first, name: b, addresses: [192.0.2.16/28]}
        """)
    assert [(pool.name, pool.auto_assign) for pool in configuration.pools] == [("a", False), ("b", False)]


POOL = "{name: a, protocol: layer2, addresses: [192.0.2.0/28]}"


@pytest.mark.parametrize(
    ("pool", "path", "message"),
    [
        pytest.param("{protocol: layer2, addresses: [192.0.2.0/28]}", "", "missing pool name", id="no name"),
        pytest.param(
            "{name: a, addresses: [192.0.2.0/28]}",
            "",
            "address pool is missing the protocol field",
            id="no protocol",
        ),
        pytest.param(
            "{name: a, protocol: arp, addresses: [192.0.2.0/28]}",
            ".protocol",
            'unknown protocol "arp"',
            id="protocol",
        ),
        pytest.param("{name: a, protocol: layer2}", "", "pool has no prefixes defined", id="no addresses"),
        pytest.param(
            "{name: a, protocol: layer2, addresses: []}", "", "pool has no prefixes defined", id="empty list"
        ),
        pytest.param(
            "{name: a, protocol: layer2, addresses: [192.0.2.0/33]}",
            ".addresses[0]",
            'invalid CIDR "192.0.2.0/33" in pool "a": invalid CIDR "192.0.2.0/33"',
            id="prefix length",
        ),
        pytest.param(
            "{name: a, protocol: layer2, addresses: [192.0.2.0/24, 192.0.3.0/255.255.255.0]}",
            ".addresses[1]",
            'invalid CIDR "192.0.3.0/255.255.255.0" in pool "a": invalid CIDR "192.0.3.0/255.255.255.0"',
            id="netmask",
        ),
        pytest.param(
            "{name: a, protocol: layer2, addresses: [192.0.2.1]}",
            ".addresses[0]",
            'invalid CIDR "192.0.2.1" in pool "a": invalid CIDR "192.0.2.1"',
            id="an address alone",
        ),
        pytest.param(
            "{name: a, protocol: layer2, addresses: ['fe80::%eth0/64']}",
            ".addresses[0]",
            'invalid CIDR "fe80::%eth0/64" in pool "a": invalid CIDR "fe80::%eth0/64"',
            id="zone",
        ),
        pytest.param(
            "{name: a, protocol: layer2, addresses: [192.0.2.9-192.0.2.1]}",
            ".addresses[0]",
            'invalid CIDR "192.0.2.9-192.0.2.1" in pool "a": invalid IP range "192.0.2.9-192.0.2.1":'
            ' start IP "192.0.2.9" is after the end IP "192.0.2.1"',
            id="range backwards",
        ),
        pytest.param(
            "{name: a, protocol: layer2, addresses: [192.0.2.x-192.0.2.9]}",
            ".addresses[0]",
            'invalid CIDR "192.0.2.x-192.0.2.9" in pool "a": invalid IP range "192.0.2.x-192.0.2.9":'
            ' invalid start IP "192.0.2.x"',
            id="range of nonsense",
        ),
        pytest.param(
            "{name: a, protocol: layer2, addresses: ['192.0.2.1-2001:db8::1']}",
            ".addresses[0]",
            'invalid CIDR "192.0.2.1-2001:db8::1" in pool "a": invalid IP range "192.0.2.1-2001:db8::1":'
            " start and end are of different families",
            id="range of two families",
        ),
        pytest.param(
            "{name: a, protocol: layer2, addresses: [192.0.2.0/28], bgp-advertisements: [{}]}",
            ".bgp-advertisements",
            "cannot have bgp-advertisements configuration element in a layer2 address pool",
            id="advertisements of layer 2",
        ),
    ],
)
def test_a_mistake_in_a_pool_is_told_in_metallbs_words(pool: str, path: str, message: str) -> None:
    text = f"address-pools:\n- {{name: other, protocol: layer2, addresses: [10.0.0.0/24]}}\n- {pool}\n"
    reading = read_configuration(text)
    assert reading.configuration is None
    (problem,) = reading.problems
    assert problem.message == f"parsing address pool #2: {message}"
    assert (problem.line, problem.path) == (3, f"address-pools[1]{path}")
    assert problem.hint or "bgp-advertisements" in path


@pytest.mark.parametrize("item", ["x", "[x]"])
def test_a_pool_that_is_no_mapping_is_one_mistake(item: str) -> None:
    (problem,) = problems(f"address-pools: [{item}]")
    assert problem.message.endswith("into config.addressPool")


def test_a_document_that_is_no_mapping_is_one_mistake() -> None:
    assert told("- a") == [(1, "", "could not parse config: cannot unmarshal !!seq into config.configFile")]


def test_a_pool_defined_twice_is_told_at_the_second() -> None:
    text = f"address-pools:\n- {POOL}\n- {POOL.replace('192', '198')}"
    assert told(text) == [(3, "address-pools[1]", 'duplicate definition of pool "a"')]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param("192.0.2.0/24", "192.0.2.0/24", id="the same"),
        pytest.param("192.0.2.0/24", "192.0.2.7-192.0.2.9", id="inside"),
        pytest.param("192.0.2.7-192.0.2.9", "192.0.2.0/24", id="around"),
        pytest.param("192.0.2.0-192.0.2.9", "192.0.2.9-192.0.2.12", id="one address"),
        pytest.param("2001:db8::/48", "2001:db8:0:1::-2001:db8:0:1::1", id="IPv6"),
    ],
)
def test_the_later_of_two_entries_with_an_address_in_common_is_told(first: str, second: str) -> None:
    text = f"""\
        address-pools:
        - name: a
          protocol: layer2
          addresses: [{first}, 10.0.0.0/24]
        - name: b
          protocol: layer2
          addresses:
          - {second}
        """
    (problem,) = problems(text)
    assert problem.message == f'CIDR "{second}" in pool "b" overlaps with already defined CIDR "{first}"'
    assert (problem.line, problem.path) == (8, "address-pools[1].addresses[0]")
    assert problem.hint == 'that one stands in line 4, in pool "a"'


def test_entries_of_one_pool_may_not_overlap_either() -> None:
    (problem,) = problems("address-pools:\n- " + POOL.replace("/28", "/28, 192.0.2.15-192.0.2.20"))
    assert "overlaps with already defined CIDR" in problem.message


def test_a_wide_entry_is_seen_behind_narrow_ones() -> None:
    addresses = "10.0.0.0/8, 10.0.0.1-10.0.0.2, 10.0.0.5-10.0.0.6, 10.9.0.0/16"
    paths = [path for _, path, _ in told(f"address-pools:\n- {POOL.replace('192.0.2.0/28', addresses)}")]
    assert paths == [f"address-pools[0].addresses[{n}]" for n in (1, 2, 3)]


def test_neighbours_do_not_overlap() -> None:
    accepted(f"address-pools:\n- {POOL.replace('/28', '/28, 192.0.2.16/28, 192.0.1.0/24')}")


def test_all_mistakes_are_told_at_once_in_the_order_of_their_lines() -> None:
    text = """\
        address-pool: []
        address-pools:
        - name: a
          protocol: arp
          adresses: []
          auto-assign: maybe
        - protocol: layer2
          addresses: [x/y]
        peers:
          - nonsense
        """
    assert [problem.line for problem in problems(text)] == [1, 3, 4, 5, 6, 7, 8, 10]


def test_a_duplicate_key_does_not_hide_other_mistakes() -> None:
    text = "address-pools:\n- name: a\n  name: b\n  protocol: layer2\n"
    assert [line for line, _, _ in told(text)] == [2, 3]
    assert read_configuration(text).configuration is None


@pytest.mark.parametrize("key", ["peers", "bgp-communities", "bfd-profiles"])
def test_a_key_of_bgp_is_accepted_with_a_warning(key: str) -> None:
    reading = read_configuration(f"{key}: [anything]\naddress-pools: [{POOL}]")
    assert reading.configuration is not None
    assert [(p.path, p.line, p.severity) for p in reading.problems] == [(key, 1, Severity.WARNING)]
    assert f"{key} is not served yet" in reading.problems[0].message


def test_a_pool_of_bgp_assigns_addresses_and_says_that_nothing_is_announced() -> None:
    pool = POOL.replace("layer2", "bgp").replace("}", ", bgp-advertisements: [{localpref: 100}]}")
    reading = read_configuration(f"address-pools: [{pool}]")
    assert reading.configuration is not None
    assert reading.configuration.pools[0].protocol is Protocol.BGP
    assert [problem.path for problem in reading.problems] == [
        "address-pools[0].protocol",
        "address-pools[0].bgp-advertisements",
    ]
    assert {problem.severity for problem in reading.problems} == {Severity.WARNING}


def test_what_cannot_be_parsed_is_no_configuration() -> None:
    reading = read_configuration("address-pools: [")
    assert reading.configuration is None
    assert reading.problems[0].message == "could not parse config: did not find expected node content"


def test_more_problems_than_anybody_reads_are_counted() -> None:
    found = problems("address-pools:\n" + "- {name: a}\n" * 200)
    assert len(found) == PROBLEMS_MAX + 1
    assert found[-1].message == "and 499 more problems"


def test_many_warnings_are_no_error() -> None:
    pools = "".join(
        f"- {{name: p{n}, protocol: bgp, addresses: [10.0.{n}.0/24]}}\n" for n in range(PROBLEMS_MAX + 5)
    )
    reading = read_configuration("address-pools:\n" + pools)
    assert reading.configuration is not None
    assert {problem.severity for problem in reading.problems} == {Severity.WARNING}


@given(st.text(alphabet="adnpors-: []{}\n1/.2'l", max_size=80).map(lambda text: "address-pools:\n- " + text))
def test_reading_never_raises_and_never_accepts_with_an_error(text: str) -> None:
    reading = read_configuration(text)
    failed = any(problem.severity is Severity.ERROR for problem in reading.problems)
    assert failed == (reading.configuration is None)
