"""Pod (core/v1): where it runs; its containers, most of its bytes, are skipped."""

from msgspec import Struct

from bareway.model.names import NodeName
from bareway.model.pods import Pod
from bareway.model.problems import Problem
from bareway.resources.fields import WireObject, read_address

ENDED = frozenset({"Succeeded", "Failed"})
"""Phases after which a Pod does not run again."""


class _Spec(Struct, frozen=True, gc=False, rename="camel"):
    node_name: str = ""


class _HostIp(Struct, frozen=True, gc=False):
    ip: str = ""


class _Status(Struct, frozen=True, gc=False):
    phase: str = ""
    hostIP: str = ""  # noqa: N815 - as the API writes it; camel case by rule would be hostIp
    hostIPs: list[_HostIp] | None = None  # noqa: N815 - since Kubernetes 1.28


class WirePod(WireObject, frozen=True, gc=False):
    """The fields of a Pod that we use, as they come."""

    spec: _Spec | None = None
    status: _Status | None = None


def read_pod(wire: WirePod) -> Pod | list[Problem]:
    """Turn one Pod into the model, or name every mistake in it."""
    problems: list[Problem] = []
    spec = wire.spec or _Spec()
    status = wire.status or _Status()
    if status.hostIPs:
        written = [(f"status.hostIPs[{index}].ip", host.ip) for index, host in enumerate(status.hostIPs)]
    else:
        written = [("status.hostIP", status.hostIP)] if status.hostIP else []
    addresses = [read_address(text, path, problems) for path, text in written]
    pod = Pod(
        key=wire.key,
        node=NodeName(spec.node_name) if spec.node_name else None,
        host_addresses=tuple(address for address in addresses if address is not None),
        is_gone=status.phase in ENDED,
    )
    return problems or pod
