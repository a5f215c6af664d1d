"""Pod (core/v1): our own, as far as they tell whether a program runs, where, and what it was told."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from bareway.model.names import NodeName
from bareway.model.problems import Problem
from bareway.resources.fields import NOTHING, WireObject

if TYPE_CHECKING:
    from bareway.model.cluster import PodState

SELECTOR: Final = "app=bareway"
"""Of all our Pods."""
COMPONENT: Final = "component"
"""The label that tells a controller from a speaker; its program's container has that name too."""


class _Container(Struct, frozen=True, gc=False):
    name: str = ""
    image: str = ""
    command: list[str] | None = None
    args: list[str] | None = None


class _Spec(Struct, frozen=True, gc=False, rename="camel"):
    node_name: str | None = None
    containers: list[_Container] | None = None


class _Because(Struct, frozen=True, gc=False):
    reason: str = ""


class _State(Struct, frozen=True, gc=False):
    waiting: _Because | None = None
    running: _Because | None = None
    terminated: _Because | None = None


class _ContainerStatus(Struct, frozen=True, gc=False, rename="camel"):
    name: str = ""
    restart_count: int = 0
    state: _State | None = None


class _Condition(Struct, frozen=True, gc=False):
    type: str = ""
    status: str = ""
    reason: str | None = None


class _Status(Struct, frozen=True, gc=False, rename="camel"):
    phase: str = ""
    reason: str | None = None
    conditions: list[_Condition] | None = None
    container_statuses: list[_ContainerStatus] | None = None


class WirePod(WireObject, frozen=True, gc=False):
    """The fields of a Pod that we use, as they come."""

    spec: _Spec | None = None
    status: _Status | None = None


def read_pod(wire: WirePod) -> "PodState | list[Problem]":
    """Turn one Pod of ours into the model."""
    from bareway.model.cluster import PodState  # noqa: PLC0415 - all statuses, for those who read Pods

    spec, status = wire.spec or _Spec(), wire.status or _Status()
    component = (wire.metadata.labels or NOTHING).get(COMPONENT, "")
    container = _named(component, spec.containers or ())
    told = next((one for one in status.container_statuses or () if one.name == container.name), None)
    state = (told.state if told else None) or _State()
    ready = next((one for one in status.conditions or () if one.type == "Ready"), _Condition())
    return PodState(
        name=wire.key.name,
        component=component,
        node=NodeName(spec.node_name) if spec.node_name else None,
        ready=ready.status == "True",
        reason="" if ready.status == "True" else _why_not(state, status, ready),
        restarts=told.restart_count if told else 0,
        version=_tag(container.image),
        running=state.running is not None,
        arguments=(*(container.command or ()), *(container.args or ())),
    )


def _named(component: str, containers: Sequence[_Container]) -> _Container:
    named = (one for one in containers if one.name == component)
    return next(named, containers[0] if containers else _Container())


def _why_not(state: _State, status: _Status, ready: _Condition) -> str:
    """The closest word to the cause: what the container says, then what the Pod does."""
    for because in (state.waiting, state.terminated):
        if because is not None and because.reason:
            return because.reason
    if state.running is not None:
        return status.reason or ""  # its program says itself what it lacks
    return status.reason or ready.reason or status.phase or "Unknown"


def _tag(image: str) -> str:
    """``0.1.0`` of ``registry:5000/bareway:0.1.0@sha256:…``."""
    name = image.partition("@")[0].rpartition("/")[2]
    return name.partition(":")[2]
