"""Errands for others: a yes as soon as the member is heard after the question, a no when the time is up."""

from math import inf
from random import Random

from bareway.gossip.edges import Edges
from bareway.gossip.errands import ERRANDS_MAX, Errands
from bareway.gossip.events import Probe, Send
from bareway.gossip.message import PingAnswer, PingRequest
from bareway.gossip.profile import PROFILES, ProfileName
from bareway.model.names import NodeName

ASKER, OTHER, Z = (NodeName(name) for name in ("a", "b", "z"))


def errands(*open_to: NodeName) -> Errands:
    edges = Edges(me=NodeName("m"), profile=PROFILES[ProfileName.DEFAULT], rng=Random("errands"))
    for peer in open_to:
        edges.opened(peer, now=0.0)
    return Errands(edges=edges)


def ask(number: int = 1, target: NodeName = Z) -> PingRequest:
    return PingRequest(number=number, target=target, wait_ms=200)


def answer(to: NodeName, number: int, *, heard: bool) -> Send:
    return Send(peer=to, message=PingAnswer(number=number, heard=heard))


def test_one_that_is_heard_anyway_is_waited_for_and_what_came_before_does_not_count() -> None:
    made = errands(Z)
    assert made.spoke(Z) == []
    assert made.take(ASKER, ask(), now=1.0) == []
    assert made.spoke(OTHER) == []
    assert made.spoke(Z) == [answer(ASKER, 1, heard=True)]
    assert made.spoke(Z) == []
    assert made.deadline == inf


def test_one_to_whom_there_is_no_edge_is_probed() -> None:
    made = errands()
    assert made.take(ASKER, ask(), now=1.0) == [Probe(peer=Z)]
    assert made.spoke(Z) == [answer(ASKER, 1, heard=True)]


def test_a_second_question_about_the_same_needs_no_second_probe() -> None:
    made = errands()
    made.take(ASKER, ask(1), now=1.0)
    assert made.take(OTHER, ask(7), now=1.1) == []
    assert made.spoke(Z) == [answer(ASKER, 1, heard=True), answer(OTHER, 7, heard=True)]


def test_silence_is_answered_with_no_when_the_time_is_up_each_in_its_own() -> None:
    made = errands(Z)
    made.take(ASKER, ask(1), now=1.0)
    made.take(OTHER, ask(7), now=1.1)
    assert made.deadline == 1.2
    assert made.due(now=1.19) == []
    assert made.due(now=1.2) == [answer(ASKER, 1, heard=False)]
    assert made.spoke(Z) == [answer(OTHER, 7, heard=True)]


def test_there_is_a_limit_and_room_again_afterwards() -> None:
    made = errands()
    for number in range(ERRANDS_MAX):
        made.take(ASKER, ask(number, NodeName(f"n{number}")), now=1.0)
    assert made.take(ASKER, ask(99), now=1.0) == []
    assert made.spoke(Z) == []
    assert len(made.due(now=2.0)) == ERRANDS_MAX
    assert made.take(ASKER, ask(99), now=2.0) == [Probe(peer=Z)]
