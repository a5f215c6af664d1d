"""Announcer lists: behind what is announced, or naming nodes that cannot announce.

A controller corrects both within ten seconds or so; what stands longer is a finding of its own.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from bareway.decide.answers.checks.ailments import Ailment
from bareway.decide.answers.checks.view import NODES, DoctorView, some
from bareway.gossip.member import MemberState
from bareway.model.answers import Finding, Gravity
from bareway.model.names import IPAddress, NodeName
from bareway.model.nodes import EXCLUDE_LABEL


def check(view: DoctorView) -> Iterator[Finding]:
    """One finding for all addresses that are listed behind, one for each node that is listed in vain."""
    if not view.cluster.speakers:
        return
    first = _first_listed(view)
    unfit = _unfit(view)
    in_vain: defaultdict[NodeName, list[str]] = defaultdict(list)
    for address, node in first.items():
        if node in unfit:
            in_vain[node].append(str(address))
    for node, addresses in sorted(in_vain.items()):
        yield Finding(
            word=Ailment.LISTED_AT_UNFIT_NODE,
            gravity=Gravity.AT_RISK,
            subject=f"node {node}",
            evidence=f"{len(addresses)} addresses are listed first there, such as {some(addresses)};"
            f" {unfit[node]}.",
            consequence="The next ones of the list announce them, each a third of a second later.",
            remedy="A controller that leads and hears the speakers lists them anew within ten seconds: see"
            " why"
            " none does (bareway status), then ask again.",
        )
    holders = _holders(view)
    behind = [
        str(address)
        for address, node in first.items()
        if node not in unfit and address in holders and holders[address] != node
    ]
    if behind:
        yield Finding(
            word=Ailment.LISTS_BEHIND,
            gravity=Gravity.ODD,
            subject="announcer lists",
            evidence=f"{len(behind)} addresses are announced by another node than is listed first, such as"
            f" {some(behind)}.",
            consequence="A speaker that starts anew may take them for its own for a moment.",
            remedy="Ask again in twenty seconds: a move is then done. If it stays, see that a controller"
            " leads"
            " and that its figure of members is that of the speakers (bareway status).",
        )


def _first_listed(view: DoctorView) -> Mapping[IPAddress, NodeName]:
    """By the lists in the API, else as speakers hold them; only what some Service has."""
    shown = {one.address for speaker in view.cluster.speakers.values() for one in speaker.addresses}
    stored = {
        address: entry.nodes[0]
        for shard in view.cluster.lists.shards
        for address, entry in shard.entries.items()
        if entry.nodes and address in shown
    }
    if stored:
        return stored
    return {
        one.address: one.listed[0]
        for _, speaker in sorted(view.cluster.speakers.items())
        for one in speaker.addresses
        if one.listed
    }


def _holders(view: DoctorView) -> Mapping[IPAddress, NodeName]:
    """Where all speakers that answered agree."""
    said: defaultdict[IPAddress, set[NodeName]] = defaultdict(set)
    for speaker in view.cluster.speakers.values():
        for one in speaker.addresses:
            if one.announced_by is not None and one.protocol != "bgp":
                said[one.address].add(one.announced_by)
    return {address: next(iter(nodes)) for address, nodes in said.items() if len(nodes) == 1}


def _unfit(view: DoctorView) -> Mapping[NodeName, str]:
    """Nodes that cannot announce, and why not."""
    unfit: dict[NodeName, str] = {}
    nodes = {node.name: node for node in view.cluster.nodes}
    listed = set(_first_listed(view).values())
    if nodes and view.knows(NODES):
        unfit |= dict.fromkeys(listed - nodes.keys(), "there is no such Node")
    marked = {name for name, node in nodes.items() if EXCLUDE_LABEL in node.labels}
    holding = set(_holders(view).values())  # one that announces all the same was told to
    if len(marked) < len(nodes):
        unfit |= dict.fromkeys(marked - holding, f"it has the label {EXCLUDE_LABEL}")
    dead = {
        member.name
        for speaker in view.cluster.speakers.values()
        for member in speaker.members
        if member.state in {MemberState.DEAD, MemberState.LEFT} and member.name not in view.cluster.speakers
    }
    unfit |= {name: "its speaker is dead or left" for name in dead if name not in unfit}
    return unfit
