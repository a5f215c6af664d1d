"""Node (core/v1): labels, marks, addresses, conditions; images and capacity, most of its bytes, are skipped.

Of taints the keys alone count, of conditions NetworkUnavailable, Ready and a shutdown, of annotations the
operator's drain mark.
"""

import sys
from typing import Final

from msgspec import Struct

from bareway.model.names import NodeName
from bareway.model.nodes import DRAIN_ANNOTATION, Node
from bareway.model.problems import Problem
from bareway.resources.fields import NOTHING, WireObject, interned, read_address


class _Taint(Struct, frozen=True, gc=False):
    key: str = ""


class _Spec(Struct, frozen=True, gc=False):
    taints: list[_Taint] | None = None
    unschedulable: bool | None = None


class _Address(Struct, frozen=True, gc=False):
    type: str = ""
    address: str = ""


class _Condition(Struct, frozen=True, gc=False):
    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""


class _Status(Struct, frozen=True, gc=False):
    addresses: list[_Address] | None = None
    conditions: list[_Condition] | None = None


class WireNode(WireObject, frozen=True, gc=False):
    """The fields of a Node that we use, as they come."""

    spec: _Spec | None = None
    status: _Status | None = None


SHUTTING_DOWN: Final = "node is shutting down"
"""The kubelet's words in the condition Ready; it has no other mark for that."""


def read_node(wire: WireNode) -> Node | list[Problem]:
    """Turn one Node into the model, or name every mistake in it."""
    problems: list[Problem] = []
    spec = wire.spec or _Spec()
    status = wire.status or _Status()
    addresses = (
        read_address(address.address, f"status.addresses[{index}].address", problems)
        for index, address in enumerate(status.addresses or ())
        if address.type == "InternalIP"
    )
    node = Node(
        name=NodeName(wire.key.name),
        labels=interned(wire.metadata.labels),
        addresses=tuple(address for address in addresses if address is not None),
        network_unavailable=any(
            condition.type == "NetworkUnavailable" and condition.status == "True"
            for condition in status.conditions or ()
        ),
        drain=(wire.metadata.annotations or NOTHING).get(DRAIN_ANNOTATION),
        taints=tuple(sorted({sys.intern(taint.key) for taint in spec.taints or ()})),
        unschedulable=bool(spec.unschedulable),
        is_ready=all(
            condition.status == "True" for condition in status.conditions or () if condition.type == "Ready"
        ),
        is_shutting_down=any(_says_shutting_down(condition) for condition in status.conditions or ()),
    )
    return problems or node


def _says_shutting_down(condition: _Condition) -> bool:
    said = f"{condition.reason} {condition.message}"
    return condition.type == "Ready" and condition.status == "False" and SHUTTING_DOWN in said
