"""bareway.resources.statuses: what a node's command printed, and nothing else."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareway.model.names import NodeName
from bareway.model.status import OnLinkStatus
from bareway.resources.said import Unintelligible
from bareway.resources.statuses import read_statuses
from support import statuses
from support.pods import printed

NODE2 = NodeName("node2")
HELD = statuses.address()
LIVELY = replace(HELD, on_link=OnLinkStatus(links=(), last_answer_s=1.5))
FIRST = statuses.speaker_status(addresses=(HELD, statuses.address("2001:db8::1", None, "noEndpoints")))
SECOND = replace(FIRST, node=NODE2, addresses=(LIVELY, HELD, replace(HELD, reason="notOwner")))
CONTROLLER = statuses.controller_status(waiting=(statuses.waiting(),))


def test_everybody_who_said_something_is_read() -> None:
    assert read_statuses(printed(CONTROLLER, FIRST, SECOND)) == ([CONTROLLER], [FIRST, SECOND])


def test_one_address_in_other_words_stays_another() -> None:
    assert read_statuses(printed(FIRST))[1] == [FIRST]
    assert read_statuses(printed(SECOND))[1] == [SECOND]


def test_a_speaker_that_says_nothing_of_addresses_has_none() -> None:
    body = b'{"controllers": [], "speakers": [{"version": "1", "node": "n", "api_connected": true}]}'
    assert read_statuses(body)[1][0].addresses == ()


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"usage: bareway", id="no JSON"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b'{"controllers": [], "wrong": []}', id="no speakers"),
        pytest.param(b'{"controllers": {}, "speakers": []}', id="an object for a list"),
        pytest.param(b'{"controllers": [7], "speakers": []}', id="a number for a controller"),
        pytest.param(b'{"controllers": [], "speakers": [{"version": "1"}]}', id="half a speaker"),
        pytest.param(
            b'{"controllers": [], "speakers": [{"version": "1", "node": "n", "api_connected": true,'
            b' "addresses": [{"address": "nowhere", "services": [], "announced_by": null}]}]}',
            id="no address",
        ),
        pytest.param(
            b'{"controllers": [], "speakers": [{"version": "1", "node": "n", "api_connected": true,'
            b' "addresses": 7}]}',
            id="a number for addresses",
        ),
        pytest.param(b'{"controllers": ' + b"[" * 100_000, id="endless depth"),
    ],
)
def test_anything_else_is_refused(body: bytes) -> None:
    with pytest.raises(Unintelligible):
        read_statuses(body)


@given(st.binary(max_size=60))
def test_noise_is_refused_and_never_more(noise: bytes) -> None:
    with pytest.raises(Unintelligible):
        read_statuses(noise)
