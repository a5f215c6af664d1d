"""What the programs tell in Events and logs beside the reasons of a decision."""

from typing import Final

from bareway.decide.answers.reasons.explanation import Explanation, Topic

EVENTS: Final = Topic(
    title="What the controller tells in Events",
    enum="controller.writing.notices.EventReason",
    seen="`kubectl describe` of a Service or of the ConfigMap",
    words=(
        Explanation("IPAllocated", "The Service was given an address.", "Nothing."),
        Explanation(
            "AllocationFailed",
            "The Service gets no address; the message says why.",
            "Look at its condition `bareway.io/AddressAssigned` for the word, or ask `bareway why SERVICE`.",
        ),
        Explanation(
            "ClearAssignment",
            "The Service showed an address that it may not keep; another one is looked for.",
            "Nothing, if you changed the configuration or the Service for that.",
        ),
        Explanation(
            "AdditionalAssignFailed",
            "The Service prefers both families and got an address of one.",
            "As for SecondFamilyNotServed: add a range of the other family to a pool.",
        ),
        Explanation(
            "LoadBalancerFailed",
            "What the Service asks for cannot be read.",
            "As for InvalidRequest: correct the annotation or the field that the message quotes.",
        ),
        Explanation(
            "nolbIPsIPFamily",
            "The Service's status shows addresses that do not go together, such as two of one family.",
            "Nothing: it is corrected; look who else writes the status of Services.",
        ),
        Explanation(
            "noclusterIPsIPFamily",
            "The clusterIPs of the Service cannot be read.",
            "Look at `spec.clusterIPs`; what the Service has, it keeps.",
        ),
        Explanation(
            "not enough clusterips",
            "The Service requires both families and has a clusterIP of one only.",
            "As for NotDualStack: PreferDualStack, or a cluster with both families.",
        ),
        Explanation(
            "deprecatedAnnotation",
            "The Service uses an annotation with the old prefix `metallb.universe.tf/`; it still counts.",
            "Use `metallb.io/` or `bareway.io/` when you change the Service next.",
        ),
        Explanation("ConfigurationAccepted", "The newest configuration is in force.", "Nothing."),
        Explanation(
            "StatusCorrected",
            "Somebody else wrote an address into the Service's status; what was given was written again.",
            "Look who that is: another load balancer for the same class, or a script.",
        ),
        Explanation(
            "ServiceUnreadable",
            "Fields of the Service cannot be read, so it is left as it is.",
            "Correct the fields that the message names.",
        ),
        Explanation(
            "WriteForbidden",
            "The API server forbids a write: a right is missing, or an admission webhook refuses it.",
            "Look at the message; apply the manifests' Roles again, or look at the webhook.",
        ),
        Explanation(
            "NotMoved",
            "The Service is not announced from the node that its annotation names.",
            "The word in the message says why: `bareway explain` knows it.",
        ),
    ),
)

TOLD: Final = Topic(
    title="What the speaker tells in Events",
    enum="",
    seen="`kubectl describe` of a Service or a Node",
    words=(
        Explanation("nodeAssigned", "The node announces the Service's address from now on.", "Nothing."),
        Explanation("BGPSessionUp", "The session with a router is up.", "Nothing."),
        Explanation(
            "BGPSessionDown",
            "The session with a router ended.",
            "The word in the message says why: `bareway explain` knows it.",
        ),
        Explanation(
            "BGPSessionRefused",
            "There is no session with a router, since its password cannot be had.",
            "As for keyMissing and keyUnusable: create or correct the Secret that the message names.",
        ),
    ),
)

LEADING: Final = Topic(
    title="Why a controller leads no more",
    enum="controller.leading.election.Loss",
    seen="log of the controller",
    words=(
        Explanation(
            "RenewalOverdue",
            "The controller could not renew its Lease in time; the other one takes over.",
            "Look at the API server's load, and at the network of the controller's node.",
        ),
        Explanation(
            "LeaseChanged",
            "The Lease looked like another's, so the controller wrote nothing until it had looked again.",
            "Nothing, if it leads again; else another controller has taken over.",
        ),
        Explanation(
            "LeaseTaken",
            "Another controller holds the Lease.",
            "Nothing; if it goes back and forth, look at the API server's load.",
        ),
        Explanation(
            "LeaseDeleted",
            "Somebody deleted the Lease; after a wait one of the controllers creates it anew.",
            "Nothing; do not delete it.",
        ),
        Explanation("Resigned", "The controller ends, and leaves the Lease to the other one.", "Nothing."),
    ),
)

SOCKET: Final = Topic(
    title="Why a program does not answer on its socket",
    enum="bareway.runtime.rpc.SocketRefusal",
    seen="log of the programs",
    words=(
        Explanation(
            "AnotherInstance",
            "Another process serves the same socket.",
            "Give one of them its own with `--socket`; one speaker runs on a node.",
        ),
        Explanation(
            "NotPossible",
            "The socket cannot be made: the folder may not be written, or something else is there.",
            "Choose another place with `--socket`, or `--socket=off`; all else goes on.",
        ),
    ),
)

GRAVITY: Final = Topic(
    title="How much a finding matters",
    enum="bareway.model.answers.Gravity",
    seen="`bareway why`, `status` and `doctor`",
    words=(
        Explanation(
            "Broken",
            "Somebody gets no address, or no answer from one, now.",
            "Follow the remedy of the finding; these come first.",
        ),
        Explanation(
            "AtRisk",
            "All is served now, but the next fault would not be survived as promised.",
            "Follow the remedy of the finding when you can.",
        ),
        Explanation("Odd", "It is worth knowing, and nothing suffers.", "Nothing has to be done."),
    ),
)

TOPICS: Final = (EVENTS, TOLD, LEADING, SOCKET, GRAVITY)
