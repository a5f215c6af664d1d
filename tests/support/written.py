"""What Kubernetes shows after the controller's effects: enough of it to plan again and again."""

from collections.abc import Iterable
from dataclasses import replace

from bareway.decide.allocation.allocate import AllocationView, allocate
from bareway.decide.allocation.remember import remember
from bareway.model.names import ServiceKey
from bareway.model.services import ALLOCATED_FROM_ANNOTATION, Condition, Service
from bareway.resources.in_force import InForce
from bareway.resources.status import WRITTEN_PREFIX
from controller.allocation.acceptance import Acceptance
from controller.allocation.state import as_shown
from controller.writing.effects import (
    ClearIngress,
    Confirm,
    CreateKey,
    Effect,
    Emit,
    ServiceWrite,
    SetCondition,
    SetIngress,
    WriteConfiguration,
    WriteShard,
    WriteState,
)
from controller.writing.notices import standing
from controller.writing.plan import Desired, Shown, who_shows


def showing(*services: Service, in_force: InForce | None = None) -> Shown:
    """A cluster with these Services, and with nothing remembered."""
    return Shown(
        services={one.key: one for one in services},
        shown_by=who_shows(services),
        configuration_version="7" if in_force else "",
        in_force=in_force,
    )


def decided(in_force: InForce, shown: Shown, *, now: int = 0) -> Desired:
    """What should be, for what is shown, as a controller says that was started this moment."""
    configuration = in_force.configuration
    view = AllocationView(
        configuration=configuration, services=shown.services.values(), memory=shown.memory, now=now
    )
    allocation = allocate(view)
    return Desired(
        in_force=in_force,
        allocation=allocation,
        memory=remember(
            shown.memory,
            allocation=as_shown(allocation, shown.services),
            configuration=configuration,
            now=now,
        ),
        is_memory_due=True,
        notices=standing(Acceptance(in_force=in_force), {}),
        now=now,
    )


def assigned(service: Service, pool: str = "a", *, reason: str = "Assigned", remark: str = "") -> Service:
    """The Service as it is when what it shows was written by us."""
    quoted = " ".join(f'"{address}"' for address in service.ingress)
    message = f"assigned [{quoted}] from pool {pool}{remark}"
    condition = Condition(is_true=True, reason=reason, message=message, since="1970-01-01T00:00:00Z")
    annotations = {**service.annotations, WRITTEN_PREFIX + ALLOCATED_FROM_ANNOTATION: pool}
    return replace(service, annotations=annotations, condition=condition)


def after(shown: Shown, effects: Iterable[Effect]) -> Shown:
    """What is shown once the effects are done."""
    for effect in effects:
        shown = _after(shown, effect)
    return shown


def _after(shown: Shown, effect: Effect) -> Shown:
    match effect:
        case SetIngress() | ClearIngress() | SetCondition():
            return _with(shown, _written(effect))
        case Emit(about=about, notice=notice):
            return replace(shown, told={**shown.told, about: notice})
        case WriteConfiguration(in_force=in_force):
            version = str(int(shown.configuration_version or "0") + 1)
            return replace(shown, in_force=in_force, configuration_version=version)
        case WriteState(memory=memory):
            version = str(int(shown.state_version or "0") + 1)
            return replace(shown, memory=memory, state_version=version)
        case WriteShard() | Confirm():
            return shown  # lists are none of the plan's business, and the other only says something
        case CreateKey():
            return replace(shown, missing_key=None)


def _written(write: ServiceWrite) -> Service:
    service = write.service
    match write:
        case SetIngress(addresses=addresses, pool=pool, condition=condition):
            annotations = {**service.annotations, WRITTEN_PREFIX + ALLOCATED_FROM_ANNOTATION: pool}
            return replace(service, ingress=addresses, annotations=annotations, condition=condition)
        case ClearIngress(condition=told):
            kept = {
                key: text
                for key, text in service.annotations.items()
                if not key.endswith(ALLOCATED_FROM_ANNOTATION)
            }
            return replace(service, ingress=(), annotations=kept, condition=told)
        case SetCondition(condition=told):
            return replace(service, condition=told)


def _with(shown: Shown, service: Service) -> Shown:
    version = str(int(service.resource_version) + 1)
    written: dict[ServiceKey, Service] = {
        **shown.services,
        service.key: replace(service, resource_version=version),
    }
    return replace(shown, services=written, shown_by=who_shows(written.values()))
