"""What Kubernetes shows after the controller's effects: enough of it to plan again and again."""

from collections.abc import Iterable
from dataclasses import replace

from bareway.decide.allocate import AllocationView, allocate
from bareway.model.names import ServiceKey
from bareway.model.services import ALLOCATED_FROM_ANNOTATION, Service
from bareway.resources.in_force import InForce
from bareway.resources.status import WRITTEN_PREFIX
from controller.acceptance import Acceptance
from controller.effects import ClearIngress, CreateKey, Effect, Emit, SetIngress, WriteConfiguration
from controller.notices import standing
from controller.plan import Desired, Shown


def decided(in_force: InForce, shown: Shown) -> Desired:
    """What should be, for what is shown."""
    view = AllocationView(configuration=in_force.configuration, services=shown.services.values())
    allocation = allocate(view)
    notices = standing(Acceptance(in_force=in_force), allocation, shown.services)
    return Desired(in_force=in_force, allocation=allocation, notices=notices)


def after(shown: Shown, effects: Iterable[Effect]) -> Shown:
    """What is shown once the effects are done."""
    for effect in effects:
        shown = _after(shown, effect)
    return shown


def _after(shown: Shown, effect: Effect) -> Shown:
    match effect:
        case Emit(about=about, notice=notice):
            return replace(shown, told={**shown.told, about: notice})
        case SetIngress(service=service, addresses=addresses, pool=pool):
            annotations = {**service.annotations, WRITTEN_PREFIX + ALLOCATED_FROM_ANNOTATION: pool}
            return _with(shown, replace(service, ingress=addresses, annotations=annotations))
        case ClearIngress(service=service):
            kept = {
                key: text
                for key, text in service.annotations.items()
                if not key.endswith(ALLOCATED_FROM_ANNOTATION)
            }
            return _with(shown, replace(service, ingress=(), annotations=kept))
        case WriteConfiguration(in_force=in_force):
            version = str(int(shown.configuration_version or "0") + 1)
            return replace(shown, in_force=in_force, configuration_version=version)
        case CreateKey():
            return replace(shown, missing_key=None)


def _with(shown: Shown, service: Service) -> Shown:
    version = str(int(service.resource_version) + 1)
    written: dict[ServiceKey, Service] = {
        **shown.services,
        service.key: replace(service, resource_version=version),
    }
    return replace(shown, services=written)
