"""What it means who answered when the link was asked for an address, several times.

Asked and heard is elsewhere (`bareway.cli.asking.wire`); here it is judged. What is known of the cluster
may be nothing: then stations have no names, and who should answer is not known.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from statistics import median

from bareway.model.answers import Finding, Gravity
from bareway.model.names import IPAddress, NodeName
from bareway.model.status import SpeakerStatus


class ProbeReason(StrEnum):
    """What is wrong with the answers."""

    NO_ANSWER = "NoAnswer"
    SEVERAL_ANSWER = "SeveralAnswer"
    """Two stations or more: each client believes the one that it heard last."""
    OTHER_ANSWERS = "OtherAnswers"
    """One station, and not that of the node which announces it."""


class ProbeRefusal(StrEnum):
    """Why the link was not asked."""

    NO_RAW_SOCKET = "NoRawSocket"
    NOT_ON_LINK = "NotOnLink"
    """The address lies in no subnet of this machine."""
    OWN_ADDRESS = "OwnAddress"
    """This machine has it, or announces it: nobody is asked about what is one's own."""
    NO_SUCH_INTERFACE = "NoSuchInterface"
    INTERFACE_UNUSABLE = "InterfaceUnusable"
    """It is down, or has no address from which this family could be asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One answer."""

    mac: str
    after_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """What was asked on a link, and what came."""

    address: IPAddress
    interface: str
    mac: str
    """Of the interface that asked."""
    asked: int
    """How often."""
    heard: tuple[Heard, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known beside that."""

    owners: Mapping[str, NodeName] = field(default_factory=dict)
    """Whose MAC addresses are whose."""
    announced_by: NodeName | None = None
    """Who announces the address by layer 2, as gossip has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """One that answered."""

    mac: str
    node: NodeName | None
    """None = it is no node of ours, as far as we know them."""
    answers: int
    fastest_ms: float
    median_ms: float
    slowest_ms: float

    @property
    def named(self) -> str:
        """As sentences call it."""
        return f"node {self.node} ({self.mac})" if self.node else self.mac


def known_of(speakers: Mapping[NodeName, SpeakerStatus], address: IPAddress) -> Known:
    """What the speakers say of MAC addresses, and of who announces it."""
    owners = {link.mac: node for node, one in speakers.items() for link in one.links if link.mac}
    holders = {
        one.announced_by
        for speaker in speakers.values()
        for one in speaker.addresses
        if one.address == address and one.protocol == "layer2" and one.announced_by
    }
    return Known(owners=owners, announced_by=holders.pop() if len(holders) == 1 else None)


def stations(probed: Probed, owners: Mapping[str, NodeName]) -> tuple[Station, ...]:
    """Who answered, the most often heard first."""
    times: dict[str, list[float]] = {}
    for one in probed.heard:
        times.setdefault(one.mac, []).append(one.after_s * 1000)
    found = [
        Station(
            mac=mac,
            node=owners.get(mac),
            answers=len(each),
            fastest_ms=round(min(each), 3),
            median_ms=round(median(each), 3),
            slowest_ms=round(max(each), 3),
        )
        for mac, each in times.items()
    ]
    return tuple(sorted(found, key=lambda one: (-one.answers, one.mac)))


def asks_itself(probed: Probed, known: Known) -> NodeName | None:
    """The node that asked and announces the address itself: it is the one that nobody there hears answer."""
    asking = known.owners.get(probed.mac)
    return asking if asking is not None and asking == known.announced_by and not probed.heard else None


def judge(probed: Probed, known: Known) -> tuple[Finding, ...]:
    """What is wrong; nothing where one station answers, and the right one as far as is known."""
    answering = stations(probed, known.owners)
    if not answering:
        return (_nobody(probed, known),)
    if len(answering) > 1:
        return (_several(probed, answering),)
    (one,) = answering
    holder = known.announced_by
    if holder is None or one.node == holder:
        return ()
    if one.node is None and holder not in known.owners.values():
        return ()  # it may be the holder, whose links are not known
    return (_other(probed, one, holder),)


def _nobody(probed: Probed, known: Known) -> Finding:
    holder = known.announced_by
    remedy = (
        f"See why the speaker on {holder} is not heard here: another VLAN, a filter on the switch, a dead"
        f" link; bareway why {probed.address} shows what it says."
        if holder
        else f"bareway why {probed.address} says whether it should be announced, and by whom."
    )
    return Finding(
        word=ProbeReason.NO_ANSWER,
        gravity=Gravity.BROKEN,
        subject=str(probed.address),
        evidence=f"Asked {probed.asked} times on {probed.interface}, nobody answered for {probed.address}."
        + (f" Node {holder} announces it." if holder else ""),
        consequence="Clients on this link do not reach it.",
        remedy=remedy,
    )


def _several(probed: Probed, answering: tuple[Station, ...]) -> Finding:
    ours = all(one.node is not None for one in answering)
    strangers = [one.mac for one in answering if one.node is None]
    return Finding(
        word=ProbeReason.SEVERAL_ANSWER,
        gravity=Gravity.BROKEN,
        subject=str(probed.address),
        evidence=f"{len(answering)} stations answer for {probed.address}:"
        f" {', '.join(one.named for one in answering)}.",
        consequence="Clients reach one or the other by chance, and connections break when they change.",
        remedy="Two nodes of ours: set strictARP: true where kube-proxy runs in IPVS mode, and open TCP port"
        " 7947 between all nodes; bareway doctor tells which."
        if ours
        else f"Find the station {strangers[0]}, and take the address away there, or out of the pool.",
    )


def _other(probed: Probed, one: Station, holder: NodeName) -> Finding:
    return Finding(
        word=ProbeReason.OTHER_ANSWERS,
        gravity=Gravity.BROKEN,
        subject=str(probed.address),
        evidence=f"{one.named} answers for {probed.address}, and node {holder} announces it.",
        consequence="Clients on this link reach another machine than the one that announces the address.",
        remedy=f"Ask again: it may just have moved. Then set strictARP: true on {one.node}, if kube-proxy"
        " runs in IPVS mode there."
        if one.node
        else f"Find the station {one.mac}, and take the address away there, or out of the pool.",
    )
