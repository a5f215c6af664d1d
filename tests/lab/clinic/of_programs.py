"""Faults of our own programs and of what they are told, one after another; ``bareway doctor`` is asked."""

import json
from typing import Final

from bareway.decide.answers.checks.ailments import Ailment
from bareway.decide.answers.why.chain import WhyReason
from lab.clinic.cluster import Clinic, Found
from lab.clinic.fault import Fault, configured, follow
from lab.clinic.objects import served, service

OTHER_KEY: Final = "of another cluster"
LESS: Final = ("setpriv", "--bounding-set", "-net_raw", "--inh-caps", "-net_raw")
"""As a container without the capability."""
MISTAKE: Final = "addresses: [192.0.2.300/32]"


def _crashed(clinic: Clinic) -> None:
    clinic.end_speaker(clinic.nodes[2])


def _anew(clinic: Clinic, _: Found) -> None:
    """The Pod is deleted, and the DaemonSet makes another, as the manifests say."""
    clinic.end_speaker(clinic.nodes[2])
    clinic.start_speaker(clinic.nodes[2])


def _frozen(clinic: Clinic) -> None:
    clinic.system.speakers["node3"].freeze()


def _absent(clinic: Clinic) -> None:
    clinic.system.speakers["node3"].stop()
    clinic.take_pod("bareway-speaker-node3")


def _other_key(clinic: Clinic) -> None:
    clinic.end_speaker(clinic.nodes[2])
    clinic.start_speaker(clinic.nodes[2], "--ml-secret-key", OTHER_KEY)


def _incapable(clinic: Clinic) -> None:
    clinic.end_speaker(clinic.nodes[2])
    clinic.start_speaker(clinic.nodes[2], through=LESS)


def _no_controller(clinic: Clinic) -> None:
    """The Deployment was taken away."""
    assert clinic.system.controller is not None
    clinic.system.controller.stop()
    clinic.take_pod("bareway-controller-1")


def _no_right(clinic: Clinic) -> None:
    """The role lost a rule, and the speaker starts anew."""
    rule = {"fault": "forbidden", "resource": "endpointslices", "times": None, "reviewed": True}
    _faults(clinic, "-d", json.dumps(rule))
    _anew(clinic, NOTHING)


def _right(clinic: Clinic, _: Found) -> None:
    _faults(clinic, "-X", "DELETE")
    _anew(clinic, NOTHING)


def _faults(clinic: Clinic, *words: str) -> None:
    clinic.site.api.run("curl", "-sS", "--fail", *words, f"http://{clinic.site.api.address}:6443/faults")


def _waits(clinic: Clinic) -> None:
    clinic.apply(*served(service("hopeful", pool="new")))
    clinic.configure(new=MISTAKE)


def _lossy(clinic: Clinic) -> None:
    """A document without the address that a Service has."""
    clinic.configure(shrinking="addresses: [192.0.2.235-192.0.2.237]\nauto-assign: false")
    clinic.apply(*served(service("settled", pool="shrinking")))
    clinic.system.address_of("settled")
    clinic.configure(shrinking="addresses: [192.0.2.236-192.0.2.237]\nauto-assign: false")


def _clocks(*seconds: int) -> str:
    """The Leases that kubelets renew, by their own clocks."""
    leases = [
        {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"namespace": "kube-node-lease", "name": f"node{number}"},
            "spec": {"renewTime": f"2026-01-01T00:{second // 60:02}:{second % 60:02}.000000Z"},
        }
        for number, second in enumerate(seconds, start=1)
    ]
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kube-node-lease"}}
    return "\n---\n".join(map(json.dumps, (space, *leases)))


NOTHING: Final = Found(word="", gravity="", subject="", evidence="", remedy="")

PROGRAMS: Final = {
    "a speaker that ended": Fault(
        word=Ailment.POD_CRASHING,
        subject="Pod bareway-speaker-node3",
        plant=_crashed,
        says="logs bareway-speaker-node3 --previous",
        cure=_anew,
    ),
    "a speaker that hangs": Fault(
        word=Ailment.POD_NOT_READY,
        subject="Pod bareway-speaker-node3",
        plant=_frozen,
        says="describe pod bareway-speaker-node3",
        cure=_anew,
    ),
    "a node without a speaker": Fault(
        word=Ailment.SPEAKER_MISSING,
        subject="node node3",
        plant=_absent,
        says="describe daemonset bareway-speaker",
        cure=lambda clinic, _: clinic.start_speaker(clinic.nodes[2]),
    ),
    "a speaker with another gossip key": Fault(
        word=Ailment.GOSSIP_KEY_DIFFERS,
        subject="node node3",
        plant=_other_key,
        says="Give all speakers the same Secret memberlist",
        cure=_anew,
    ),
    "a speaker without its capability": Fault(
        word=Ailment.CAPABILITY_MISSING,
        subject="Pod bareway-speaker-node3",
        plant=_incapable,
        says="Give its container the capability",
        cure=_anew,
    ),
    "a speaker without a right": Fault(
        word=Ailment.RIGHT_MISSING,
        subject="Pod bareway-speaker-node3",
        plant=_no_right,
        says="Apply the manifests again",
        cure=_right,
    ),
    "no controller": Fault(
        word=Ailment.NO_CONTROLLER,
        subject="controller",
        plant=_no_controller,
        says="kubectl apply -k manifests/ makes it anew",
        cure=lambda clinic, _: clinic.start_controller(),
    ),
    "a mistake in the configuration": Fault(
        word=Ailment.CONFIGURATION_MISTAKE,
        plant=lambda clinic: clinic.configure(new=MISTAKE),
        says="write a prefix like 192.0.2.0/28 or a range",
        cure=configured(new="addresses: [192.0.2.238/32]\nauto-assign: false"),
    ),
    "a Service that waits for what a mistake keeps out": Fault(
        word=WhyReason.CONFIGURATION_REFUSED,
        about="default/hopeful",
        plant=_waits,
        says="Correct ConfigMap bareway-system/config",
        cure=configured(new="addresses: [192.0.2.238/32]\nauto-assign: false"),
    ),
    "a configuration that takes an address away": Fault(
        word=Ailment.CONFIGURATION_MISTAKE,
        plant=_lossy,
        says="annotate --overwrite configmap config bareway.io/accept-loss=",
        cure=follow,
    ),
    "a clock that is wrong": Fault(
        word=Ailment.CLOCK_SKEW,
        subject="node node3",
        plant=lambda clinic: _leases(clinic, 0, 3, 130),
        says="Set its clock by NTP",
        cure=lambda clinic, _: _leases(clinic, 10, 13, 12),
    ),
}


def _leases(clinic: Clinic, *seconds: int) -> None:
    clinic.kubectl("apply", "-f", "-", stdin=_clocks(*seconds))
