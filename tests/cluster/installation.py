"""Bareway on a ring, installed as ``manifests/README.md`` tells a user to, and used as its example does."""

import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import msgspec

from cluster import image, web_image
from cluster.lan import NETWORKS
from cluster.node import Node
from cluster.whole_cluster import Ring
from lab.commands import LabError
from lab.system import Page
from lab.waiting import wait_for

MANIFESTS: Final = Path(__file__).resolve().parents[2] / "manifests"
CONFIGURATION: Final = MANIFESTS / "examples" / "configuration.yaml"
EXAMPLE: Final = MANIFESTS / "examples" / "service.yaml"
SYSTEM: Final = "bareway-system"
SPEAKERS: Final = "daemonset/bareway-speaker"
CONTROLLER: Final = "deployment/bareway-controller"

ROLLED_WITHIN_S: Final = 180.0
"""Each speaker has to be ready for 10 s before the next one is replaced."""
SETTLED_WITHIN_S: Final = 60.0
GONE_WITHIN_S: Final = 90.0


class Pod(msgspec.Struct):
    """A Pod as the story needs it."""

    name: str
    node: str
    is_ready: bool


class Installation:
    """Commands that an operator types, and what to wait for after them."""

    def __init__(self, ring: Ring) -> None:
        self.ring = ring
        self.kubectl = ring.kubectl

    # -- the README's steps

    def load_images(self) -> None:
        """Build Bareway's image and the example's, and load both on every node."""
        with tempfile.TemporaryDirectory(prefix="bareway-ring-images-") as directory:
            own = image.build(Path(directory) / "bareway.tar")
            self.ring.load(own.path)
            python = [layer for layer in own.layers if layer.path.exists()]  # its own code is not needed
            self.ring.load(web_image.build(EXAMPLE, python, Path(directory) / "web.tar").path)

    def install(self) -> None:
        self.kubectl("apply", "-k", str(MANIFESTS))
        # The one thing that the README lets a user change: the range, to free addresses of his network.
        configuration = CONFIGURATION.read_text().replace(f"{NETWORKS[0]}.", f"{self.ring.lan.network}.")
        self.kubectl("apply", "-f", "-", stdin=configuration)

    def publish(self) -> str:
        """Apply the example; returns the address of its Service."""
        self.kubectl("apply", "-f", str(EXAMPLE))
        path = "jsonpath={.status.loadBalancer.ingress[0].ip}"

        def address() -> str:
            return self.kubectl("get", "service", "web", "-o", path)

        return wait_for(address, what="the Service's address", within_s=SETTLED_WITHIN_S, poll_s=0.2)

    def remove(self) -> None:
        self.kubectl("delete", "-f", str(EXAMPLE), timeout_s=GONE_WITHIN_S)
        self.kubectl("delete", "-k", str(MANIFESTS), timeout_s=GONE_WITHIN_S)

    # -- states to wait for

    def settle(self) -> None:
        """Return when all is well: nodes ready, every program ready, every speaker knows all others."""
        self.ring.await_nodes(*self.ring.nodes)
        names = {node.name for node in self.ring.nodes}

        def ready() -> bool:
            pods = self.pods("app=bareway")
            return len(pods) == len(names) + 1 and all(pod.is_ready for pod in pods)

        def acquainted() -> bool:
            speakers = [pod.name for pod in self.pods("component=speaker")]
            with ThreadPoolExecutor(max_workers=len(names)) as pool:
                return all(alive == names for alive in pool.map(self.alive_at, speakers))

        wait_for(ready, what="a controller and all speakers to be ready", within_s=SETTLED_WITHIN_S)
        wait_for(acquainted, what="all speakers to know each other", within_s=SETTLED_WITHIN_S)

    def roll(self, *workloads: str) -> None:
        """Replace their Pods as an upgrade does; return when that is complete."""
        self.kubectl("-n", SYSTEM, "rollout", "restart", *workloads)
        for workload in workloads:
            limit = f"--timeout={ROLLED_WITHIN_S:.0f}s"
            self.kubectl("-n", SYSTEM, "rollout", "status", limit, workload, timeout_s=ROLLED_WITHIN_S)

    def keep_page_away_from(self, node: Node) -> None:
        """Let another node serve the page, so that a fault of this one takes an address away and no page."""
        other = next(each for each in self.ring.nodes if each is not node)
        place = {"nodeSelector": {"kubernetes.io/hostname": other.name}}
        patch = msgspec.json.encode({"spec": {"template": {"spec": place}}}).decode()
        self.kubectl("patch", "deployment", "web", "-p", patch)
        limit = f"--timeout={SETTLED_WITHIN_S:.0f}s"
        self.kubectl("rollout", "status", limit, "deployment/web", timeout_s=SETTLED_WITHIN_S)

        def moved() -> bool:  # the old ones must have left the endpoints, too
            return all(pod.node == other.name for pod in self.pods("app=web", namespace="default"))

        wait_for(moved, what=f"the page to be served from {other.name} only", within_s=SETTLED_WITHIN_S)

    # -- what an operator sees

    def pods(self, label: str, *, namespace: str = SYSTEM) -> list[Pod]:
        columns = "custom-columns=:metadata.name,:spec.nodeName,:status.conditions[?(@.type=='Ready')].status"
        told = self.kubectl("-n", namespace, "get", "pods", "-l", label, "--no-headers", "-o", columns)
        rows = [line.split() for line in told.splitlines() if line.strip()]
        return [Pod(name=name, node=node, is_ready=ready == "True") for name, node, ready in rows]

    def alive_at(self, pod: str) -> set[str]:
        """Whom a speaker holds alive; empty while it cannot be asked."""
        try:
            told = self.kubectl("-n", SYSTEM, "exec", pod, "--", "bareway", "status", "-o", "json")
        except LabError:
            return set()
        return msgspec.json.decode(told, type=Page).speakers[0].alive

    def logs(self, workload: str) -> list[dict[str, object]]:
        """The log of a workload's first Pod, one object a line."""
        lines = self.kubectl("-n", SYSTEM, "logs", workload).splitlines()
        return [msgspec.json.decode(line, type=dict[str, object]) for line in lines]

    def report(self, say: Callable[[str], None] = print) -> None:
        """What somebody who looks for a mistake would ask first."""
        for question in (
            ("get", "nodes,pods,services", "-A", "-o", "wide"),
            ("get", "events", "-A", "--field-selector=type=Warning"),
            ("-n", SYSTEM, "logs", "-l", "app=bareway", "--prefix", "--tail=40"),
        ):
            try:
                say(self.kubectl(*question))
            except LabError as failure:
                say(str(failure))
