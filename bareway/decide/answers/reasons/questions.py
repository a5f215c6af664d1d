"""What ``bareway why`` says where no decision has a word, and why an address moved in the past."""

from typing import Final

from bareway.decide.answers.reasons.explanation import Explanation, Topic

WHY: Final = Topic(
    title="Why a question about a Service or an address ends where it does",
    enum="bareway.decide.answers.why.chain.WhyReason",
    seen="`bareway why`",
    words=(
        Explanation(
            "NoSuchService",
            "There is no Service of that name.",
            "Name it as NAMESPACE/NAME; `kubectl get services -A` lists them.",
        ),
        Explanation(
            "AmbiguousName",
            "Services of that name are in several namespaces.",
            "Name it as NAMESPACE/NAME.",
        ),
        Explanation(
            "NotLoadBalancer",
            "The Service is not of type LoadBalancer, so it gets no external address.",
            "Set `spec.type: LoadBalancer`, if it should have one.",
        ),
        Explanation(
            "OtherClass",
            "The Service's `loadBalancerClass` is not the one that is served here.",
            "Create it anew with the right class (the field cannot be changed), or start us with"
            " `--lb-class`.",
        ),
        Explanation(
            "ConfigurationRefused",
            "The newest document has errors, so an older one is in force.",
            "Correct it; `bareway lint -f FILE` names every mistake.",
        ),
        Explanation(
            "NotNeeded",
            "Another pool came first and had an address.",
            "Nothing; name a pool in the annotation `metallb.io/address-pool` to choose.",
        ),
        Explanation("Free", "The address is in a pool, and nobody has it.", "Nothing."),
        Explanation(
            "NotWritten",
            "It is decided, but the Service does not show it yet.",
            "Nothing, if it passes; else look at the controller's log for writes that fail.",
        ),
        Explanation(
            "NoSpeaker",
            "No speaker runs on the node.",
            "Look at the DaemonSet `bareway-speaker`.",
        ),
        Explanation(
            "NotAsked",
            "The speaker of the node gave no answer, so what is said of it is not known.",
            "Look at its Pod; a right to `pods/exec` may be missing. The answer says which.",
        ),
        Explanation(
            "NotReady",
            "The speaker lacks objects of the API, a configuration, or the gossip key.",
            "`bareway status` says what it waits for.",
        ),
        Explanation(
            "NotSeen",
            "The speaker does not know of the address yet.",
            "Nothing, if it passes; else see whether it reaches the API server.",
        ),
        Explanation(
            "NoClaim",
            "Nodes may announce the address, and none does.",
            "Ask again in some seconds; if it stays, look at the logs of the speakers.",
        ),
        Explanation(
            "NoRouter",
            "The pool is for BGP, and no peer is configured.",
            "Add `peers` to the configuration, or set `protocol: layer2`.",
        ),
        Explanation(
            "RouteHeldBack",
            "The route cannot be told to the router: too many, too long, or without a next hop.",
            "Give the node an address of that family, or aggregate routes (`aggregation-length`).",
        ),
        Explanation(
            "RouteWaits",
            "The route is on its way to the router.",
            "Nothing; if it stays, the router does not read.",
        ),
    ),
)

OUTCOMES: Final = Topic(
    title="What became of a question",
    enum="bareway.decide.answers.why.chain.Outcome",
    seen="`bareway why`",
    words=(
        Explanation("Served", "Clients reach it, as far as is known.", "Nothing."),
        Explanation(
            "Wrong", "Something keeps clients from it; the findings say what.", "Follow their remedies."
        ),
        Explanation(
            "Unknown",
            "What could be found out does not say.",
            "Look at what could not be found out, below the answer, and why.",
        ),
    ),
)

HANDOVERS: Final = Topic(
    title="Why an address went from one node to another",
    enum="bareway.decide.answers.history.handovers.HandoverReason",
    seen="`bareway history`",
    words=(
        Explanation("FirstClaim", "Nobody had the address before.", "Nothing."),
        Explanation(
            "HolderDied",
            "The former node fell silent and did not answer in time.",
            "Look at that node at that time: power, network, load.",
        ),
        Explanation(
            "HolderCrashed",
            "The former node's speaker ended while its node lived on, and did not come back in time.",
            "Look at the Pod's last words: `kubectl logs POD --previous`.",
        ),
        Explanation(
            "HolderLeft",
            "The former node's speaker said goodbye before another had taken over.",
            "Nothing, if it was ended on purpose; give it its full grace period.",
        ),
        Explanation(
            "HolderGone",
            "The former node is no member that is known any more.",
            "Nothing, if the node was removed.",
        ),
        Explanation(
            "HolderDrained",
            "The former node handed over: its Node is marked or tainted.",
            "Nothing, if that was meant; `bareway undrain NODE` ends a drain.",
        ),
        Explanation(
            "HolderStopping",
            "The former node handed over: its speaker was told to end, as in an upgrade.",
            "Nothing.",
        ),
        Explanation(
            "HolderLostLink",
            "The former node had no usable link any more, or its network was unavailable.",
            "Look at its cable, its switch port and its network plug-in.",
        ),
        Explanation(
            "HolderNotStarted",
            "The former node's speaker had begun anew, or had fallen silent by itself.",
            "Look at its log at that time; Fenced there means that the node was too busy.",
        ),
        Explanation(
            "HolderNotPermitted",
            "Endpoints, node selectors or interfaces no longer allowed the former node to announce it.",
            "Nothing, if you changed that; else look at the Service's Pods at that time.",
        ),
        Explanation(
            "MovedByList",
            "The controller placed it elsewhere: preferred nodes, an even load, or a node that fits better.",
            "Nothing; `bareway move ADDRESS NODE` holds it at a node.",
        ),
        Explanation(
            "MovedByOperator",
            "A Service names the node that shall announce it (`bareway move`).",
            "Nothing; `bareway move ADDRESS --undo` leaves it to the controller again.",
        ),
        Explanation(
            "PartitionHealed",
            "Two parts of the group met again, and both had announced it; the better claim counts.",
            "Look for what had cut the network between the nodes.",
        ),
        Explanation("GivenUp", "No Service has the address any more.", "Nothing."),
        Explanation(
            "Unexplained",
            "Who told us of it heard the claim, and not what led to it.",
            "Look at the log of the node that has it now.",
        ),
    ),
)

ON_THE_WIRE: Final = Topic(
    title="What is wrong with the answers when the wire was asked",
    enum="bareway.decide.answers.probing.ProbeReason",
    seen="`bareway probe`",
    words=(
        Explanation(
            "NoAnswer",
            "Nobody on the link answered for the address.",
            "`bareway why ADDRESS` says whether it should be announced, and by whom; ask from another"
            " node too.",
        ),
        Explanation(
            "SeveralAnswer",
            "Two stations or more answer for the address, so clients reach one or the other by chance.",
            "Two nodes: set `strictARP: true` in kube-proxy's configuration and open TCP port 7947"
            " between them."
            " A stranger: take the address away there, or out of the pool.",
        ),
        Explanation(
            "OtherAnswers",
            "Another station answers for the address than the node that announces it.",
            "Ask again, it may just have moved; then find that station by its MAC address.",
        ),
    ),
)

NOT_ASKED: Final = Topic(
    title="Why the wire was not asked",
    enum="bareway.decide.answers.probing.ProbeRefusal",
    seen="`bareway probe`",
    words=(
        Explanation(
            "NoRawSocket",
            "Asking the link needs a raw socket, which only root or a process with CAP_NET_RAW may open.",
            "Use sudo, or ask from a node: `bareway probe ADDRESS --node NODE`.",
        ),
        Explanation(
            "NotOnLink",
            "The address lies in no subnet of this machine, so who has it shows on another link.",
            "Ask from a node (`--node`), or name a link of this machine (`--interface`).",
        ),
        Explanation(
            "OwnAddress",
            "The machine that was to ask has the address itself, or announces it.",
            "Ask from another machine, as by `--node`.",
        ),
        Explanation(
            "NoSuchInterface",
            "This machine has no interface of that name.",
            "Name one that there is; the message lists them.",
        ),
        Explanation(
            "InterfaceUnusable",
            "The interface is down, or has no address of the family.",
            "`ip link set dev NAME up`, or name another interface.",
        ),
    ),
)

TOPICS: Final = (WHY, OUTCOMES, ON_THE_WIRE, NOT_ASKED, HANDOVERS)
