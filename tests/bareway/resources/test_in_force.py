"""The configuration in force survives the way through its ConfigMap, and damage to it is named."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareway.model.configuration import Reuse
from bareway.model.names import ObjectKey, PoolName
from bareway.model.objects import ConfigMap
from bareway.resources.in_force import InForce, digest, read_in_force, write_in_force

DOCUMENT = "address-pools:\n- {name: a, protocol: layer2, addresses: [192.0.2.0/24]}\n"


def config_map(**changes: str) -> ConfigMap:
    data = {**write_in_force(DOCUMENT, generation=7, source="ConfigMap x/config"), **changes}
    return ConfigMap(key=ObjectKey("bareway-system", "bareway-config"), data=data)


def test_what_is_written_is_read_again() -> None:
    accepted = read_in_force(config_map())
    assert isinstance(accepted, InForce)
    assert [pool.name for pool in accepted.configuration.pools] == [PoolName("a")]
    assert (accepted.document, accepted.generation, accepted.source) == (DOCUMENT, 7, "ConfigMap x/config")
    assert accepted.sha256 == digest(DOCUMENT)


EXTENSION = "address-pools: [{name: a, reuse: oldest}]"


def test_an_extension_is_written_read_and_covered_by_the_digest() -> None:
    data = write_in_force(DOCUMENT, extension=EXTENSION, generation=7, source="x")
    assert data["bareway"] == EXTENSION
    accepted = read_in_force(ConfigMap(key=ObjectKey("a", "b"), data=data))
    assert isinstance(accepted, InForce)
    assert (accepted.document, accepted.extension) == (DOCUMENT, EXTENSION)
    assert [pool.reuse for pool in accepted.configuration.pools] == [Reuse.OLDEST]
    problems = read_in_force(ConfigMap(key=ObjectKey("a", "b"), data={**data, "bareway": ""}))
    assert isinstance(problems, list)
    assert [problem.path for problem in problems] == ["data.sha256"]


def test_without_an_extension_an_older_version_reads_it_too() -> None:
    data = write_in_force(DOCUMENT, generation=7, source="x")
    assert "bareway" not in data
    assert data["sha256"] == sha256(DOCUMENT.encode()).hexdigest()


def test_no_two_pairs_of_documents_have_one_digest() -> None:
    assert len({digest("ab"), digest("a", "b"), digest("b", "a"), digest("", "ab")}) == 4


def test_a_mistake_in_the_extension_says_that_it_is_there() -> None:
    data = write_in_force(DOCUMENT, extension="a: b", generation=7, source="x")
    problems = read_in_force(ConfigMap(key=ObjectKey("a", "b"), data=data))
    assert isinstance(problems, list)
    assert [problem.document for problem in problems] == ["bareway"]


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        pytest.param({"config": DOCUMENT + " "}, "data.sha256", id="document changed by hand"),
        pytest.param({"sha256": ""}, "data.sha256", id="digest removed"),
        pytest.param({"generation": "-1"}, "data.generation", id="generation below zero"),
        pytest.param({"generation": "²"}, "data.generation", id="generation in other digits"),
        pytest.param({"generation": ""}, "data.generation", id="generation removed"),
    ],
)
def test_damage_is_named_with_its_place_and_a_way_out(changes: dict[str, str], path: str) -> None:
    problems = read_in_force(config_map(**changes))
    assert isinstance(problems, list)
    assert [problem.path for problem in problems] == [path]
    assert "delete ConfigMap bareway-system/bareway-config" in problems[0].hint


def test_a_document_that_this_version_does_not_understand_names_its_mistakes() -> None:
    problems = read_in_force(config_map(config="pools: []", sha256=digest("pools: []")))
    assert isinstance(problems, list)
    assert [problem.line for problem in problems] == [1]


@given(
    st.dictionaries(
        st.sampled_from(["config", "bareway", "sha256", "generation", "source"]), st.text(max_size=40)
    )
)
def test_whatever_stands_there_is_read_or_named(data: dict[str, str]) -> None:
    read = read_in_force(ConfigMap(key=ObjectKey("a", "b"), data=data))
    assert isinstance(read, InForce) or read
