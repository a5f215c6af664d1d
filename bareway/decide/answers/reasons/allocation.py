"""Why a Service has no address, loses one, or gets none from a pool; why a configuration is not in force."""

from typing import Final

from bareway.decide.answers.reasons.explanation import Explanation, Topic

NO_ADDRESS: Final = Topic(
    title="Why a Service gets no address, loses one, or gets none from a pool",
    enum="bareway.decide.allocation.verdicts.Refusal",
    seen="condition `bareway.io/AddressAssigned`, Events of the Service, `bareway why`, `status` and `plan`,"
    " metric `bareway_services_waiting`",
    words=(
        Explanation(
            "NoClusterAddress",
            "The Service has no clusterIP: it is headless, or Kubernetes has not given it one yet.",
            "Take `clusterIP: None` out of the Service; a Service behind an external IP needs a clusterIP.",
        ),
        Explanation(
            "NotDualStack",
            "The Service says `ipFamilyPolicy: RequireDualStack`, but has a clusterIP of one family only.",
            "Set PreferDualStack or SingleStack, or run a cluster whose Services have both families.",
        ),
        Explanation(
            "InvalidRequest",
            "What the Service asks for cannot be read: an address that is none, two of one family, more than"
            " two, or addresses in both the annotation `loadBalancerIPs` and `spec.loadBalancerIP`.",
            "Correct the annotation or the field; the message quotes it. What the Service has, it keeps.",
        ),
        Explanation(
            "WrongFamily",
            "An address of an IP family is asked for that the Service does not have, or of both although only"
            " one was requested; said of a pool: it has no addresses of that family.",
            "Request addresses of the families in `spec.ipFamilies`, or add a range of that family to"
            " the pool.",
        ),
        Explanation(
            "NotInAnyPool",
            "The address that the Service shows or requests lies in no pool, or the pool avoids it"
            " (`avoid-buggy-ips`).",
            "Request another address, or add this one to a pool.",
        ),
        Explanation(
            "HeldByAnother",
            "Another Service holds the address, and the two do not name the same sharing key.",
            "Request another address, or give both the same value of the annotation"
            " `metallb.io/allow-shared-ip`.",
        ),
        Explanation(
            "OtherBackends",
            "The sharing key is the same, but one of the two has policy Local and they select other Pods.",
            "Use policy Cluster, or the same selector, or set `share-local: true` on the pool.",
        ),
        Explanation(
            "PortInUse",
            "Another Service with which the address could be shared uses the same port and protocol on it.",
            "Change the port of one of the two, or give one another address; the message names the other.",
        ),
        Explanation(
            "OtherAddressRequested",
            "The Service shows this address, but asks for another one by name, so this one is let go.",
            "Nothing, if you changed the request on purpose; else correct `loadBalancerIPs` or"
            " `loadBalancerIP`.",
        ),
        Explanation(
            "OtherPoolRequested",
            "The address belongs to another pool than the one that the Service asks for.",
            "Correct the annotation `metallb.io/address-pool`, or request an address of that pool.",
        ),
        Explanation(
            "NoSuchPool",
            "The Service names a pool that is not in the configuration in force.",
            "Correct the annotation `metallb.io/address-pool`; `bareway pools` lists the pools.",
        ),
        Explanation(
            "NamespaceNotAllowed",
            "The pool has `namespaces` or `namespace-selectors`, and they leave this namespace out.",
            "Add the namespace to the pool, label the Namespace, or use another pool.",
        ),
        Explanation(
            "ServiceNotSelected",
            "The pool has `service-selectors`, and the labels of the Service match none of them.",
            "Label the Service as the pool asks, or use another pool.",
        ),
        Explanation(
            "QuotaExhausted",
            "The namespace holds as many addresses of the pool as its `quota` allows.",
            "Delete a Service of that namespace that is not needed, share an address, or raise the quota.",
        ),
        Explanation(
            "Reserved",
            "The address is reserved (`reserve` of the pool) for Services of other names.",
            "Request another address, or name this Service in the reservation.",
        ),
        Explanation(
            "OnHold",
            "The address was freed a short time ago and waits for the Service that held it last"
            " (`hold-after-delete` of the pool).",
            "Wait until the hold ends, or request another address.",
        ),
        Explanation(
            "Quarantined",
            "Somebody else on the link answered for the address just after it was given, so the Service was"
            " given another one; it rests for ten minutes.",
            "Find who has the address (`bareway probe ADDRESS`), and take it away there or out of the pool.",
        ),
        Explanation(
            "AutoAssignOff",
            "The pool has `auto-assign: false`: it serves only Services that ask for it or for its"
            " addresses.",
            "Name the pool in the annotation `metallb.io/address-pool`, or request an address of it.",
        ),
        Explanation(
            "PoolExhausted",
            "Every address of the pool that this Service could have is held, reserved, on hold or in"
            " quarantine.",
            "Add a range to the pool, delete Services that are not needed, or let some share an address.",
        ),
        Explanation(
            "NoFreeAddress",
            "No pool has an address for the Service; the message says of each pool why.",
            "Look at the word of each pool: `bareway why SERVICE` lists them. Most often a pool wants a"
            " range.",
        ),
        Explanation(
            "SecondFamilyNotServed",
            "The Service prefers both families and has an address of one; no pool has one of the other.",
            "Add a range of that family to a pool, or set SingleStack if one family is enough.",
        ),
    ),
)

ADDRESS: Final = Topic(
    title="How a Service stands that has its address",
    enum="controller.writing.conditions.Reason",
    seen="condition `bareway.io/AddressAssigned`",
    words=(
        Explanation(
            "Assigned",
            "The Service has the address that it asks for.",
            "Nothing. Whether somebody announces it is another question: `bareway why SERVICE`.",
        ),
        Explanation(
            "AddressInUse",
            "A station on the link that is no node of this cluster answers for the address too, so clients"
            " may reach either.",
            "Find it by the MAC address that is told, and take the address away there, or out of the pool."
            " After that it is told for up to 60 s more.",
            also=("bareway.gossip.findings.FindingWord",),
        ),
    ),
)

CONFIGURATION: Final = Topic(
    title="Why the newest configuration is not in force",
    enum="controller.allocation.acceptance.ConfigurationRefusal",
    seen="Events of the ConfigMap, log of the controller",
    words=(
        Explanation(
            "ConfigurationMissing",
            "There is no ConfigMap with a configuration. The last good one stays in force, if there was one.",
            "Apply a ConfigMap `config` with the key `config` in the namespace that the controller reads.",
        ),
        Explanation(
            "ConfigurationInvalid",
            "The document has mistakes, and is refused as a whole. The last good one stays in force.",
            "Correct what the Event lists; `bareway lint -f FILE` names every mistake before you apply it.",
        ),
        Explanation(
            "ConfigurationTakesAddressesAway",
            "Under the new document Services would lose addresses that they hold, so it is refused as a"
            " whole.",
            "Keep these addresses in a pool, or accept exactly this loss with the annotation"
            " `bareway.io/accept-loss` that the Event shows.",
        ),
    ),
)

TOPICS: Final = (NO_ADDRESS, ADDRESS, CONFIGURATION)
