"""Why nobody, or not this node, announces an address on the link; why it moves, or does not."""

from typing import Final

from bareway.decide.answers.reasons.explanation import Explanation, Topic

NOT_ANNOUNCED: Final = Topic(
    title="Why nobody, or not this node, announces an address",
    enum="bareway.decide.announcement.announcers.Refusal",
    seen="`bareway why`, `status` and `plan`, log of the speaker, metric `bareway_addresses_not_announced`",
    words=(
        Explanation(
            "noIPAllocated",
            "The Service has no address, so there is nothing to announce.",
            "Ask why it has none: `bareway why SERVICE`.",
        ),
        Explanation(
            "ipNotAllowed",
            "The Service shows an address that is in no pool which is announced this way.",
            "Add the address to a pool, or clear the Service's status so that it gets another one.",
        ),
        Explanation(
            "noEndpoints",
            "No Pod that is ready stands behind the Service, so a client could only be refused.",
            "Look at its Pods: `kubectl get endpointslices -l kubernetes.io/service-name=NAME`; most"
            " often the"
            " selector is wrong or a readiness probe fails.",
        ),
        Explanation(
            "noLocalEndpoints",
            "The Service has policy Local, and none of its ready Pods runs on this node.",
            "Nothing, if another node has one; else let Pods run there, or use policy Cluster.",
        ),
        Explanation(
            "noMatchingAdvertisement",
            "The configuration leaves this node out: `node-selectors` of a pool, or no BGP advertisement.",
            "Nothing, if that is meant; else change the selectors, or label the node.",
        ),
        Explanation(
            "SharedLocalPartial",
            "Services of policy Local share the address, and other nodes serve more of them than this one.",
            "Nothing, if one node serves all; else let the Pods of all these Services run on the same nodes.",
        ),
        Explanation(
            "nodeNetworkUnavailable",
            "The node's condition NetworkUnavailable is true: its network plug-in does not work yet.",
            "Look at the network plug-in's Pod on that node.",
        ),
        Explanation(
            "nodeLabeledExcludeBalancers",
            "The node has the label `node.kubernetes.io/exclude-from-external-load-balancers`.",
            "Take the label away, or start the speakers with `--ignore-exclude-lb`.",
        ),
        Explanation(
            "nodeDraining",
            "The node hands over what it announces, so it comes after all others.",
            "Nothing while that is meant; `bareway undrain NODE` ends it.",
        ),
        Explanation(
            "noUsableLink",
            "The node has no interface on which something can be announced.",
            "`bareway status` on the node gives a word for each interface, such as Down or ExcludedByName.",
        ),
        Explanation(
            "noAllowedLink",
            "The node has usable interfaces, but none that a pool of the address lists under `interfaces`.",
            "Correct `interfaces` of the pool; patterns begin with `regex:`.",
        ),
        Explanation(
            "noIPv6Link",
            "IPv6 is switched off on every interface of the node on which the address may be announced; of a"
            " Service with both families it announces the IPv4 address, and only where no node speaks both.",
            "Nothing, if a node with IPv6 announces it; else switch it on: `sysctl"
            " net.ipv6.conf.INTERFACE.disable_ipv6=0`.",
        ),
        Explanation(
            "notOwner",
            "Another node announces the address, as it should be: exactly one does.",
            "Nothing; `bareway move ADDRESS NODE` has it announced from here.",
        ),
    ),
)

LEAVING: Final = Topic(
    title="Why a node hands over what it announces",
    enum="bareway.decide.announcement.leaving.LeavingReason",
    seen="`bareway status` and `why`, log of the speaker",
    words=(
        Explanation(
            "Stopping",
            "The speaker was told to end, as in an upgrade; others take over before it does.",
            "Nothing: it ends when it starts again.",
        ),
        Explanation(
            "Drained",
            "The Node has the annotation `bareway.io/drain`.",
            "When the work is done: `bareway undrain NODE`.",
        ),
        Explanation(
            "OutOfService",
            "The Node has the taint `node.kubernetes.io/out-of-service`: somebody says that the machine"
            " is off.",
            "Take the taint away when the machine is back: `kubectl taint node NODE KEY-`.",
        ),
        Explanation(
            "ToBeDeleted",
            "The cluster's autoscaler is about to take the node away (taint"
            " `ToBeDeletedByClusterAutoscaler`).",
            "Nothing; if the node shall stay, ask the autoscaler why.",
        ),
        Explanation(
            "NodeShutdown",
            "The machine goes off: its kubelet, or the cloud's controller, says so on the Node.",
            "Nothing; it ends when the machine is back.",
        ),
        Explanation(
            "Cordoned",
            "The node is cordoned, and the configuration says `on-cordon: move`.",
            "`kubectl uncordon NODE` when the work is done.",
        ),
    ),
)

NOT_MOVED: Final = Topic(
    title="Why an address is not announced from the node that was named for it",
    enum="bareway.decide.announcement.moves.MoveRefusal",
    seen="Event NotMoved of the Service",
    words=(
        Explanation(
            "NoSuchMember",
            "No speaker runs on a node of that name.",
            "Correct the name (`bareway members`), or `bareway move ADDRESS --undo`.",
        ),
        Explanation(
            "NotAlive",
            "The speaker of that node does not answer the others.",
            "Look at its Pod and at TCP port 7947 between the nodes; it moves when the speaker is back.",
        ),
        Explanation(
            "NotEligible",
            "The speaker of that node has not started to take part yet, or its Node may announce nothing.",
            "Wait some seconds; if it stays, `bareway status` on that node says why.",
        ),
        Explanation(
            "Draining",
            "That node hands over what it announces.",
            "`bareway undrain NODE`, or name another node.",
        ),
        Explanation(
            "NotPermitted",
            "The pool's `node-selectors` leave that node out, or nothing serves the Service there"
            " (policy Local).",
            "Name another node, change the selectors, or let a Pod of the Service run there.",
        ),
        Explanation(
            "NoAllowedLink",
            "That node has none of the interfaces that the pool lists under `interfaces`.",
            "Name another node, or correct `interfaces` of the pool.",
        ),
        Explanation(
            "ServesFewer",
            "Other nodes serve more of the Services of policy Local that share the address.",
            "Name one of those, or let the missing Pods run on this node.",
        ),
        Explanation(
            "OffSubnet",
            "Other nodes have an address in the subnet of this one, and that node has not.",
            "Name a node of that subnet, or give this one an address there.",
        ),
        Explanation(
            "OtherNodeNamed",
            "Another Service of the same address, earlier by name, names another node.",
            "Let all Services of the address name the same node: `bareway move ADDRESS NODE` does so.",
        ),
    ),
)

LINKS: Final = Topic(
    title="Why nothing is announced on an interface",
    enum="speaker.layer2.links.LinkRefusal",
    seen="`bareway status` on the node",
    words=(
        Explanation(
            "ExcludedByName",
            "Its name is one that belongs to containers or virtual networks (`docker.*`, `veth.*`,"
            " `cali.*` …).",
            "Nothing, if so; an interface that should be used needs another name.",
        ),
        Explanation(
            "NotEthernet",
            "It is no Ethernet interface, such as loopback, a tunnel or WireGuard.",
            "Nothing: ARP and neighbour discovery need Ethernet. Announce with BGP there.",
        ),
        Explanation(
            "Enslaved",
            "It is part of a bond or a bridge; the bond or the bridge itself is used instead.",
            "Nothing.",
        ),
        Explanation(
            "Down",
            "It is switched off.",
            "`ip link set dev NAME up`, if it should be used.",
        ),
        Explanation(
            "NoCarrier",
            "It is switched on, but there is no signal: no cable, or the switch's port is off.",
            "Look at the cable and at the port of the switch.",
            also=("bareway.decide.answers.checks.ailments.Ailment",),
        ),
        Explanation(
            "NoArp",
            "ARP is switched off on it (flag NOARP).",
            "`ip link set dev NAME arp on`, if it should be used.",
        ),
        Explanation(
            "NoBroadcast",
            "It knows no broadcast, so no question would reach us there.",
            "Nothing: use another interface, or BGP.",
        ),
    ),
)

TOPICS: Final = (NOT_ANNOUNCED, LEAVING, NOT_MOVED, LINKS)
