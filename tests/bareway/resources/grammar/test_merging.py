"""A second document, under a data key of our own, says more about the pools and peers of the first."""

from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareway.model.configuration import Reuse
from bareway.resources.configurations import read_configuration
from support.configurations import PEER, POOL, accepted, error, errors

FIRST = f"""\
peers: [{PEER}]
bgp-communities: {{a: '1:1', b: '2:2'}}
bfd-profiles: [{{name: fast, receive-interval: 50}}]
address-pools:
- {POOL}
- {{name: b, protocol: bgp, addresses: [198.51.100.0/24], bgp-advertisements: [{{localpref: 1}}]}}
"""


def test_pools_are_extended_by_their_names_and_new_ones_come_last() -> None:
    extension = """\
        address-pools:
        - {name: c, protocol: layer2, addresses: [203.0.113.0/24]}
        - {name: a, reuse: oldest, auto-assign: no}
        """
    pools = accepted(FIRST, extension).pools
    assert [(pool.name, pool.reuse, pool.auto_assign) for pool in pools] == [
        ("a", Reuse.OLDEST, False),
        ("b", Reuse.LOWEST, True),
        ("c", Reuse.LOWEST, True),
    ]
    assert pools[0].ranges == accepted(FIRST).pools[0].ranges


def test_of_a_key_in_both_the_extension_counts_as_a_whole() -> None:
    extension = "address-pools: [{name: b, bgp-advertisements: [{localpref: 2, peers: [peer1]}, {med: 1}]}]"
    (_, pool) = accepted(FIRST, extension).pools
    assert [(one.local_preference, one.peers) for one in pool.advertisements] == [(2, ("peer1",)), (0, ())]


def test_a_peer_without_a_name_is_extended_by_its_number() -> None:
    (peer,) = accepted(FIRST, "peers: [{name: peer1, passive: yes, bfd-profile: fast}]").peers
    assert (peer.name, peer.my_asn, peer.passive, peer.bfd_profile) == ("peer1", 64512, True, "fast")


def test_profiles_aliases_and_layer_2_are_extended_too() -> None:
    extension = """\
        bfd-profiles: [{name: fast, detect-multiplier: 5}, {name: slow}]
        bgp-communities: {b: '3:3', c: '4:4'}
        layer2: {on-cordon: move}
        """
    found = accepted(FIRST + "layer2: {duplicate-check: no}\n", extension)
    assert [(one.name, one.receive_interval_ms, one.detect_multiplier) for one in found.bfd_profiles] == [
        ("fast", 50, 5),
        ("slow", None, None),
    ]
    assert found.communities == {"a": "1:1", "b": "3:3", "c": "4:4"}
    assert (found.layer2.on_cordon, found.layer2.duplicate_check) == ("move", False)


def test_an_extension_may_say_everything() -> None:
    assert accepted("", FIRST.replace("{my-asn", "{name: x, my-asn")).pools == accepted(FIRST).pools


@pytest.mark.parametrize(
    ("extension", "path", "line", "message"),
    [
        pytest.param(
            "address-pools:\n- {name: a, reuse: x}",
            "address-pools[0].reuse",
            2,
            'unknown reuse "x"',
            id="value",
        ),
        pytest.param(
            "address-pools:\n- {name: a, adresses: x}",
            "address-pools[0].adresses",
            2,
            "not found in type",
            id="key",
        ),
        pytest.param(
            "\n\naddress-pools: [{name: a}, {name: a}]",
            "address-pools[1]",
            3,
            "missing the protocol",
            id="twice",
        ),
        pytest.param(
            "peers:\n\n- {passive: yes}", "peers[0]", 3, "missing peer name", id="peer without a name"
        ),
        pytest.param(
            "address-pools:\n- {priority: 3}", "address-pools[0]", 2, "missing pool name", id="pool without"
        ),
        pytest.param("a: [", "", 1, "could not parse config: did not find", id="syntax"),
        pytest.param("- a", "", 1, "cannot unmarshal !!seq into config.configFile", id="a list"),
        pytest.param("layer2: x", "layer2", 1, "cannot unmarshal !!str `x` into config.layer2", id="layer 2"),
        pytest.param(
            "bgp-communities:\n  a: b", "bgp-communities.a", 2, 'parsing community "a"', id="community"
        ),
    ],
)
def test_a_mistake_in_the_extension_says_that_it_is_there(
    extension: str, path: str, line: int, message: str
) -> None:
    (problem, *_) = errors(FIRST, extension)
    assert (problem.document, problem.path, problem.line) == ("bareway", path, line)
    assert message in problem.message
    assert str(problem).startswith(f"bareway, line {line}: ")


def test_a_name_that_is_in_neither_is_a_pool_of_its_own_and_the_hint_says_so() -> None:
    told = errors(FIRST, "address-pools: [{name: ofice, priority: 3}]")
    assert {problem.document for problem in told} == {"bareway"}
    assert any("no pool of this name" in problem.hint for problem in told)


def test_mistakes_of_both_documents_are_told_at_once_the_first_ones_first() -> None:
    told = errors("\n\naddress-pools: [x]", "peers: [x]")
    assert [(problem.document, problem.line) for problem in told] == [("", 3), ("bareway", 1)]


def test_a_mistake_in_what_is_extended_stays_where_it_is() -> None:
    problem = error(
        "address-pools:\n- {name: a, protocol: arp, addresses: [10.0.0.0/8]}", "address-pools: [{name: a}]"
    )
    assert (problem.document, problem.path, problem.line) == ("", "address-pools[0].protocol", 2)


@given(st.sampled_from([FIRST, "", "address-pools: []"]), st.text(alphabet="adnpors-: []{}\n1'", max_size=60))
def test_whatever_stands_in_the_extension_is_read_or_told(text: str, extension: str) -> None:
    reading = read_configuration(dedent(text), f"address-pools:\n- {extension}")
    assert reading.configuration is not None or reading.problems
