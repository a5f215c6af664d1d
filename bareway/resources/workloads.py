"""DaemonSet and Deployment (apps/v1), and Pods of others: who they are and how their programs are called."""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct

from bareway.model.surroundings import Workload
from bareway.resources.fields import NOTHING, WireObject
from bareway.resources.kinds import Kind


class _Variable(Struct, frozen=True, gc=False):
    name: str = ""
    value: str | None = None


class _Container(Struct, frozen=True, gc=False):
    command: list[str] | None = None
    args: list[str] | None = None
    env: list[_Variable] | None = None


class _PodSpec(Struct, frozen=True, gc=False):
    containers: list[_Container] | None = None


class _Template(Struct, frozen=True, gc=False):
    spec: _PodSpec | None = None


class _Spec(Struct, frozen=True, gc=False):
    replicas: int | None = None
    template: _Template | None = None
    containers: list[_Container] | None = None
    """Of a Pod itself."""


class WireWorkload(WireObject, frozen=True, gc=False):
    """The fields that we use, as they come."""

    spec: _Spec | None = None


def _reader(kind: str) -> Kind[Workload]:
    def read(wire: WireWorkload) -> Workload:
        spec = wire.spec or _Spec()
        inner = (spec.template or _Template()).spec or _PodSpec()
        containers = [*(spec.containers or ()), *(inner.containers or ())]
        return Workload(
            kind=kind,
            key=wire.key,
            labels=dict(wire.metadata.labels or NOTHING),
            arguments=tuple(_arguments(containers)),
            environment=_environment(containers),
            is_idle=spec.replicas == 0,
        )

    plural, group = (f"{kind.casefold()}s", "" if kind == "Pod" else "apps")
    return Kind(kind, plural, WireWorkload, read, group=group, page_size=PAGE)


def _arguments(containers: Iterable[_Container]) -> Iterable[str]:
    for one in containers:
        yield from one.command or ()
        yield from one.args or ()


def _environment(containers: Iterable[_Container]) -> Mapping[str, str]:
    return {each.name: each.value for one in containers for each in one.env or () if each.value is not None}


PAGE: Final = 100
DAEMON_SETS: Final = _reader("DaemonSet")
DEPLOYMENTS: Final = _reader("Deployment")
ANY_PODS: Final = _reader("Pod")
