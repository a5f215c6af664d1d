"""Which workloads belong to another load balancer: by the labels and names that their manifests give them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from bareway.model.arguments import LOAD_BALANCER_CLASS, value_of
from bareway.model.surroundings import ForeignController, Workload

METALLB: Final = "MetalLB"
METALLB_LABELS: Final = (("app", "metallb"), ("app.kubernetes.io/name", "metallb"))
"""Those of its manifests and of its chart."""
TRUE: Final = frozenset({"true", "1", "yes"})


def _is_never(_: Workload) -> bool:
    return False


def _first_class(_: Workload) -> str | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """How one is recognised."""

    name: str
    labels: tuple[tuple[str, str], ...] = ()
    """Any of them; an empty value stands for any."""
    is_named: Callable[[Workload], bool] = _is_never
    serves: Callable[[Workload], bool] = lambda _: True
    """Whether it gives addresses to Services at all, as it was started."""
    class_of: Callable[[Workload], str | None] = _first_class
    remedy: str = ""


def _class_by_flag(workload: Workload) -> str | None:
    return value_of(workload.arguments, LOAD_BALANCER_CLASS) or None


def _kube_vip_class(workload: Workload) -> str | None:
    environment = workload.environment
    if environment.get("lb_class_only", "").casefold() not in TRUE:
        return None
    return environment.get("lb_class_name") or "kube-vip.io/kube-vip-class"


PRODUCTS: Final = (
    Product(
        name=METALLB,
        labels=METALLB_LABELS,
        class_of=_class_by_flag,
        remedy="Take over from it as docs/migrate-from-metallb.md says, or give one of the two a class of"
        " its own"
        " (--lb-class).",
    ),
    Product(
        name="kube-vip",
        labels=(("app.kubernetes.io/name", "kube-vip-ds"), ("name", "kube-vip-ds")),
        is_named=lambda one: one.kind == "Pod" and one.key.name.startswith("kube-vip-"),
        serves=lambda one: one.environment.get("svc_enable", "").casefold() in TRUE,
        class_of=_kube_vip_class,
        remedy="Start kube-vip with svc_enable=false: it then keeps the control plane's address only.",
    ),
    Product(
        name="kube-vip cloud provider",
        is_named=lambda one: one.key.name == "kube-vip-cloud-provider",
    ),
    Product(
        name="OpenELB",
        labels=(
            ("app", "openelb-manager"),
            ("app", "openelb-speaker"),
            ("control-plane", "openelb-manager"),
            ("app.kubernetes.io/name", "openelb"),
        ),
    ),
    Product(
        name="PureLB",
        labels=(
            ("app", "purelb"),
            ("app.kubernetes.io/name", "purelb"),
            ("app.kubernetes.io/part-of", "purelb"),
        ),
    ),
    Product(
        name="ServiceLB of k3s",
        labels=(("svccontroller.k3s.cattle.io/svcname", ""),),
        is_named=lambda one: one.kind == "DaemonSet" and one.key.name.startswith("svclb-"),
        remedy="Start all k3s servers with --disable=servicelb; the Pods svclb-… then go by themselves.",
    ),
)


def recognised(workloads: Iterable[Workload], own_namespace: str) -> tuple[ForeignController, ...]:
    """Those of other load balancers, and of another Bareway than the one in ``own_namespace``."""
    found = [one for workload in workloads if not workload.is_idle for one in _of(workload, own_namespace)]
    return tuple(sorted(found, key=lambda one: (one.product, one.kind, one.key)))


def _of(workload: Workload, own_namespace: str) -> Iterator[ForeignController]:
    for product in PRODUCTS:
        if _is_one(product, workload) and product.serves(workload):
            yield ForeignController(
                product=product.name,
                kind=workload.kind,
                key=workload.key,
                load_balancer_class=product.class_of(workload),
                remedy=product.remedy,
            )
    if workload.labels.get("app") == "bareway" and workload.key.namespace != own_namespace:
        yield ForeignController(
            product=f"Bareway in namespace {workload.key.namespace}",
            kind=workload.kind,
            key=workload.key,
            load_balancer_class=_class_by_flag(workload),
        )


def _is_one(product: Product, workload: Workload) -> bool:
    return product.is_named(workload) or any(_has(workload.labels, *label) for label in product.labels)


def _has(labels: Mapping[str, str], name: str, value: str) -> bool:
    return name in labels and (not value or labels[name] == value)
