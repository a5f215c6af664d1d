"""Why a node has no session with a router, why one came or went, and how far one is (BGP and BFD)."""

from typing import Final

from bareway.decide.answers.reasons.explanation import Explanation, Topic

NO_SESSION: Final = Topic(
    title="Why a node has no session with a router",
    enum="bareway.decide.routing.sessions.SessionRefusal",
    seen="`bareway bgp` and `status`, Event BGPSessionRefused of the Node",
    words=(
        Explanation(
            "nodeUnknown",
            "The speaker does not know its own Node, so neither its labels nor its addresses.",
            "See that the Node exists and that METALLB_NODE_NAME of the speaker's Pod is its name.",
        ),
        Explanation(
            "nodeNotSelected",
            "`node-selectors` of the peer leave this node out.",
            "Nothing, if that is meant; else change the selectors, or label the node.",
        ),
        Explanation(
            "keyMissing",
            "The peer has a `password-secret`, and that Secret is not there, or may not be read.",
            "Create the Secret in the namespace of the speakers; the session begins at once.",
        ),
        Explanation(
            "keyUnusable",
            "The Secret has no key `password`, or one that is empty or longer than 80 bytes.",
            "Correct the Secret; the session begins at once.",
        ),
    ),
)

NOT_BEGUN: Final = Topic(
    title="When a session is about to begin",
    enum="",
    seen="`bareway bgp`",
    words=(
        Explanation(
            "notBegun",
            "The peer is configured, and the session begins in this moment.",
            "Nothing; if it stays, look at the log of the speaker.",
        ),
    ),
)

SESSION: Final = Topic(
    title="Why a BGP session changed its state",
    enum="bareway.bgp.events.SessionReason",
    seen="Event BGPSessionDown of the Node, log of the speaker",
    words=(
        Explanation("Started", "The peer was configured, or the speaker started.", "Nothing."),
        Explanation(
            "Stopped", "We ended it on purpose: the speaker ends, or the peer was removed.", "Nothing."
        ),
        Explanation("Connected", "TCP is connected.", "Nothing."),
        Explanation(
            "ConnectFailed",
            "No TCP connection to the router came about; the reason of the kernel stands beside it.",
            "See that the router listens on port 179 for this node, that both have the same password,"
            " and that"
            " no firewall is between them.",
        ),
        Explanation("Retried", "It was time for another attempt.", "Nothing."),
        Explanation("Opened", "The router's OPEN is as it should be.", "Nothing."),
        Explanation("Established", "The session is up.", "Nothing.", also=("bareway.bgp.fsm.State",)),
        Explanation(
            "PeerClosed",
            "The connection ended without a word of the router: it restarted, or is set up for another"
            " address"
            " or AS.",
            "Look at the router's log at that time.",
        ),
        Explanation(
            "Notified",
            "The router ended the session and said why; its NOTIFICATION stands beside it.",
            "Look at its text and at the router's log. 6/2 and 6/4 were asked for by an operator there.",
        ),
        Explanation(
            "Malformed",
            "The router sent a message that breaks the rules so that the session must end.",
            "Look at the NOTIFICATION that we sent, and update the router.",
        ),
        Explanation(
            "Rejected",
            "The router's OPEN is not that of the peer that is configured (AS, router id, hold time), or no"
            " address family is common.",
            "Compare `my-asn`, `peer-asn` and the families on both sides; the NOTIFICATION that we sent says"
            " which.",
        ),
        Explanation(
            "Unexpected",
            "The router sent a message that has no place in this state.",
            "Look at the router's log; update it if it comes again.",
        ),
        Explanation(
            "HoldTimerExpired",
            "Nothing was heard of the router for the hold time.",
            "Look at the network between the two and at the router's load; BFD would notice faster.",
        ),
        Explanation(
            "SendHoldTimerExpired",
            "The router has not read what we sent for a long time.",
            "Look at the router's load; it is stuck.",
        ),
        Explanation(
            "BfdDown",
            "BFD found the path to the router dead.",
            "Look at the link and the router; the session comes back with BFD.",
        ),
        Explanation("Collision", "Both sides had connected at once, and one is enough.", "Nothing."),
        Explanation(
            "Replaced",
            "The router has restarted and opened another connection.",
            "Nothing, if that was meant.",
        ),
        Explanation(
            "SettingsChanged",
            "The configuration of the peer changed in what needs a new session.",
            "Nothing.",
        ),
    ),
)

BGP_STATE: Final = Topic(
    title="How far a BGP session is (RFC 4271 section 8.2.2)",
    enum="bareway.bgp.fsm.State",
    seen="`bareway bgp` and `status`",
    words=(
        Explanation(
            "Idle",
            "No attempt is made now: it waits after a failure, longer each time.",
            "Look why the last one failed: `bareway bgp` shows the last NOTIFICATION and the kernel's words.",
        ),
        Explanation(
            "Connect",
            "A TCP connection is being opened.",
            "If it stays: the router does not answer on port 179, or the passwords differ.",
        ),
        Explanation(
            "Active",
            "It waits for the router to connect, or until the next attempt.",
            "If it stays: the router does not connect or refuses us; is this node a neighbour there?",
        ),
        Explanation(
            "OpenSent",
            "TCP is connected, and the router's OPEN is awaited.",
            "If it stays: something else listens on that port, or the router is stuck.",
        ),
        Explanation("OpenConfirm", "Both OPENs are good; the last word is awaited.", "Nothing: it is short."),
    ),
)

BFD_STATE: Final = Topic(
    title="How far a BFD session is (RFC 5880 section 6.2)",
    enum="bareway.bfd.packet.State",
    seen="`bareway bgp`",
    words=(
        Explanation(
            "AdminDown",
            "One side keeps the session down on purpose.",
            "Nothing, if that is meant; else look at BFD on the router.",
        ),
        Explanation(
            "Down",
            "Nothing is heard of the router by BFD.",
            "Switch BFD on there for this node; look at the link, and at a firewall for UDP 3784 and 4784.",
        ),
        Explanation(
            "Init",
            "We hear the router, and it does not say yet that it hears us.",
            "If it stays: our packets do not reach it; look at a firewall for UDP 3784 and 4784.",
        ),
        Explanation("Up", "Both hear each other.", "Nothing."),
    ),
)

CALLERS: Final = Topic(
    title="Why a connection to the BGP port was closed at once",
    enum="speaker.bgp.listener.ConnectionRefusal",
    seen="counters of the speaker",
    words=(
        Explanation(
            "UnknownSource",
            "No peer is configured with the address that it came from.",
            "Add the peer, or nothing for a stranger.",
        ),
        Explanation(
            "TooMany",
            "That peer has opened many connections that are not closed yet.",
            "Look at the router: it should open one.",
        ),
        Explanation("Vanished", "The connection was over before it could be taken.", "Nothing."),
        Explanation(
            "NotSigned",
            "It came without a password, and the entry of that router for this address of the node has one.",
            "Let the router call the address that its passive entry names in `source-address`.",
        ),
    ),
)

BFD_PACKETS: Final = Topic(
    title="Why a BFD packet was dropped (RFC 5880 section 6.8.6)",
    enum="bareway.bfd.drops.DropReason",
    seen="counters of the speaker",
    words=(
        Explanation(
            "Truncated",
            "The packet is shorter than its header.",
            "If it comes from your router: update it.",
        ),
        Explanation("BadVersion", "The packet is of another version of BFD than 1.", "Update the router."),
        Explanation("BadLength", "The length that the packet names is not its own.", "Update the router."),
        Explanation("NoMultiplier", "The packet's detect multiplier is zero.", "Correct BFD on the router."),
        Explanation("Multipoint", "The packet is for several receivers.", "Use BFD for one neighbour there."),
        Explanation(
            "NoDiscriminator", "The sender does not say which session it means.", "Update the router."
        ),
        Explanation(
            "Authenticated",
            "The packet is authenticated, which Bareway's BFD does not do.",
            "Switch authentication of BFD off on the router; keep strangers away by the network.",
        ),
        Explanation(
            "UnknownSession",
            "The packet belongs to no session of ours.",
            "Nothing just after a start; else give the peer a `bfd-profile`, or switch BFD off on the"
            " router.",
        ),
        Explanation(
            "NotBeginning",
            "The packet knows no session of ours, and yet says that one is coming up.",
            "Nothing, if the session comes up; else look at BFD on the router.",
        ),
        Explanation(
            "BadTtl",
            "The packet came through more routers than the session allows.",
            "Use `ebgp-multihop` for a router that is not on the link; else somebody sends from afar.",
        ),
        Explanation(
            "WrongPort",
            "A session over one hop was answered on the port for several hops, or the reverse.",
            "Let both sides mean the same: BFD for one hop is UDP 3784, for several 4784.",
        ),
        Explanation("AdministrativelyDown", "We keep the session down on purpose.", "Nothing."),
    ),
)

TOPICS: Final = (NO_SESSION, NOT_BEGUN, SESSION, BGP_STATE, BFD_STATE, CALLERS, BFD_PACKETS)
