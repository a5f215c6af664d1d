"""Speakers that cannot hear each other: a blocked port, a missing or different key, members held dead.

Two sources: what each speaker says of the others, and a connection that each was asked to try to the others'
gossip port. The group reaches a verdict together, by way of others too, so a port that is closed between two
nodes alone shows in the second only.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final

from bareway.decide.answers.checks.ailments import Ailment
from bareway.decide.answers.checks.depending import depending, effect
from bareway.decide.answers.checks.view import DoctorView, some
from bareway.gossip.member import MemberState
from bareway.model.answers import Finding, Gravity
from bareway.model.names import NodeName
from bareway.model.surroundings import Unreached

KEY_IS_MISSING: Final = "with the gossip key is not there"
"""Words of a speaker's ``not_ready``; a test holds them to the sentence that it says."""
TURNED_AWAY: Final = "turn this speaker away"
BESIDE: Final = "Both sides may announce the same addresses."
BY_WAY_OF_OTHERS: Final = (
    "These nodes learn of each other's death by way of others at best; cut off from all, a node announces"
    " beside the rest."
)
GONE: Final = frozenset({MemberState.DEAD, MemberState.SUSPECT})


def check(view: DoctorView) -> Iterator[Finding]:
    """Keys first: without one nothing else works."""
    yield from _keys(view)
    blocked = {
        (node, one.member): one for node, facts in view.surroundings.nodes.items() for one in facts.unreached
    }
    dead = _held_dead(view)
    yield from _blocked(view, blocked, frozenset(dead))
    yield from _dead(view, dead, told=frozenset(member for _, member in blocked))


def _keys(view: DoctorView) -> Iterator[Finding]:
    for name, speaker in sorted(view.cluster.speakers.items()):
        for sentence in speaker.not_ready:
            if KEY_IS_MISSING in sentence:
                yield Finding(
                    word=Ailment.GOSSIP_KEY_MISSING,
                    gravity=Gravity.BROKEN,
                    subject=f"node {name}",
                    evidence=f"Its speaker says: {sentence}.",
                    consequence="Without the key it does not join the others, and announces nothing.",
                    remedy="The controller creates the Secret when it leads:"
                    f" kubectl -n {view.surroundings.namespace} get pods -l component=controller, and see"
                    " what keeps it from that.",
                )
            elif TURNED_AWAY in sentence:
                yield Finding(
                    word=Ailment.GOSSIP_KEY_DIFFERS,
                    gravity=Gravity.BROKEN,
                    subject=f"node {name}",
                    evidence=f"Its speaker says: {sentence}.",
                    consequence="It does not start: it would announce beside the others.",
                    remedy="Give all speakers the same Secret memberlist and their Node's own name"
                    " (METALLB_NODE_NAME), then start this one anew:"
                    f" kubectl -n {view.surroundings.namespace} delete pod"
                    f" --field-selector spec.nodeName={name} -l component=speaker",
                )


def _blocked(
    view: DoctorView, blocked: Mapping[tuple[NodeName, NodeName], Unreached], dead: frozenset[NodeName]
) -> Iterator[Finding]:
    """Those first whom most cannot reach: a filter on one node is seen from all."""
    by_member: defaultdict[NodeName, list[NodeName]] = defaultdict(list)
    tried_by: defaultdict[NodeName, int] = defaultdict(int)
    for facts in view.surroundings.nodes.values():
        for member in facts.tried:
            tried_by[member] += 1
    for node, member in sorted(blocked):
        by_member[member].append(node)
    for member, nodes in sorted(by_member.items(), key=lambda one: (-len(one[1]), one[0])):
        one = blocked[nodes[0], member]
        everybody = len(nodes) >= tried_by[member] and len(nodes) > 1
        evidence = f"Its gossip port {one.address} takes no connection from {some([*nodes])}: {one.how}"
        evidence += f" (nor from any other that tried: {len(nodes)} of {tried_by[member]})" * everybody + "."
        is_apart = everybody or member in dead
        if is_apart and member not in view.cluster.speakers:
            yield _gone(view, member, evidence)
            continue
        yield Finding(
            word=Ailment.GOSSIP_BLOCKED,
            gravity=Gravity.BROKEN if is_apart else Gravity.AT_RISK,
            subject=f"node {member}",
            evidence=evidence,
            consequence=BESIDE if is_apart else BY_WAY_OF_OTHERS,
            remedy=f"Allow TCP port {one.address.rpartition(':')[2]} between all nodes, in both directions:"
            " firewalls on the nodes, NetworkPolicies for host networks, filters between them."
            + (" Nothing listens there: see whether the speaker runs." if one.is_refused else ""),
        )


def _held_dead(view: DoctorView) -> Mapping[NodeName, list[NodeName]]:
    """Each that is held dead or suspect, and by whom."""
    held: defaultdict[NodeName, list[NodeName]] = defaultdict(list)
    for name, speaker in sorted(view.cluster.speakers.items()):
        for member in speaker.members:
            if member.state in GONE and member.name != name:
                held[member.name].append(name)
    return held


def _dead(
    view: DoctorView, dead: Mapping[NodeName, list[NodeName]], *, told: frozenset[NodeName]
) -> Iterator[Finding]:
    """Members that some hold dead; who answered us lives, so that something is between them."""
    for member_name, by in sorted(dead.items()):
        if member_name in told:
            continue
        if member_name in view.cluster.speakers:
            yield Finding(
                word=Ailment.GOSSIP_BLOCKED,
                gravity=Gravity.BROKEN,
                subject=f"node {member_name}",
                evidence=f"Its speaker answered just now, and {some([*by])} hold it dead or suspect.",
                consequence=BESIDE,
                remedy="Allow the gossip port (TCP 7947) between all nodes, in both directions.",
            )
        else:
            is_unasked = member_name in view.cluster.unasked
            answer = "was not asked, which --all does" if is_unasked else "did not answer"
            yield _gone(view, member_name, f"It is held dead or suspect by {some([*by])}, and it {answer}.")


def _gone(view: DoctorView, member: NodeName, evidence: str) -> Finding:
    gravity, consequence = effect(
        "Its addresses go where another node may announce them; there is one node less to take over.",
        depending(view),
        {member},
    )
    return Finding(
        word=Ailment.MEMBER_DEAD,
        gravity=gravity,
        subject=f"node {member}",
        evidence=evidence,
        consequence=consequence,
        remedy="See what became of it, whether it is switched on and its cables are in:"
        f" kubectl get node {member};"
        f" kubectl -n {view.surroundings.namespace} get pods -l component=speaker --field-selector"
        f" spec.nodeName={member}",
    )
