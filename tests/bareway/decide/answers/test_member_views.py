"""How members are seen by all who answered, and where they disagree."""

from collections.abc import Mapping
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bareway.decide.answers.members import MemberView, members_of
from bareway.gossip.member import MemberState
from bareway.model.cluster import Cluster
from bareway.model.names import NodeName
from bareway.model.status import SpeakerStatus
from support.statuses import address, member, speaker_status

NAMES = tuple(NodeName(f"n{number}") for number in range(1, 5))
N1, N2, N3, N4 = NAMES
ALIVE, SUSPECT, DEAD, LEFT = MemberState


def speaker(node: NodeName, said: Mapping[NodeName, str]) -> SpeakerStatus:
    members = tuple(member(name, state) for name, state in said.items())
    return replace(speaker_status(members=members, addresses=()), node=node)


def seen(said: Mapping[NodeName, Mapping[NodeName, str]]) -> dict[NodeName, MemberView]:
    cluster = Cluster(speakers={node: speaker(node, words) for node, words in said.items()})
    return {one.name: one for one in members_of(cluster)}


def test_where_all_agree_there_is_no_dissent() -> None:
    found = seen({name: dict.fromkeys(NAMES, ALIVE) for name in NAMES})
    assert list(found) == list(NAMES)
    assert all(
        (one.state, one.seen_by, one.asked, one.dissent) == (ALIVE, 3, 3, ()) for one in found.values()
    )
    assert not any(one.is_troubled for one in found.values())


def test_what_most_others_say_counts_and_the_rest_is_named() -> None:
    words = dict.fromkeys(NAMES, ALIVE)
    found = seen({N1: words, N2: words, N3: words | {N4: DEAD}, N4: words})
    assert (found[N4].state, found[N4].seen_by, found[N4].dissent) == (ALIVE, 2, ("Dead on n3",))
    assert found[N4].is_troubled


def test_where_two_are_equal_the_worse_is_told() -> None:
    words = dict.fromkeys(NAMES, ALIVE)
    found = seen({N1: words | {N4: SUSPECT}, N2: words})
    assert (found[N4].state, found[N4].dissent) == (SUSPECT, ("Alive on n2",))


def test_nobody_judges_itself_unless_nobody_else_answered() -> None:
    found = seen({N1: {N1: DEAD, N2: ALIVE}, N2: {N1: ALIVE, N2: ALIVE}})
    assert (found[N1].state, found[N1].dissent) == (ALIVE, ())
    alone = seen({N1: {N1: ALIVE}})[N1]
    assert (alone.state, alone.seen_by, alone.asked, alone.is_troubled) == (ALIVE, 0, 0, False)


def test_who_is_not_known_to_another_is_named() -> None:
    found = seen({N1: {N1: ALIVE, N2: ALIVE}, N2: {N2: ALIVE}})
    assert (found[N1].state, found[N1].dissent) == (ALIVE, ("unknown on n2",))
    found = seen({N1: {N1: ALIVE, N2: ALIVE, N3: ALIVE}, N2: {N2: ALIVE}, N4: {N3: ALIVE}})
    assert found[N3].dissent == ("unknown on n2",)


def test_who_left_on_purpose_is_no_trouble_also_where_others_never_heard_of_it() -> None:
    found = seen({N1: {N1: ALIVE, N2: LEFT, N3: ALIVE}, N3: {N1: ALIVE, N3: ALIVE}})
    assert (found[N2].state, found[N2].dissent, found[N2].is_troubled) == (LEFT, (), False)


def test_what_a_member_announces_is_its_own_word_or_the_best_of_others() -> None:
    mine = (address("192.0.2.1", N1), address("192.0.2.2", N1), address("192.0.2.3", N2))
    routed = address("198.51.100.1", N1, protocol="bgp")
    first = replace(speaker(N1, {N1: ALIVE}), addresses=(*mine, routed), leaving="Drained")
    second = replace(speaker(N3, {N1: ALIVE, N2: ALIVE}), addresses=mine[2:])
    views = members_of(Cluster(speakers={N1: first, N3: second}))
    assert {one.name: one.announces for one in views} == {N1: 2, N2: 1, N3: 0}
    assert [(one.leaving, one.version) for one in views] == [("Drained", "0.1.0"), ("", ""), ("", "0.1.0")]


def test_a_state_that_only_a_newer_speaker_knows_is_told_as_it_is() -> None:
    found = seen({N1: {N2: "Asleep"}, N3: {N2: ALIVE}})
    assert found[N2].state == "Asleep"


STATES = st.sampled_from([str(state) for state in MemberState])


@given(st.dictionaries(st.sampled_from(NAMES), st.dictionaries(st.sampled_from(NAMES), STATES), max_size=4))
def test_nobody_is_counted_twice_and_only_who_says_something_else_dissents(
    said: dict[NodeName, dict[NodeName, str]],
) -> None:
    for one in seen(said).values():
        assert one.seen_by + len(one.dissent) <= one.asked
        assert not any(sentence.startswith(f"{one.state} on") for sentence in one.dissent)
