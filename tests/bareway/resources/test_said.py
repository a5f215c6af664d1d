"""bareway.resources.said: what ``plain`` wrote is read back, and anything else is refused with its place."""

import json
from dataclasses import dataclass, fields, is_dataclass, replace
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareway.model import status
from bareway.model.cluster import Cluster, PodState, Unknown
from bareway.model.names import NodeName, PoolName
from bareway.model.plain import plain
from bareway.model.problems import Problem, Severity
from bareway.model.status import ControllerStatus, PoolStatus, SpeakerStatus
from bareway.resources.said import Unintelligible, read_page, read_said
from support import statuses

MISTAKE = Problem(path="a[0]", message="no", line=3, hint="yes", severity=Severity.WARNING)
SPEAKER = statuses.speaker_status(
    problems=(MISTAKE,),
    members=(statuses.member(), statuses.member(NodeName("n2"), "Dead")),
    addresses=(statuses.address(), statuses.address("2001:db8::1", None, "noEndpoints", "bgp")),
    findings=(statuses.finding(), statuses.finding(NodeName("n3"))),
    peers=(statuses.peer(), statuses.peer("p2", "2001:db8::2", state="Active", trouble="x")),
    bgp_problems=(MISTAKE,),
)
CONTROLLER = statuses.controller_status(waiting=(statuses.waiting(),), not_ready=("so",))


def over_the_wire(value: object) -> Any:
    return json.loads(json.dumps(plain(value)))


@pytest.mark.parametrize("value", [SPEAKER, CONTROLLER], ids=["speaker", "controller"])
def test_what_was_said_is_read_back_as_it_was(value: SpeakerStatus | ControllerStatus) -> None:
    assert read_said(type(value), over_the_wire(value)) == value


def test_numbers_beyond_64_bits_and_whole_seconds_come_back() -> None:
    pool = PoolStatus(name=PoolName("p"), total=2**80, used=2**70)
    assert read_said(PoolStatus, over_the_wire(pool)) == pool
    member = over_the_wire(statuses.member()) | {"since_s": 7}
    assert read_said(status.MemberStatus, member).since_s == 7.0


def test_every_status_that_there_is_can_be_read() -> None:
    classes = [one for one in vars(status).values() if isinstance(one, type) and is_dataclass(one)]
    assert len(classes) > 10
    for one in classes:
        with pytest.raises(Unintelligible, match=f"this is no {one.__name__}: 7 is no object"):
            read_said(one, 7)


def test_what_a_newer_program_adds_is_left_out_and_what_an_older_lacks_gets_its_default() -> None:
    page = over_the_wire(SPEAKER) | {"mood": {"deep": [1]}}
    del page["peers"], page["findings"]
    assert read_said(SpeakerStatus, page) == replace(SPEAKER, peers=(), findings=())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param({"node": 7}, "7 is no text", id="a number for a name"),
        pytest.param({"api_connected": "yes"}, "neither true nor false", id="a word for a truth"),
        pytest.param({"list_generation": 1.5}, "no whole number", id="a half"),
        pytest.param({"list_generation": True}, "no whole number", id="a truth for a number"),
        pytest.param({"members": {}}, "is no list", id="an object for a list"),
        pytest.param({"links": [{"name": "eth0", "subnets": "all"}]}, "is no list", id="deep inside"),
        pytest.param(
            {"addresses": [{"address": "300.1.1.1", "services": [], "announced_by": None}]},
            "300",
            id="no address",
        ),
        pytest.param({"addresses": [{"address": "192.0.2.1"}]}, "lacks services, announced_by", id="missing"),
        pytest.param(
            {"bgp_problems": [{"path": "", "message": "", "severity": "fatal"}]}, "fatal", id="word"
        ),
        pytest.param({"members": None}, "None is no list", id="nothing for a list"),
    ],
)
def test_another_form_is_refused_with_what_came(change: dict[str, object], words: str) -> None:
    with pytest.raises(Unintelligible, match=words):
        read_said(SpeakerStatus, over_the_wire(SPEAKER) | change)


def test_other_classes_of_the_model_can_be_read_too() -> None:
    pod = PodState(name="a", component="speaker", node=None, ready=True, arguments=("--x",))
    assert read_said(PodState, over_the_wire(pod)) == pod
    assert read_said(Unknown, {"subject": "a", "why": "b"}) == Unknown(subject="a", why="b")
    assert {field.name for field in fields(Cluster)}  # it holds Mappings by keys, and nobody sends it


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True, slots=True, kw_only=True)
class Painted:
    colours: tuple[Colour, ...] = ()
    perhaps: Colour | None = None


def test_words_become_members_of_their_enum() -> None:
    found = read_said(Painted, {"colours": ["red"], "perhaps": "red"})
    assert found == Painted(colours=(Colour.RED,), perhaps=Colour.RED)
    assert read_said(Painted, {"perhaps": None}) == Painted()


@given(st.binary(max_size=40))
def test_noise_is_no_page(noise: bytes) -> None:
    try:
        page = read_page(noise)
    except Unintelligible:
        return
    assert isinstance(page, dict)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=6,
)


@given(st.sampled_from([field.name for field in fields(SpeakerStatus)]), JSON)
def test_nothing_but_unintelligible_is_raised_whatever_stands_in_a_field(name: str, value: object) -> None:
    try:
        read_said(SpeakerStatus, over_the_wire(SPEAKER) | {name: value})
    except Unintelligible:
        return
