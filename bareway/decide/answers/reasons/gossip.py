"""What speakers say of each other, why one stops answering for an address, and who else answers for it."""

from typing import Final

from bareway.decide.answers.reasons.explanation import Explanation, Topic

MEMBERS: Final = Topic(
    title="How a member of gossip is held by the others",
    enum="bareway.gossip.member.MemberState",
    seen="`bareway members` and `status`, log of the speaker, metric `bareway_gossip_members`",
    words=(
        Explanation("Alive", "It is heard in time.", "Nothing."),
        Explanation(
            "Suspect",
            "It was not heard in time, or its connection broke; it has a moment to answer before it counts as"
            " dead.",
            "Nothing, if it passes within a second. Where it comes again and again the node is overloaded, or"
            " the network between the two loses packets.",
        ),
        Explanation(
            "Dead",
            "It did not answer in time; others have taken over what it announced.",
            "Look at the node and at its speaker's Pod; if both run, at TCP port 7947 between the nodes.",
        ),
        Explanation(
            "Left",
            "It said goodbye: its speaker was ended on purpose.",
            "Nothing; it comes back when a speaker runs there again.",
        ),
    ),
)

CHANGES: Final = Topic(
    title="Why a member's state changed",
    enum="bareway.gossip.member.MemberReason",
    seen="log of the speaker",
    words=(
        Explanation("Joined", "This member was never heard of before.", "Nothing."),
        Explanation(
            "Returned",
            "It was held dead and is heard again: it was cut off, or it started anew.",
            "Nothing, if it was restarted; else look at the network at that time.",
        ),
        Explanation("Rejoined", "It had said goodbye, and is here again.", "Nothing."),
        Explanation(
            "Refuted",
            "It was suspected, and showed in time that it lives.",
            "Nothing; if it comes often, look at the load of that node and at lost packets.",
        ),
        Explanation(
            "Silent",
            "This speaker did not hear it in time.",
            "Look at that node if it does not come back: power, network, load.",
        ),
        Explanation(
            "Crashed",
            "Its connection ended and it took no new one: its process died, the node may live.",
            "Look at the Pod's last log: `kubectl logs --previous`; it is started anew at once.",
        ),
        Explanation(
            "Accused",
            "Another member did not hear it in time.",
            "As for Silent; if only one member accuses, look at the network of that one.",
        ),
        Explanation(
            "NotRefuted",
            "It was suspected, and did not show in time that it lives: it counts as dead.",
            "Look at that node: power, network, load.",
        ),
        Explanation(
            "ReportedDead",
            "Other members hold it dead, and this one believes them.",
            "Look at that node: power, network, load.",
        ),
        Explanation("SaidGoodbye", "Its speaker was ended on purpose and said so.", "Nothing."),
    ),
)

WITHDRAWN: Final = Topic(
    title="Why a node stopped answering for an address",
    enum="bareway.gossip.events.WithdrawReason",
    seen="`bareway history`, log of the speaker, metric `bareway_withdrawn_total`",
    words=(
        Explanation(
            "Beaten",
            "Another node announces it with the better claim: a planned move, a drain, or a split that"
            " healed.",
            "Nothing; `bareway history ADDRESS` says what led to it.",
        ),
        Explanation(
            "NotWanted",
            "No Service that is ours and served has the address any more.",
            "Nothing, if the Service was deleted; else `bareway why ADDRESS`: most often no Pod is ready.",
        ),
        Explanation(
            "NotPermitted",
            "This node may not announce it any more: selectors, interfaces, the node's own state, or no Pod"
            " here with policy Local.",
            "`bareway why ADDRESS` says which; nothing, if that is meant.",
        ),
        Explanation(
            "NotStarted",
            "This speaker does not take part yet: it starts, or its last usable link came back just now.",
            "Nothing: it takes some seconds.",
        ),
        Explanation(
            "Fenced",
            "This speaker stood still for longer than others wait (load, a paused machine), so another"
            " node may"
            " have taken over. It is silent until it has heard the others again.",
            "Nothing, if it was once. Else give the node more CPU, or use `profile: default` instead of"
            " `fast`.",
        ),
        Explanation("Left", "This speaker ends, and hands over what it has.", "Nothing."),
        Explanation(
            "NoQuorum",
            "The configuration says `partition: safe`, and this node hears no majority of the nodes.",
            "Bring the other nodes or the network back; `partition: available` would go on answering.",
        ),
        Explanation(
            "Yielded",
            "Another station answers for it, gossip between the two does not work, and its MAC address is the"
            " lower one.",
            "Open TCP port 7947 between the nodes; then claims decide, and one of them keeps it.",
        ),
    ),
)

OTHERS: Final = Topic(
    title="Who else answers for an address",
    enum="bareway.gossip.findings.FindingWord",
    seen="Events, `bareway status`, `why` and `doctor`, metric `bareway_findings_total`",
    words=(
        Explanation(
            "StrictArpMissing",
            "A node's kernel answers ARP for addresses that other nodes announce, as kube-proxy in IPVS mode"
            " makes it do. Clients may reach either node.",
            "Set `strictARP: true` in kube-proxy's configuration and restart kube-proxy.",
        ),
        Explanation(
            "ProxyArpSuspected",
            "One station answers for many addresses at once: a router, or a node, with proxy ARP.",
            "Switch proxy ARP off there, or take its addresses out of the pools.",
            also=("controller.writing.notices.EventReason",),
        ),
        Explanation(
            "DoubleAnnouncer",
            "Two of our nodes answered for one address, while gossip between them was cut.",
            "Open TCP port 7947 between the nodes, in both directions.",
        ),
    ),
)

EDGES: Final = Topic(
    title="Why a gossip connection was refused or closed",
    enum="bareway.gossip.sealing.Refusal",
    seen="log of the speaker, metric `bareway_gossip_dropped_total`",
    words=(
        Explanation(
            "BadHello",
            "The first words of the other end are not those of a speaker, or of one that is too old.",
            "Look who calls from the address in the log; during an upgrade it passes.",
        ),
        Explanation(
            "OwnName",
            "Somebody calls by this node's own name: a second speaker, or a packet of ours that came back.",
            "See that one speaker runs on each node; look for static `--members` with a wrong address.",
        ),
        Explanation(
            "UnknownName",
            "The caller goes by a name that is no Node of this cluster.",
            "Nothing for a node that is just being added; else somebody uses your key elsewhere: change it.",
        ),
        Explanation(
            "UnknownKey",
            "The two ends have no gossip key in common.",
            "Compare the Secret `memberlist` that both read; a speaker of another cluster may use the"
            " same network.",
        ),
        Explanation(
            "WrongSeal",
            "A message was not sealed with the key that both agreed on: damaged, or forged.",
            "If it comes again, look who is between the two nodes.",
        ),
        Explanation(
            "Replayed",
            "A message came twice or out of order within one connection, which TCP does not do by itself.",
            "If it comes again, look who is between the two nodes.",
        ),
        Explanation(
            "TooLarge",
            "A message is longer than any that speakers send.",
            "Let all speakers run the same version; else look who calls from the address in the log.",
            also=("bareway.gossip.message.DropReason",),
        ),
        Explanation(
            "Spent",
            "The connection has carried as many messages as one key may seal.",
            "Nothing: a new connection with new keys is opened.",
        ),
    ),
)

MESSAGES: Final = Topic(
    title="Why a gossip message was not understood",
    enum="bareway.gossip.message.DropReason",
    seen="log of the speaker, metric `bareway_gossip_dropped_total`",
    words=(
        Explanation(
            "Malformed",
            "The other end has the key, but what it sent is no message at all.",
            "Let all speakers run the same version.",
        ),
        Explanation(
            "Invalid",
            "The other end has the key, but sent a message that we do not know, or beyond its limits.",
            "Let all speakers run the same version.",
        ),
    ),
)

DOOR: Final = Topic(
    title="Why the gossip port dropped a connection",
    enum="bareway.runtime.gossip.report.Drop",
    seen="log of the speaker, metric `bareway_gossip_dropped_total`",
    words=(
        Explanation(
            "BadHttp",
            "What came is no HTTP request: somebody scans the port.",
            "Nothing; a NetworkPolicy or a firewall may keep others away from port 7947.",
        ),
        Explanation(
            "NotGossip",
            "A request for something else, or an answer by something else than a speaker.",
            "See that nothing else listens on port 7947 of the nodes (MetalLB uses 7946).",
        ),
        Explanation(
            "BadFrame",
            "A WebSocket frame of a kind that speakers never send, or a broken one.",
            "If it comes again, look who calls from the address in the log.",
        ),
        Explanation(
            "TooSlow",
            "The caller did not prove within two seconds that it has the key.",
            "Nothing for a stranger; for a node of ours look at its load and at lost packets.",
        ),
        Explanation(
            "TooMany",
            "Too many connections are open that have proven nothing yet; nodes of ours come first.",
            "Keep strangers away from port 7947 with a firewall.",
        ),
        Explanation(
            "TooOften",
            "One address opened too many connections in a short time.",
            "Look who that is; a node of ours tries again by itself.",
        ),
        Explanation(
            "Duplicate",
            "Both ends called at once, and one connection is enough.",
            "Nothing.",
        ),
        Explanation(
            "Stuck",
            "The other end does not read what we send, so the connection was closed.",
            "Look at the load of that node, and at the network between the two.",
        ),
    ),
)

TOPICS: Final = (MEMBERS, CHANGES, WITHDRAWN, OTHERS, EDGES, MESSAGES, DOOR)
