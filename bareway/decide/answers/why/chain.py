"""The chain from a Service to the frames and routes that tell of its address: every link, and every "no".

Values of text and numbers alone, so that one program can write them down (`bareway.model.plain`) and another
read them again (`bareway.resources.said`): the controller knows the objects, each speaker what it does, and
who asks puts both together.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bareway.model.answers import Finding
from bareway.model.cluster import Unknown


class Outcome(StrEnum):
    """What became of the question."""

    SERVED = "Served"
    WRONG = "Wrong"
    UNKNOWN = "Unknown"
    """What is known does not say."""


class WhyReason(StrEnum):
    """Causes for which no decision has a word, since none was made."""

    NO_SUCH_SERVICE = "NoSuchService"
    AMBIGUOUS_NAME = "AmbiguousName"
    """Services of this name are in several namespaces."""
    NOT_LOAD_BALANCER = "NotLoadBalancer"
    OTHER_CLASS = "OtherClass"
    """Its ``loadBalancerClass`` is not the one that is served here."""
    NO_CONFIGURATION = "NoConfiguration"
    CONFIGURATION_REFUSED = "ConfigurationRefused"
    """The newest document has errors, so that an older one is in force."""
    NOT_NEEDED = "NotNeeded"
    """Another pool came first, and had an address."""
    FREE = "Free"
    """In a pool, and nobody has it."""
    NOT_WRITTEN = "NotWritten"
    """Decided, but the Service does not show it."""
    NO_CONTROLLER = "NoController"
    """None leads, so that no Service gets an address."""
    NO_SPEAKER = "NoSpeaker"
    NOT_ASKED = "NotAsked"
    """Its speaker gave no answer."""
    NOT_READY = "NotReady"
    """Its speaker lacks objects, a configuration, or a key."""
    NOT_SEEN = "NotSeen"
    """Its speaker does not know of the address."""
    NO_CLAIM = "NoClaim"
    """Nodes may announce it, and none does."""
    NO_ROUTER = "NoRouter"
    """The pool is for BGP, and no peer is configured."""
    SESSION_DOWN = "SessionDown"
    ROUTE_HELD_BACK = "RouteHeldBack"
    ROUTE_WAITS = "RouteWaits"
    """It is on its way to the router."""


@dataclass(frozen=True, slots=True, kw_only=True)
class No:
    """Why not, of one thing."""

    subject: str
    """Such as ``pool public`` or ``192.0.2.10``."""
    word: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationAnswer:
    """What is in force."""

    is_known: bool = True
    is_in_force: bool = False
    generation: int = 0
    source: str = ""
    mistakes: tuple[str, ...] = ()
    """Errors of the document that was written last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolAnswer:
    """One pool, as a Service sees it."""

    name: str
    protocol: str
    total: int
    used: int
    gives: bool = False
    word: str = ""
    """Why it gives nothing."""
    sentence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointsAnswer:
    """What stands behind a Service."""

    is_known: bool = True
    serving: int = 0
    nodes: Mapping[str, int] = field(default_factory=dict)
    """Of each node how many serve; an empty name stands for those without a node."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceAnswer:
    """One Service: what it asks for, and what it is given."""

    service: str
    is_load_balancer: bool = True
    load_balancer_class: str | None = None
    our_class: str | None = None
    asks_for: tuple[str, ...] = ()
    """Addresses by name."""
    asks_pool: str = ""
    families: tuple[int, ...] = ()
    traffic_policy: str = ""
    sharing_key: str = ""
    shows: tuple[str, ...] = ()
    is_decided: bool = False
    """Whether what follows was decided; it cannot be without the Services and a configuration."""
    granted: tuple[str, ...] = ()
    from_pools: tuple[str, ...] = ()
    shares_with: tuple[str, ...] = ()
    word: str = ""
    """Why it is given nothing; empty where it is."""
    sentence: str = ""
    why_not: tuple[No, ...] = ()
    """Each requested address that it does not get, and what else it lacks."""
    loses: tuple[No, ...] = ()
    """What it shows and may not keep."""
    pools: tuple[PoolAnswer, ...] = ()
    told: str = ""
    """The word of its condition: what it was told last."""
    endpoints: EndpointsAnswer = field(default_factory=EndpointsAnswer)

    @property
    def is_ours(self) -> bool:
        """Whether it asks us."""
        return self.is_load_balancer and self.load_balancer_class == self.our_class


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeAnswer:
    """One node and an address on layer 2."""

    node: str
    announces: bool | None = None
    """None = nobody said."""
    is_told: bool = False
    """Whether its speaker said so itself."""
    word: str = ""
    """Why it does not."""
    sentence: str = ""
    may: bool = True
    """Whether the API's objects allow it."""
    leaves_out: tuple[str, ...] = ()
    """Services of policy Local that it would leave unserved."""
    state: str = ""
    """As other members hold it."""
    links: tuple[str, ...] = ()
    """Where it answers."""
    has_no_link: bool = False
    """It announces the address on no interface."""
    last_unsolicited_s: float | None = None
    """How long ago it told a link unasked; None = never, or it does not say."""
    last_answer_s: float | None = None
    """How long ago it answered a question."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StrangerAnswer:
    """Another station that answers for the address, or for many."""

    word: str
    mac: str
    node: str = ""
    """Which of our nodes has this MAC; empty = a stranger."""
    found_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer2Answer:
    """Who answers for an address on the link, and why."""

    together: tuple[str, ...] = ()
    """All addresses of its group, that one node announces; the first is the key of claims and lists."""
    listed: tuple[str, ...] = ()
    """The nodes of its entry in the announcer lists, in order."""
    generation: int = 0
    word: str = ""
    """Why nobody is to announce it."""
    sentence: str = ""
    holder: str = ""
    """The node with the claim; empty = none is known."""
    told_by: str = ""
    """Who says so."""
    nodes: tuple[NodeAnswer, ...] = ()
    despite_label: tuple[NodeAnswer, ...] = ()
    """Nodes with the exclude label, as they are where the speaker ignores it (``--ignore-exclude-lb``)."""
    strangers: tuple[StrangerAnswer, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RouterAnswer:
    """One router and a route, as one node sees both."""

    name: str
    address: str
    is_meant: bool = True
    """Whether the advertisements of the pool send it this route."""
    has_route: bool | None = None
    """None = nobody said, or not for sure."""
    state: str = ""
    up_s: float = 0.0
    word: str = ""
    """Why it has not."""
    sentence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BgpNodeAnswer:
    """One node and an address in a bgp pool."""

    node: str
    announces: bool | None = None
    is_told: bool = False
    word: str = ""
    sentence: str = ""
    prefixes: tuple[str, ...] = ()
    routers: tuple[RouterAnswer, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BgpAnswer:
    """Which routers have a route to the address, from which nodes."""

    has_routers: bool = True
    """Whether any peer is configured."""
    nodes: tuple[BgpNodeAnswer, ...] = ()
    despite_label: tuple[BgpNodeAnswer, ...] = ()
    """As of ``Layer2Answer``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressAnswer:
    """One address."""

    address: str
    pool: str = ""
    """Empty = in none, or the configuration is not known."""
    services: tuple[str, ...] = ()
    """Who has it, oldest first."""
    reserved_for: tuple[str, ...] = ()
    waits_for: str = ""
    """The Service that held it last."""
    hold_s: int = 0
    """How long it still waits."""
    quarantine_s: int = 0
    """How long it is still given to nobody, since a stranger answered for it."""
    layer2: Layer2Answer | None = None
    bgp: BgpAnswer | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Leadership:
    """Who gives out addresses."""

    is_known: bool = False
    leader: str = ""
    """Empty = nobody."""
    refusal: str = ""
    """Why it refuses to work, since another load balancer serves the same Services."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where our own things are, as remedies name them."""

    namespace: str = "bareway-system"
    config: str = "bareway-system/config"
    """The ConfigMap that the user writes; empty = nobody who was asked knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """The answer."""

    about: str
    """As ``Service shop/web`` or ``192.0.2.10``."""
    is_service: bool = False
    outcome: Outcome = Outcome.UNKNOWN
    word: str = ""
    """That of the first finding; empty where nothing is wrong."""
    sentence: str = ""
    findings: tuple[Finding, ...] = ()
    """The gravest first; the first one is the reason."""
    services: tuple[ServiceAnswer, ...] = ()
    addresses: tuple[AddressAnswer, ...] = ()
    configuration: ConfigurationAnswer = field(default_factory=ConfigurationAnswer)
    leadership: Leadership = field(default_factory=Leadership)
    place: Place = field(default_factory=Place)
    candidates: tuple[str, ...] = ()
    """Services that an ambiguous name may mean, or that have a name like it."""
    are_services_known: bool = True
    """Whether every Service was seen; otherwise nothing follows from that none has an address."""
    unknown: tuple[Unknown, ...] = ()
    """What could not be found out."""
