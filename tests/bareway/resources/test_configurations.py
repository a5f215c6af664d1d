"""The document as a whole: what an empty one says, what is told of a bad one, and how much is read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareway.model.configuration import Configuration
from bareway.model.problems import Severity
from bareway.resources.configurations import (
    BYTES_MAX,
    PROBLEMS_MAX,
    SHAPES,
    read_configuration,
)
from bareway.resources.grammar.keys import REQUIRED
from support.configurations import PEER, POOL, accepted, bgp_pool_with, error, errors, with_key

EVERY_NOTATION = """\
    address-pools:
    - name: office
      protocol: layer2
      addresses:
      - 192.0.2.17/28
      - 198.51.100.10 - 198.51.100.20
      - 2001:db8::/48
    - {name: 007, protocol: layer2, addresses: ["203.0.113.7/32"], auto-assign: no, avoid-buggy-ips: on}
    """


def test_a_document_in_every_notation_is_read_in_full() -> None:
    office, bond = accepted(EVERY_NOTATION).pools
    assert (office.name, office.auto_assign, office.avoid_buggy_ips) == ("office", True, False)
    assert [str(one) for one in office.ranges] == [
        "192.0.2.16-192.0.2.31",
        "198.51.100.10-198.51.100.20",
        "2001:db8::-2001:db8:0:ffff:ffff:ffff:ffff:ffff",
    ]
    assert (bond.name, bond.auto_assign, bond.avoid_buggy_ips) == ("007", False, True)


@pytest.mark.parametrize(
    "text", ["", "# nothing", "address-pools:", "address-pools: []", "peers: []", "layer2: {}", "~"]
)
def test_an_empty_document_is_a_configuration_without_pools(text: str) -> None:
    reading = read_configuration(text)
    assert (reading.configuration, reading.problems) == (Configuration(), ())


def test_anchors_and_merges_spare_repetition() -> None:
    configuration = accepted("""\
        address-pools:
        - &first {name: a, protocol: layer2, addresses: [192.0.2.0/28], auto-assign: off}
        - {<<: *first, name: b, addresses: [192.0.2.16/28]}
        """)
    assert [(pool.name, pool.auto_assign) for pool in configuration.pools] == [("a", False), ("b", False)]


@pytest.mark.parametrize("item", ["x", "[x]"])
def test_a_pool_that_is_no_mapping_is_one_mistake(item: str) -> None:
    assert error(f"address-pools: [{item}]").message.endswith("into config.addressPool")


def test_a_document_that_is_no_mapping_is_one_mistake() -> None:
    problem = error("- a")
    assert problem.message == "could not parse config: cannot unmarshal !!seq into config.configFile"
    assert (problem.line, problem.path) == (1, "")


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
    assert [problem.line for problem in errors(text)] == [1, 3, 4, 5, 6, 7, 8, 10]


def test_a_duplicate_key_does_not_hide_other_mistakes() -> None:
    text = "address-pools:\n- name: a\n  name: b\n  protocol: layer2\n"
    assert [problem.line for problem in errors(text)] == [2, 3]


@pytest.mark.parametrize(
    "written",
    [
        pytest.param(f"peers: [{PEER}]", id="peers"),
        pytest.param("bgp-communities: {a: '1:2'}", id="communities"),
        pytest.param("bfd-profiles: [{name: fast}]", id="profiles"),
    ],
)
def test_what_bgp_needs_is_accepted_without_a_warning(written: str) -> None:
    reading = read_configuration(f"{written}\naddress-pools: [{POOL}]")
    assert reading.configuration is not None
    assert reading.problems == ()


def test_what_speakers_follow_needs_no_warning() -> None:
    followed = "layer2: {profile: fast, partition: safe, on-cordon: move}"
    assert read_configuration(f"{followed}\naddress-pools: [{POOL}]").problems == ()


def test_peers_are_checked() -> None:
    assert read_configuration("peers: [anything]").configuration is None


def test_a_pool_of_bgp_needs_no_warning() -> None:
    reading = read_configuration(bgp_pool_with("bgp-advertisements: [{localpref: 100}]"))
    assert reading.configuration is not None
    assert reading.problems == ()


def test_what_cannot_be_parsed_is_no_configuration() -> None:
    assert error("address-pools: [").message == "could not parse config: did not find expected node content"


def test_more_problems_than_anybody_reads_are_counted() -> None:
    found = read_configuration("address-pools:\n" + "- {name: a}\n" * 200).problems
    assert len(found) == PROBLEMS_MAX + 1
    assert found[-1].message == "and 499 more problems"


def test_many_warnings_are_no_error_and_hide_none() -> None:
    profiles = "".join(f"- {{name: p{n}, echo-mode: true}}\n" for n in range(PROBLEMS_MAX + 5))
    reading = read_configuration("bfd-profiles:\n" + profiles)
    assert reading.configuration is not None
    assert {problem.severity for problem in reading.problems} == {Severity.WARNING}
    bad = read_configuration("bfd-profiles:\n" + profiles + "- x\n")
    assert bad.configuration is None
    assert Severity.ERROR in {problem.severity for problem in bad.problems}


def test_what_leaves_no_room_for_our_own_words_in_a_config_map_is_refused() -> None:
    half = "#" * (BYTES_MAX // 2)
    assert read_configuration(half, half).configuration is not None
    assert "bytes, at most" in error(half, half + "##").message
    assert "bytes, at most" in error("é" * (BYTES_MAX // 2 + 1)).message


@pytest.mark.parametrize("where", SHAPES)
def test_every_key_has_a_meaning_and_only_those_without_a_default_are_required(where: str) -> None:
    names = SHAPES[where].names
    assert len(set(names)) == len(names)
    for key in SHAPES[where].keys:
        assert key.meaning
        assert key.type


AROUND = {
    "address-pools[]": ("address-pools: [", "]"),
    "address-pools[].bgp-advertisements[]": (
        "address-pools: [{name: a, protocol: bgp, addresses: [10.0.0.0/8], bgp-advertisements: [",
        "]}]",
    ),
    "peers[]": ("peers: [", "]"),
    "bfd-profiles[]": ("bfd-profiles: [", "]"),
    "layer2": ("layer2: ", ""),
}
LEAST = {"address-pools[]": POOL, "peers[]": PEER, "bfd-profiles[]": "{name: fast}"}

DEFAULTS = [
    pytest.param(where, key.name, key.default, id=f"{where}.{key.name}")
    for where, shape in SHAPES.items()
    for key in shape.keys
    if key.default not in {"", REQUIRED, "peer<N>"}
]


@pytest.mark.parametrize(("where", "key", "default"), DEFAULTS)
def test_a_default_written_says_nothing_new(where: str, key: str, default: str) -> None:
    before, after = AROUND[where]
    least = LEAST.get(where, "{}")
    with_default = with_key(least, f"{key}: {default}")
    assert accepted(before + with_default + after) == accepted(before + least + after)


@given(st.text(alphabet="adnpors-: []{}\n1/.2'l", max_size=80).map(lambda text: "address-pools:\n- " + text))
def test_reading_never_raises_and_never_accepts_with_an_error(text: str) -> None:
    reading = read_configuration(text)
    failed = any(problem.severity is Severity.ERROR for problem in reading.problems)
    assert failed == (reading.configuration is None)
