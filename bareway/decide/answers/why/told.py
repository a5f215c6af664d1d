"""What speakers and witnesses say, laid over the plan: who really announces, where, and since when.

What a node says of itself counts; then what others say of it. Who did not answer is named, and nothing is
concluded from silence. Laying the same over it twice changes nothing, so that what one program began another
may complete.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

from bareway.bgp.fsm import State
from bareway.decide.announcement.announcers import Refusal
from bareway.decide.answers.why.chain import (
    AddressAnswer,
    BgpAnswer,
    BgpNodeAnswer,
    Layer2Answer,
    NodeAnswer,
    RouterAnswer,
    StrangerAnswer,
    WhyReason,
)
from bareway.decide.answers.why.sentences import meaning
from bareway.decide.answers.why.view import SPEAKER, Witness
from bareway.gossip.findings import FindingWord
from bareway.gossip.member import MemberState
from bareway.model.arguments import IGNORE_EXCLUDE_LABEL, is_on
from bareway.model.cluster import PodState, Unknown
from bareway.model.names import NodeName
from bareway.model.status import AddressStatus, FindingStatus, PeerStatus, SpeakerStatus

RowT = TypeVar("RowT", NodeAnswer, BgpNodeAnswer)

BGP: Final = "bgp"
ESTABLISHED: Final = State.ESTABLISHED.name.capitalize()
OF_ANY_ADDRESS: Final = frozenset({FindingWord.STRICT_ARP_MISSING, FindingWord.PROXY_ARP_SUSPECTED})
"""Of a station that answers for all, a few addresses are named; it is meant for every other as well."""
STRANGERS_TOLD: Final = 16
GONE: Final = frozenset({MemberState.DEAD, MemberState.LEFT})
"""Whose claim stands until another node takes it, and who answers for nothing meanwhile."""
HEARD: Final = frozenset({*GONE, Refusal.NOT_OWNER})
"""Words of a node that only others told: they are made anew from what is known by now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hearsay:
    """All that was told, by whoever was asked."""

    speakers: Mapping[NodeName, SpeakerStatus] = field(default_factory=dict)
    witnesses: tuple[Witness, ...] = ()
    pods: Mapping[NodeName, PodState] | None = None
    unknown: tuple[Unknown, ...] = ()

    @property
    def ignoring(self) -> frozenset[str]:
        """Nodes whose speaker heeds no exclude label: its Pod was told so, or gossip has that it may."""
        pods = (self.pods or {}).items()
        told = {name for name, pod in pods if is_on(pod.arguments, IGNORE_EXCLUDE_LABEL)}
        return frozenset(told.union(*(one.able for one in self.witnesses)))

    def silence(self, node: str) -> tuple[str, str]:
        """Why a node's speaker said nothing: a word and a sentence."""
        name = NodeName(node)
        asked = next((one for one in self.unknown if one.subject == f"{SPEAKER}{node}"), None)
        pod = self.pods.get(name) if self.pods is not None else None
        if self.pods is not None and pod is None:
            return WhyReason.NO_SPEAKER.value, "no Pod of the speaker runs on it"
        if pod is not None and not pod.ready:
            return WhyReason.NO_SPEAKER.value, f"Pod {pod.name} is not ready: {pod.reason or 'no reason'}"
        if asked is not None:
            return WhyReason.NOT_ASKED.value, asked.why
        return "", ""

    def state(self, node: str) -> str:
        """How the others hold it: the word of most of them."""
        name = NodeName(node)
        said = Counter(
            member.state
            for status in self.speakers.values()
            if status.node != name
            for member in status.members
            if member.name == name
        )
        said.update(one.states[name] for one in self.witnesses if name in one.states)
        return min(said, key=lambda word: (-said[word], word)) if said else ""


def with_hearsay(answer: AddressAnswer, told: Hearsay) -> AddressAnswer:
    """The same with what was told of the address; where the objects do not say how it is announced, too."""
    if answer.layer2 is None and answer.bgp is None:
        answer = _as_spoken_of(answer, told)
    return replace(
        answer,
        layer2=_layer2(answer, answer.layer2, told) if answer.layer2 is not None else None,
        bgp=_bgp(answer, answer.bgp, told) if answer.bgp is not None else None,
    )


def _as_spoken_of(answer: AddressAnswer, told: Hearsay) -> AddressAnswer:
    rows = (one for status in told.speakers.values() for one in status.addresses)
    protocols = {one.protocol for one in rows if str(one.address) == answer.address}
    if not protocols:
        return answer
    if protocols == {BGP}:
        return replace(answer, bgp=BgpAnswer())
    return replace(answer, layer2=Layer2Answer(together=(answer.address,)))


def speaker_knows(status: SpeakerStatus, address: str, *, is_bgp: bool) -> AddressStatus | None:
    """What a speaker tells of an address."""
    return next(
        (one for one in status.addresses if str(one.address) == address and (one.protocol == BGP) is is_bgp),
        None,
    )


def _layer2(answer: AddressAnswer, plan: Layer2Answer, told: Hearsay) -> Layer2Answer:
    rows = _planned(plan.nodes, plan.despite_label, told)
    rows |= {name: NodeAnswer(node=name) for name in told.speakers if name not in rows}
    nodes = tuple(_node(answer.address, rows[name], told) for name in sorted(rows))
    holder, told_by = _holder(answer.address, plan, nodes, told)
    listed = plan.listed or _listed(answer.address, told)
    return replace(
        plan,
        listed=listed,
        holder=holder,
        told_by=told_by,
        nodes=tuple(_as_held(row, holder) for row in nodes),
        strangers=tuple(_strangers(answer.address, plan, told))[:STRANGERS_TOLD],
    )


def _planned(nodes: Iterable[RowT], despite_label: Iterable[RowT], told: Hearsay) -> dict[str, RowT]:
    """The plan's rows by node, each with or without the label as its speaker has it; what is told stays."""
    rows = {row.node: row for row in nodes}
    known = {name for name, row in rows.items() if row.is_told or name not in told.ignoring}
    return rows | {row.node: row for row in despite_label if row.node not in known}


def _node(address: str, row: NodeAnswer, told: Hearsay) -> NodeAnswer:
    row = replace(row, state=told.state(row.node) or row.state)
    status = told.speakers.get(NodeName(row.node))
    if status is None:
        return row if row.is_told else _silent(row, told)
    mine = speaker_knows(status, address, is_bgp=False)
    if mine is None:
        word, sentence = _unaware(status)
        return replace(row, is_told=True, announces=False, word=word, sentence=sentence)
    wire = mine.on_link
    return replace(
        row,
        is_told=True,
        announces=not mine.reason,
        word=mine.reason,
        sentence=meaning(mine.reason),
        links=wire.links if wire is not None else (),
        has_no_link=wire is not None and not wire.links and not mine.reason,
        last_unsolicited_s=wire.last_unsolicited_s if wire is not None else None,
        last_answer_s=wire.last_answer_s if wire is not None else None,
    )


def _silent(row: NodeAnswer, told: Hearsay) -> NodeAnswer:
    """A node whose speaker told nothing: what is planned for it stands, else why it could not be asked."""
    if row.word in HEARD:
        row = replace(row, word="", sentence="")
    if row.word:
        return replace(row, announces=None if row.may else False)
    row = replace(row, announces=None)
    if row.state in GONE:
        return replace(row, word=row.state, sentence=meaning(row.state))
    word, sentence = told.silence(row.node)
    return replace(row, word=word, sentence=sentence)


def _unaware(status: SpeakerStatus) -> tuple[str, str]:
    if status.not_ready:
        return WhyReason.NOT_READY.value, status.not_ready[0]
    sentence = meaning(WhyReason.NOT_SEEN)
    if not status.api_connected:
        sentence += " It has no connection to the API server."
    return WhyReason.NOT_SEEN.value, sentence


def _holder(
    address: str, plan: Layer2Answer, nodes: tuple[NodeAnswer, ...], told: Hearsay
) -> tuple[str, str]:
    """The node with the claim, and who says so: it itself, or most of the others.

    A claim outlives its node where nobody may take it over: of who is dead or left it says nothing.
    """
    states = {row.node: row.state for row in nodes}

    def can_hold(name: str) -> bool:
        """Who was asked itself denies it."""
        return name not in told.speakers and (states.get(name) or told.state(name)) not in GONE

    if own := next((row.node for row in nodes if row.announces), ""):
        return own, "itself"
    said = Counter(
        mine.announced_by
        for status in told.speakers.values()
        if (mine := speaker_knows(status, address, is_bgp=False)) is not None
        and mine.announced_by is not None
        and can_hold(mine.announced_by)
    )
    if said:
        holder = min(said, key=lambda name: (-said[name], name))
        return holder, f"{said[holder]} other speaker{'s' if said[holder] > 1 else ''}"
    keys = {*plan.together, address}
    for witness in told.witnesses:
        found = next((node for key, node in witness.holders.items() if str(key) in keys), None)
        if found and can_hold(found):
            return found, witness.name
    return (plan.holder, plan.told_by) if can_hold(plan.holder) else ("", "")


def _as_held(row: NodeAnswer, holder: str) -> NodeAnswer:
    """A node without a word, while another one holds the address."""
    if row.node == holder:
        kept = "" if row.word in (WhyReason.NOT_ASKED, "") else row.word
        return replace(row, announces=True, word=kept, sentence=row.sentence if kept else "")
    if row.word or row.announces or not holder:
        return row
    return replace(row, announces=False, word=Refusal.NOT_OWNER.value, sentence=f"node {holder} has it")


def _listed(address: str, told: Hearsay) -> tuple[NodeName, ...]:
    found = (speaker_knows(status, address, is_bgp=False) for status in told.speakers.values())
    return next((one.listed for one in found if one is not None and one.listed), ())


def _strangers(address: str, plan: Layer2Answer, told: Hearsay) -> Iterable[StrangerAnswer]:
    """Each station and word once. What others heard of a finding lasts longer than its finder says it."""
    said = [(status.node, one) for _, status in sorted(told.speakers.items()) for one in status.findings]
    heard = (pair for witness in told.witnesses for pair in witness.findings)
    said += [(by, one) for by, one in heard if by not in told.speakers]
    found = [
        StrangerAnswer(word=one.reason, mac=one.mac, node=one.node or "", found_by=by)
        for by, one in said
        if _concerns(one, address)
    ]
    found += [one for one in plan.strangers if one.found_by not in told.speakers]
    first: dict[tuple[str, str], StrangerAnswer] = {}
    for one in found:
        first.setdefault((one.word, one.mac), one)
    return first.values()


def _concerns(finding: FindingStatus, address: str) -> bool:
    return str(finding.address) == address or finding.reason in OF_ANY_ADDRESS


def _bgp(answer: AddressAnswer, plan: BgpAnswer, told: Hearsay) -> BgpAnswer:
    rows = _planned(plan.nodes, plan.despite_label, told)
    rows |= {name: BgpNodeAnswer(node=name) for name in told.speakers if name not in rows}
    nodes = tuple(_bgp_node(answer.address, rows[name], told) for name in sorted(rows))
    has_routers = plan.has_routers or any(row.routers for row in nodes)
    return replace(plan, has_routers=has_routers, nodes=nodes)


def _bgp_node(address: str, row: BgpNodeAnswer, told: Hearsay) -> BgpNodeAnswer:
    status = told.speakers.get(NodeName(row.node))
    if status is None:
        if row.is_told or row.word:
            return row
        word, sentence = told.silence(row.node)
        return replace(row, announces=None, word=word, sentence=sentence)
    mine = speaker_knows(status, address, is_bgp=True)
    if mine is None:
        word, sentence = _unaware(status)
        return replace(row, is_told=True, announces=False, word=word, sentence=sentence)
    known = {router.name: router for router in row.routers}
    announces = not mine.reason
    return replace(
        row,
        is_told=True,
        announces=announces,
        word=mine.reason,
        sentence=meaning(mine.reason),
        routers=tuple(
            _router(known.get(peer.name), peer, status, announces=announces) for peer in status.peers
        ),
    )


def _router(
    plan: RouterAnswer | None, peer: PeerStatus, status: SpeakerStatus, *, announces: bool
) -> RouterAnswer:
    row = plan or RouterAnswer(name=peer.name, address=str(peer.address))
    row = replace(row, state=peer.state, up_s=peer.up_s)
    if peer.state != ESTABLISHED:
        word = peer.reason or WhyReason.SESSION_DOWN.value
        sentence = _down(peer, status) if word == WhyReason.SESSION_DOWN else meaning(word)
        return replace(row, has_route=False, word=word, sentence=sentence)
    if not announces or not row.is_meant:
        return replace(row, has_route=False, word="", sentence="")
    if peer.held_back:
        sentence = f"{peer.held_back} routes cannot be told on this session; this one may be among them"
        return replace(row, has_route=None, word=WhyReason.ROUTE_HELD_BACK.value, sentence=sentence)
    if peer.owed:
        sentence = f"{peer.owed} routes wait to be sent; this one may be among them"
        return replace(row, has_route=None, word=WhyReason.ROUTE_WAITS.value, sentence=sentence)
    return replace(row, has_route=True, word="", sentence="")


def _down(peer: PeerStatus, status: SpeakerStatus) -> str:
    """Why a session is not up, as far as the speaker knows."""
    details = [f"state {peer.state or 'unknown'}"]
    details += [peer.trouble] if peer.trouble else []
    details += [f"it sent {peer.last_received}"] if peer.last_received else []
    details += [f"we sent {peer.last_sent}"] if peer.last_sent else []
    details += [f"BFD is {peer.bfd}"] if peer.bfd and peer.bfd != "Up" else []
    details += [f"node {status.node} leaves: {status.leaving}"] if status.leaving else []
    return "; ".join(details)
