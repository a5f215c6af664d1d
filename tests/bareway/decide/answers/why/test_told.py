"""What is heard of a node: its claim counts while it lives, and what more is heard counts more."""

from dataclasses import replace

import pytest

from bareway.decide.answers.why.answer import completed, why
from bareway.decide.answers.why.chain import BgpNodeAnswer, Layer2Answer, Outcome, Why
from bareway.decide.answers.why.told import Hearsay
from bareway.decide.answers.why.view import WhyView, Witness, view_of
from bareway.gossip.findings import FindingWord
from bareway.gossip.member import MemberState
from bareway.model.cluster import Cluster
from bareway.model.names import NodeName
from bareway.model.nodes import EXCLUDE_LABEL
from bareway.model.status import FindingStatus
from support.asked import NODE1, NODE2, NODE3, NODES, ON_LINK, ROUTED, healthy, on_link, pod, with_nodes


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


# ------------------------------------------------------------ speakers that ignore the exclude label

LABELLED = "nodeLabeledExcludeBalancers"


def _with_label(*labelled: NodeName) -> WhyView:
    """As healthy, and some nodes have the label; of the speakers only those of other nodes answer."""
    view = healthy()
    nodes = (
        replace(one, labels={**one.labels, EXCLUDE_LABEL: ""}) if one.name in labelled else one
        for one in view.nodes or ()
    )
    answering = {name: one for name, one in view.speakers.items() if name not in labelled}
    return replace(view, nodes=tuple(nodes), speakers=answering)


def _told_by_pods(*arguments: str) -> Hearsay:
    """Of node1 alone: another speaker may be told otherwise."""
    pods = {name: pod(name) for name in NODES}
    return Hearsay(pods={**pods, NODE1: replace(pods[NODE1], arguments=arguments)})


def _row(found: Why, node: NodeName = NODE1) -> tuple[bool | None, str]:
    return next((row.announces, row.word) for row in _link(found).nodes if row.node == node)


def test_the_label_counts_unless_the_pod_of_a_silent_speaker_was_told_to_ignore_it() -> None:
    """Node 1 has the address by the word of the others; nodes 1 and 2 have the label."""
    chain = why(replace(_with_label(NODE1, NODE2), pods=None), ON_LINK)
    assert (_row(chain), _row(chain, NODE2)) == ((True, LABELLED), (False, LABELLED))
    found = completed(chain, _told_by_pods("speaker", "--ignore-exclude-lb"))
    assert (_row(found), _row(found, NODE2)) == ((True, ""), (False, LABELLED))
    assert completed(found, Hearsay()) == found
    heeding = completed(chain, _told_by_pods("speaker", "--ignore-exclude-lb=false"))
    assert _row(heeding) == (True, LABELLED)


def test_a_silent_speaker_whose_member_may_announce_ignores_the_label() -> None:
    witness = Witness(name="the controller", able=frozenset({NODE1}))
    found = why(replace(_with_label(NODE1, NODE2), speakers={}, pods=None, witnesses=(witness,)), ON_LINK)
    assert (_row(found), _row(found, NODE2)) == ((None, ""), (False, LABELLED))


def test_what_else_speaks_against_a_node_is_said_where_the_label_does_not_count() -> None:
    view = replace(with_nodes(_with_label(NODE1), drain="a disk"), speakers={}, pods=None)
    assert _row(why(view, ON_LINK)) == (False, LABELLED)
    found = completed(why(view, ON_LINK), _told_by_pods("--ignore-exclude-lb"))
    assert _row(found) == _row(found, NODE3) == (None, "Drained")


def test_what_a_speaker_says_of_its_label_counts_more_than_how_it_was_called() -> None:
    status = replace(healthy().speakers[NODE1], addresses=(on_link(None, LABELLED),))
    view = _with_label(NODE1)
    found = why(replace(view, speakers={**view.speakers, NODE1: status}, pods=None), ON_LINK)
    again = completed(found, _told_by_pods("--ignore-exclude-lb"))
    assert _row(found) == _row(again) == (False, LABELLED)


def _routed(found: Why) -> BgpNodeAnswer:
    (address,) = found.addresses
    assert address.bgp is not None
    return address.bgp.nodes[0]


def test_a_speaker_that_ignores_the_label_sends_its_routes() -> None:
    """Which routers are meant stands in the plan alone: a speaker says only that it announces."""
    view = replace(_with_label(NODE1), speakers=healthy().speakers, pods=None)
    assert [one.has_route for one in _routed(why(view, ROUTED)).routers] == [False, False]
    ignoring = replace(view, pods=_told_by_pods("--ignore-exclude-lb").pods)
    assert _routed(why(ignoring, ROUTED)) == _routed(why(healthy(), ROUTED))


def test_the_pods_of_a_gathered_cluster_say_who_ignores_the_label() -> None:
    told = replace(pod(NODE1), arguments=("speaker", "--ignore-exclude-lb"))
    controller = replace(told, component="controller", node=NODE2)
    view = view_of(Cluster(pods=(told, pod(NODE3), controller)), now=1)
    assert Hearsay(pods=view.pods).ignoring == {NODE1}


def test_what_was_heard_of_a_stranger_counts_until_who_found_it_is_asked() -> None:
    finding = FindingStatus(address=ON_LINK, reason=FindingWord.ADDRESS_IN_USE, mac="02:00:00:00:00:99")
    witness = Witness(name="the controller", holders={ON_LINK: NODE1}, findings=((NODE1, finding),))
    chain = why(replace(healthy(), speakers={}, pods=None, witnesses=(witness,)), ON_LINK)
    own, others = ({name: healthy().speakers[name]} for name in (NODE1, NODE2))
    for told, found_by in (
        (Hearsay(), [NODE1]),
        (Hearsay(speakers=others), [NODE1]),
        (Hearsay(speakers=own), []),
    ):
        found = completed(chain, told)
        assert [one.found_by for one in _link(found).strangers] == found_by
        assert completed(found, told) == found
    lasting = {NODE1: replace(own[NODE1], findings=(finding,))}
    for view in (Hearsay(speakers=lasting), Hearsay(speakers=lasting, witnesses=(witness,))):
        assert [one.found_by for one in _link(completed(chain, view)).strangers] == [NODE1]
