"""What is heard of a node: its claim counts while it lives, and what more is heard counts more."""

from dataclasses import replace

import pytest

from bareway.decide.answers.why.answer import completed, why
from bareway.decide.answers.why.chain import Layer2Answer, Outcome, Why
from bareway.decide.answers.why.told import Hearsay
from bareway.decide.answers.why.view import Witness
from bareway.gossip.member import MemberState
from support.asked import NODE1, NODE2, NODE3, NODES, ON_LINK, healthy, on_link


def _link(found: Why) -> Layer2Answer:
    (address,) = found.addresses
    assert address.layer2 is not None
    return address.layer2


@pytest.mark.parametrize("state", [MemberState.DEAD, MemberState.LEFT])
def test_a_claim_of_a_node_that_is_gone_says_of_nobody_that_it_answers(state: MemberState) -> None:
    alive = Witness(
        name="the controller",
        holders={ON_LINK: NODE1},
        states={**dict.fromkeys(NODES, MemberState.ALIVE)},
    )
    view = replace(healthy(), speakers={}, pods=None, witnesses=(alive,))
    gone = replace(alive, states={**alive.states, NODE1: state})
    chains = (
        why(replace(view, witnesses=(gone,)), ON_LINK),
        completed(why(view, ON_LINK), Hearsay(witnesses=(gone,))),  # it was alive when it was asked first
    )
    for found in chains:
        assert (found.outcome, _link(found).holder) == (Outcome.UNKNOWN, "")
        assert {row.node: (row.announces, row.word) for row in _link(found).nodes} == {
            NODE1: (None, state),
            NODE2: (None, ""),
            NODE3: (None, ""),
        }


def test_what_was_heard_before_is_made_anew_when_more_is_heard() -> None:
    witness = Witness(name="the controller", holders={ON_LINK: NODE1})
    chain = why(replace(healthy(), speakers={}, pods=None, witnesses=(witness,)), ON_LINK)
    again = completed(chain, Hearsay(pods={}))
    assert _link(again).told_by == "the controller"
    moved = replace(healthy().speakers[NODE2], addresses=(on_link(NODE2, ""),))
    found = completed(chain, Hearsay(speakers={NODE2: moved}))
    assert found.sentence.startswith("Node node2 answers")
    assert {row.node: row.announces for row in _link(found).nodes} == {
        NODE1: False,
        NODE2: True,
        NODE3: False,
    }
    assert _link(found).nodes[2].sentence == "node node2 has it"
