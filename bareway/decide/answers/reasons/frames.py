"""Why a frame on the link was not answered."""

from typing import Final

from bareway.decide.answers.reasons.explanation import Explanation, Topic

STRANGE: Final = "Nothing, unless it is a client of yours: then capture a packet of it and look."

FRAMES: Final = Topic(
    title="Why a frame on the link was not answered",
    enum="bareway.layer2.drops.DropReason",
    seen="metric `bareway_layer2_dropped_total`",
    words=(
        Explanation("Truncated", "The frame is shorter than the headers that it must have.", STRANGE),
        Explanation(
            "VlanTagged",
            "The question was asked on another network (802.1Q) than the one of this interface.",
            "Nothing; to announce on that network, give the node an interface in that VLAN.",
        ),
        Explanation("NotArp", "It is no ARP.", "Nothing."),
        Explanation(
            "NotEthernetIpv4",
            "It is ARP for another kind of hardware or protocol than Ethernet and IPv4.",
            STRANGE,
        ),
        Explanation("UnknownOperation", "It is ARP, but neither a request nor a reply.", STRANGE),
        Explanation("NotNdp", "It is neither a neighbour solicitation nor an advertisement.", "Nothing."),
        Explanation(
            "NotFromTheLink",
            "Its hop limit or code says that it may have come through a router, which such messages"
            " never do.",
            "If it comes again, look who sends it: it may be an attack.",
        ),
        Explanation("BadChecksum", "Its checksum is wrong.", STRANGE),
        Explanation("BadOption", "It has an option without length, or longer than itself.", STRANGE),
        Explanation("BadTarget", "It asks for a group's address, or answers a group's question.", STRANGE),
        Explanation(
            "BadProbe",
            "It asks from no address and yet names a hardware address, or not in the group of the address.",
            STRANGE,
        ),
        Explanation("NotForUs", "It is addressed to another station's MAC address.", "Nothing."),
        Explanation("NotARequest", "It asks nothing.", "Nothing."),
        Explanation("Gratuitous", "It tells who has an address, and asks nothing.", "Nothing."),
        Explanation(
            "BadSender",
            "Its sender names a MAC address that no answer can reach, or ours, or a group's address.",
            STRANGE,
        ),
        Explanation(
            "NotAnnounced",
            "It asks for an address that is not announced here; most questions on a link are such.",
            "Nothing; `bareway why ADDRESS` says who announces an address of yours.",
        ),
        Explanation(
            "Fenced",
            "It asks for an address of this node, but the speaker stood still for too long or hears no"
            " majority,"
            " so another may have it: silence is safer.",
            "Nothing, if it passes; else look at the load of the node, and at `partition` in the"
            " configuration.",
        ),
        Explanation(
            "HeldElsewhere",
            "This node hears no other speaker, asked the link first, and another station answered.",
            "Open TCP port 7947 between the nodes.",
        ),
        Explanation(
            "TooManyWait",
            "This node hears no other speaker and asks the link before each answer; more wait for that"
            " than it"
            " remembers.",
            "Open TCP port 7947 between the nodes; clients ask again by themselves.",
        ),
    ),
)

TOPICS: Final = (FRAMES,)
