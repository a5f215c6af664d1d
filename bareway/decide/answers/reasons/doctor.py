"""What ``bareway doctor`` finds around us, or in us."""

from typing import Final

from bareway.decide.answers.reasons.explanation import Explanation, Topic

WHY: Final = "bareway.decide.answers.why.chain.WhyReason"
EVENT: Final = "controller.writing.notices.EventReason"

AILMENTS: Final = Topic(
    title="What is not as it should be in a cluster",
    enum="bareway.decide.answers.checks.ailments.Ailment",
    seen="`bareway doctor` and `status`",
    words=(
        Explanation(
            "OtherController",
            "Another program, such as MetalLB, gives addresses to the same Services. With MetalLB there, our"
            " controller gives none.",
            "Remove it as docs/migrate-from-metallb.md says, or give each its own class (`--lb-class`).",
        ),
        Explanation(
            "PoolOutsideSubnets",
            "No node has an address in the subnet of a layer-2 pool, so nobody on the nodes' links asks"
            " for its"
            " addresses.",
            "Use addresses of the nodes' subnet, give the nodes an address in the pool's, or announce by"
            " BGP.",
        ),
        Explanation(
            "PoolHoldsNodeAddress",
            "A pool holds the address of a Node: a Service might be given it.",
            "Write the pool as ranges around that address.",
        ),
        Explanation(
            "PoolHoldsClusterAddress",
            "A pool holds clusterIPs of Services: the two networks overlap.",
            "Take that range out of the pool.",
        ),
        Explanation(
            "PoolNearlyFull",
            "Nine of ten addresses of a pool are in use, or more.",
            "Add a range, or another pool, before new Services wait.",
        ),
        Explanation(
            "DeafInterface",
            "An interface in a pool's subnet hears no broadcasts, so no question for an address.",
            "`ip link set dev NAME arp on`; an interface without BROADCAST must be of another type.",
        ),
        Explanation(
            "ReversePathFilter",
            "The kernel drops packets on an interface by which the way back to the client does not leave.",
            "Set `net.ipv4.conf.NAME.rp_filter` to 2 on that node, and in /etc/sysctl.d.",
        ),
        Explanation(
            "RightMissing",
            "A program of ours was refused something by the API server that it needs.",
            "Apply the manifests again as somebody who may grant rights; the message names the right.",
            also=(EVENT,),
        ),
        Explanation(
            "CapabilityMissing",
            "The speaker's container may not open the sockets that it needs.",
            "Apply the manifests again; if it stays, look at Pod Security admission of the namespace.",
        ),
        Explanation(
            "ClockSkew",
            "A node's clock differs from the others'. Nothing of ours fails by it, but times do not match.",
            "Set its clock by NTP: `timedatectl set-ntp true` on the node.",
        ),
        Explanation(
            "VersionsDiffer",
            "Controllers and speakers are of several versions, as in the middle of an upgrade.",
            "Let the roll-out end, or repeat it.",
        ),
        Explanation(
            "KubernetesTooOld",
            "The API server is older than v1.21 and does not serve EndpointSlices as v1.",
            "Upgrade the cluster.",
        ),
        Explanation(
            "NoConfiguration",
            "There is no configuration in force, so no Service gets an address.",
            "Apply a ConfigMap `config` with pools; `bareway lint` tries it before.",
            also=(WHY,),
        ),
        Explanation(
            "ConfigurationMistake",
            "The newest document has a mistake and is not used; the last good one is in force, if there"
            " was one.",
            "Correct it; `bareway lint -f FILE` names every mistake.",
        ),
        Explanation(
            "ConfigurationWarning",
            "The configuration is in force, but something in it is odd.",
            "Look at what the message names; `bareway lint` shows the same.",
            also=(EVENT,),
        ),
        Explanation(
            "NoLeader",
            "No controller leads: no Service gets an address; what has one keeps it, and failover goes on.",
            "Look at the logs of the controllers: they say what keeps them from it.",
        ),
        Explanation(
            "TwoLeaders",
            "Two controllers say that they lead, so both write.",
            "Delete one of the two Pods, and tell us: this must not happen.",
        ),
        Explanation(
            "NoController",
            "No controller runs, or none leads, so no Service gets an address.",
            "Look at the Deployment `bareway-controller`; `kubectl apply -k manifests/` makes it anew.",
            also=(WHY,),
        ),
        Explanation(
            "PodCrashing",
            "A Pod of ours ends again and again.",
            "Look at its last words: `kubectl logs POD --previous`.",
        ),
        Explanation(
            "PodNotReady",
            "A Pod of ours runs and is not ready, or does not run yet.",
            "`kubectl describe pod POD` says why.",
        ),
        Explanation(
            "SpeakerMissing",
            "No speaker runs on a node: it announces nothing and takes nothing over.",
            "Look at the DaemonSet `bareway-speaker`: a node selector, a missing toleration, no room.",
        ),
        Explanation(
            "ApiUnreachable",
            "A program of ours does not reach the API server. Failover goes on; changes are not seen.",
            "See whether the node reaches the API server, and read the program's log.",
        ),
        Explanation(
            "GossipBlocked",
            "A speaker cannot connect to another's gossip port, though that one lives.",
            "Allow TCP port 7947 between all nodes, in both directions.",
        ),
        Explanation(
            "MemberDead",
            "A speaker does not answer the others; who else may announce its addresses has them.",
            "Look at the node and at its speaker's Pod.",
        ),
        Explanation(
            "GossipKeyMissing",
            "The Secret with the gossip key is not there, so a speaker does not join the others.",
            "The controller that leads creates it: see that one does.",
        ),
        Explanation(
            "GossipKeyDiffers",
            "The others turn a speaker away: another key, or a name that is no Node.",
            "Give all speakers the same Secret and their Node's own name, then start that one anew.",
        ),
        Explanation(
            "SessionDown",
            "The BGP session with a router is not up, so it has no route by this node.",
            "See that both sides have the same AS numbers and password, and that TCP port 179 is open.",
            also=(WHY,),
        ),
        Explanation(
            "RoutesHeldBack",
            "Some routes cannot be told to a router: too many, too long, or without a next hop.",
            "Give the node an address of that family, or aggregate routes (`aggregation-length`).",
        ),
        Explanation(
            "BgpProblem",
            "Something keeps a speaker from all that is configured for BGP; the sentence beside it says"
            " what.",
            "Follow that sentence; `bareway bgp` shows the node's sessions.",
        ),
        Explanation(
            "NobodyAnnounces",
            "Nobody announces an address, though some node may.",
            "Ask again in some seconds; if it stays, look at the logs of the speakers.",
        ),
        Explanation(
            "ListsBehind",
            "The announcer lists name others first than those who announce.",
            "Nothing, if it passes within seconds; else see that a controller leads and hears the speakers.",
        ),
        Explanation(
            "ListedAtUnfitNode",
            "Addresses are listed first at a node that may not announce; others do, a moment later.",
            "See that a controller leads and hears the speakers: it lists them anew within ten seconds.",
        ),
        Explanation(
            "FewNodesLeft",
            "All nodes but one may not announce: if that one fails, nobody takes over.",
            "Bring other nodes back, or take labels and drain marks away.",
        ),
    ),
)

TOPICS: Final = (AILMENTS,)
