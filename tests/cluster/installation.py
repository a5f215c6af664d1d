"""Bareway on a ring, installed as ``manifests/README.md`` tells a user to, and used as its example does."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from cluster import image, readme, web_image
from cluster.image_archive import write_image
from cluster.lan import NETWORKS
from cluster.node import Node
from cluster.whole_cluster import Ring
from lab.commands import LabError
from lab.manifests import documents, endpoint_slice, service
from lab.process import Process
from lab.site import BACKEND_PORT, Backend
from lab.stations import start_module
from lab.system import Page
from lab.waiting import wait_for

MANIFESTS: Final = Path(__file__).resolve().parents[2] / "manifests"
CONFIGURATION: Final = MANIFESTS / "examples" / "configuration.yaml"
EXAMPLE: Final = MANIFESTS / "examples" / "service.yaml"
SYSTEM: Final = "bareway-system"
ALIVE: Final = 'bareway_gossip_members{state="Alive"}'
CONNECTED: Final = "bareway_api_connected 1.0"
METRICS_PORT: Final = 7480  # of the manifests
LASTING: Final = "lasting"
SPEAKERS: Final = "daemonset/bareway-speaker"
CONTROLLER: Final = "deployment/bareway-controller"
CONTROLLERS: Final = 2

ROLLED_WITHIN_S: Final = 180.0
"""Each speaker has to be ready for 10 s before the next one is replaced."""
SETTLED_WITHIN_S: Final = 60.0
GONE_WITHIN_S: Final = 90.0


class Pod(msgspec.Struct):
    """A Pod as the story needs it."""

    name: str
    node: str
    uid: str
    is_ready: bool


class Installation:
    """Commands that an operator types, and what to wait for after them."""

    def __init__(self, ring: Ring) -> None:
        self.ring = ring
        self.kubectl = ring.kubectl
        self._outside: Process | None = None

    # -- the README's steps

    def load_images(self) -> None:
        """Build Bareway's image and the example's, and load both on every node."""
        with tempfile.TemporaryDirectory(prefix="bareway-ring-images-") as directory:
            place = Path(directory)
            (place / "layers").mkdir()
            system, packages, own = image.layers(place / "layers")
            bareway = write_image(image.NAME, (system, packages, own), image.SETTINGS, place / "bareway.tar")
            self.ring.load(bareway.path)
            self.ring.load(web_image.build(EXAMPLE, (system, packages), place / "web.tar").path)

    def install(self) -> None:
        """Word for word."""
        for command in readme.commands("Install"):
            if command[-1] == str(CONFIGURATION):
                # The one thing that the reader is to change: the range, to free addresses of his network.
                text = CONFIGURATION.read_text().replace(f"{NETWORKS[0]}.", f"{self.ring.lan.network}.")
                self.kubectl(*command[:-1], "-", stdin=text)
            else:
                self.kubectl(*command)

    def publish(self) -> str:
        """Apply the example; returns the address of its Service."""
        self.kubectl("apply", "-f", str(EXAMPLE))
        return self.await_address("web")

    def remove(self) -> None:
        """The example, then ours, as the README says."""
        self.kubectl("delete", "-f", str(EXAMPLE), timeout_s=GONE_WITHIN_S)
        for command in readme.commands("Undo"):
            if command[0] == "delete":
                self.kubectl(*command, timeout_s=GONE_WITHIN_S)

    def await_address(self, name: str) -> str:
        """The external address of a Service, once it has one."""
        path = "jsonpath={.status.loadBalancer.ingress[0].ip}"
        what = f"the address of {name}"
        return wait_for(
            lambda: self.kubectl("get", "service", name, "-o", path),
            what=what,
            within_s=SETTLED_WITHIN_S,
            poll_s=0.2,
        )

    def publish_lasting(self) -> str:
        """A Service whose page comes from beside the nodes, whatever happens to them; returns its address."""
        objects = documents(service(LASTING), endpoint_slice(LASTING, [self.outside()]))
        self.kubectl("apply", "-f", "-", stdin=objects)
        return self.await_address(LASTING)

    def outside(self) -> Backend:
        """A backend beside the nodes; it runs from the first time on that somebody wants it."""
        server = self.ring.lan.api
        backend = Backend(address=server.address, port=BACKEND_PORT, page="Hello from outside.")
        if self._outside is None:
            words = (backend.address, str(backend.port), backend.page)
            self._outside = start_module(server, "lab.tools.backend", *words)
            self._outside.wait_for_output("serving")
        return backend

    # -- states to wait for

    def settle(self) -> None:
        """Return when all is well: nodes ready, every program ready, every speaker knows all others."""
        self.ring.await_nodes(*self.ring.nodes)
        names = {node.name for node in self.ring.nodes}

        def ready() -> bool:
            pods = self.pods("app=bareway")
            return len(pods) == len(names) + CONTROLLERS and all(pod.is_ready for pod in pods)

        def acquainted() -> bool:
            pages = [self._metrics(node) for node in self.ring.nodes]
            return all(CONNECTED in page and f"{ALIVE} {len(names):.1f}" in page for page in pages)

        wait_for(ready, what="the controllers and all speakers to be ready", within_s=SETTLED_WITHIN_S)
        wait_for(acquainted, what="all speakers to know each other", within_s=SETTLED_WITHIN_S)

    def _metrics(self, node: Node) -> list[str]:
        url = f"http://{node.machine.host.address}:{METRICS_PORT}/metrics"
        return self.ring.lan.api.run("curl", "-s", "--max-time", "2", url, accept=range(100)).splitlines()

    def roll(self) -> None:
        """Replace every Pod, then do what the README says for an upgrade: that ends when all are replaced.

        All have to be available before: Kubernetes replaces the others at once, however many.
        """
        for workload in (SPEAKERS, CONTROLLER):
            self.kubectl("-n", SYSTEM, "rollout", "status", workload, timeout_s=ROLLED_WITHIN_S)
        self.kubectl("-n", SYSTEM, "rollout", "restart", SPEAKERS, CONTROLLER)
        for command in readme.commands("Upgrade"):
            self.kubectl(*command, timeout_s=ROLLED_WITHIN_S)

    def replace(self, pod: Pod) -> None:
        """Delete a Pod; return when it is gone and another one is there."""
        before = {each.name for each in self.pods("app=bareway")}
        self.kubectl("-n", SYSTEM, "delete", "pod", pod.name, timeout_s=GONE_WITHIN_S)

        def replaced() -> bool:
            return bool({each.name for each in self.pods("app=bareway")} - before)

        wait_for(replaced, what=f"a Pod in place of {pod.name}", within_s=SETTLED_WITHIN_S, poll_s=0.2)

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
        columns = (
            "custom-columns=:metadata.name,:spec.nodeName,:metadata.uid,"
            ":status.conditions[?(@.type=='Ready')].status"
        )
        told = self.kubectl("-n", namespace, "get", "pods", "-l", label, "--no-headers", "-o", columns)
        rows = [line.split() for line in told.splitlines() if line.strip()]
        return [
            Pod(name=name, node=node, uid=uid, is_ready=ready == "True") for name, node, uid, ready in rows
        ]

    def pod_on(self, node: Node) -> Pod:
        """The speaker of a node."""
        (pod,) = (each for each in self.pods("component=speaker") if each.node == node.name)
        return pod

    def alive_at(self, pod: str) -> set[str]:
        """Whom a speaker holds alive; empty while it cannot be asked, or has no connection to the API."""
        try:
            told = msgspec.json.decode(self.status(f"pod/{pod}", "-o", "json"), type=Page)
        except (LabError, msgspec.MsgspecError):
            return set()
        return told.speakers[0].alive if told.speakers and told.speakers[0].api_connected else set()

    def status(self, workload: str = SPEAKERS, *flags: str) -> str:
        """What ``bareway status`` says in one of its Pods, whether or not something is wrong."""
        asked = ("exec", workload, "--", "bareway", "status", *flags)
        return self.kubectl("-n", SYSTEM, *asked, accept=(0, 1))

    def logs(self, workload: str, *flags: str) -> list[dict[str, object]]:
        """The log of a workload's first Pod, one object a line."""
        lines = self.kubectl("-n", SYSTEM, "logs", workload, *flags).splitlines()
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
