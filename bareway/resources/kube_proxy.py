"""How kube-proxy was told to work: its configuration file, its own flags, or those of k3s and RKE2.

The file is KubeProxyConfiguration (kubeproxy.config.k8s.io/v1alpha1); of it ``mode`` and ``ipvs.strictARP``
are read, as text. What cannot be read is no answer, not a mistake of anybody.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec
from msgspec import Struct

from bareway.model.arguments import is_on, value_of, values_of
from bareway.model.names import NodeName
from bareway.model.surroundings import KubeProxy, Workload
from bareway.resources.document import Fields, Text, Tree, read_document
from bareway.resources.fields import NOTHING, WireObject
from bareway.resources.kinds import Kind

FILES: Final = ("config.conf", "config")
"""Data keys: kubeadm's, EKS'."""
SIZE_MAX: Final = 64 * 1024  # characters; kubeadm's document has 1,500
VALUES_MAX: Final = 2_000
TRUE: Final = frozenset({"true", "yes", "on", "True", "TRUE"})
MODE_FLAG, STRICT_FLAG = "proxy-mode", "ipvs-strict-arp"
NODE_ARGUMENTS: Final = ("k3s.io/node-args", "rke2.io/node-args")
THROUGH: Final = "kube-proxy-arg"
"""Flag of k3s whose values are kube-proxy's own flags, without dashes."""


def from_config_map(source: str, data: Mapping[str, str]) -> KubeProxy | None:
    """What the ConfigMap says; None where it holds no such document."""
    text = next((data[key] for key in FILES if key in data), None)
    if text is None:
        return None
    tree = read_document(text, size_max=SIZE_MAX, values_max=VALUES_MAX).tree
    if not isinstance(tree, Fields):
        return None
    strict = _text(_field(_field(tree, "ipvs"), "strictARP"))
    return KubeProxy(source=source, mode=_text(_field(tree, "mode")), strict_arp=strict in TRUE)


def from_workload(workload: Workload) -> KubeProxy | None:
    """What flags of its DaemonSet or Pod say; None where they say nothing of the mode."""
    mode = value_of(workload.arguments, MODE_FLAG)
    if not mode:
        return None
    return KubeProxy(
        source=f"{workload.kind} {workload.key}",
        mode=mode,
        strict_arp=is_on(workload.arguments, STRICT_FLAG),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeWords:
    """Of a Node what the model of it leaves out."""

    name: NodeName
    is_ready: bool
    kube_proxy: KubeProxy | None
    """As k3s or RKE2 starts it there."""


class _Condition(Struct, frozen=True, gc=False):
    type: str = ""
    status: str = ""


class _Status(Struct, frozen=True, gc=False):
    conditions: list[_Condition] | None = None


class _WireNode(WireObject, frozen=True, gc=False):
    status: _Status | None = None


def _read_node(wire: _WireNode) -> NodeWords:
    conditions = (wire.status or _Status()).conditions or ()
    annotations = wire.metadata.annotations or NOTHING
    text = next((annotations[name] for name in NODE_ARGUMENTS if name in annotations), "")
    return NodeWords(
        name=NodeName(wire.key.name),
        is_ready=any(one.type == "Ready" and one.status == "True" for one in conditions),
        kube_proxy=from_node_arguments(f"node {wire.key.name}", text),
    )


NODE_WORDS: Final[Kind[NodeWords]] = Kind(
    "Node", "nodes", _WireNode, _read_node, namespaced=False, page_size=100
)


def from_node_arguments(source: str, text: str) -> KubeProxy | None:
    """What the annotation with k3s' command line says: a JSON list; None where it says nothing."""
    try:
        words: list[str] = msgspec.json.decode(text, type=list[str]) if text else []
    except msgspec.MsgspecError:
        return None
    flags = [f"--{value}" for value in values_of(words, THROUGH)]
    mode = value_of(flags, MODE_FLAG)
    if not mode:
        return None
    return KubeProxy(source=source, mode=mode, strict_arp=is_on(flags, STRICT_FLAG))


def _field(tree: Tree | None, key: str) -> Tree | None:
    if not isinstance(tree, Fields):
        return None
    return next((entry.value for entry in tree.entries if entry.key == key), None)


def _text(tree: Tree | None) -> str:
    return tree.value if isinstance(tree, Text) else ""
