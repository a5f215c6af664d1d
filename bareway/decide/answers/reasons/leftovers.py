"""What ``bareway uninstall`` finds and why it does nothing."""

from typing import Final

from bareway.decide.answers.reasons.explanation import Explanation, Topic

AGAIN: Final = "`bareway uninstall --yes`, once no controller runs any more."

LEFT: Final = Topic(
    title="What is left of Bareway",
    enum="bareway.decide.answers.leftovers.Leftover",
    seen="`bareway uninstall`",
    words=(
        Explanation(
            "AddressLeft",
            "A Service shows an address that Bareway gave it; without Bareway nobody answers for it.",
            f"{AGAIN} With `--keep-addresses` it stays for the load balancer that comes next.",
        ),
        Explanation(
            "ConditionLeft",
            "A Service's status has the condition `bareway.io/AddressAssigned`, which nobody keeps true.",
            AGAIN,
        ),
        Explanation(
            "PoolNameLeft",
            "A Service has the annotation with the name of the pool that its address was of.",
            AGAIN,
        ),
        Explanation(
            "MoveMarkLeft",
            "A Service names the node that shall announce it, by `bareway move`.",
            "Take it away by `bareway move ADDRESS --undo` or `bareway uninstall --yes`.",
        ),
        Explanation(
            "DrainMarkLeft",
            "A Node has the mark of `bareway drain`.",
            "Take it away by `bareway undrain NODE` or `bareway uninstall --yes`.",
        ),
        Explanation(
            "ConfigMarkLeft",
            "A ConfigMap outside of our namespace has an operator's annotation, as the consent to a loss.",
            "Take it away by `bareway uninstall --yes`.",
        ),
        Explanation(
            "ProgramLeft",
            "Our Deployment, our DaemonSet or a Pod of ours exists.",
            "Delete what was installed: `kubectl delete -k` with the folder that you installed from.",
        ),
        Explanation(
            "NamespaceLeft",
            "Our Namespace exists, with the configuration and the memory of addresses.",
            "Delete it: `kubectl delete namespace`, with the name of the namespace it was installed in.",
        ),
        Explanation(
            "RightsLeft",
            "A Role or a ClusterRole of ours exists, or what gives it to somebody.",
            "Delete it with the command that `bareway uninstall` shows for it.",
        ),
        Explanation(
            "ObjectLeft",
            "An object with our label exists in a namespace that is not ours to delete.",
            "Delete it with the command that `bareway uninstall` shows for it.",
        ),
    ),
)

REFUSED: Final = Topic(
    title="Why nothing is taken away",
    enum="bareway.decide.answers.leftovers.RemovalRefusal",
    seen="`bareway uninstall --yes`",
    words=(
        Explanation(
            "ProgramsRun",
            "A controller runs, or its Deployment would start one: it would write everything again. Or a"
            " Bareway runs in another namespace, which needs what it wrote.",
            "End it first: `kubectl scale deployment/bareway-controller --replicas=0`, with `-n` and the"
            " namespace that it is in.",
        ),
        Explanation(
            "ProgramsUnknown",
            "It could not be found out whether a controller runs.",
            "Ask for the right to list Deployments and Pods; the answer says what was refused.",
        ),
    ),
)

TOPICS: Final = (LEFT, REFUSED)
