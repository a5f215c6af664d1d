"""A real cluster on one machine: an API server, a scheduler, and nodes with containerd and kubelet.

    with Lab() as lab:
        ring = Ring(lab)
        ring.start()
        ring.kubectl("get", "nodes")

It lives as long as the lab and leaves nothing: processes die with the driver, however that ends; namespaces
and files go with the lab, or with the next one. For people there is ``python -m cluster.ring``.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Final

from cluster import cgroups, pause_image
from cluster.build import CannotBuild
from cluster.check import what_is_missing
from cluster.control_plane import NotReady
from cluster.lan import NETWORKS, Lan
from cluster.machine import WholeMachine
from cluster.node import PAUSE, Node
from cluster.whole_plane import WholePlane
from lab.apis import program
from lab.commands import COMMAND_TIMEOUT_S, CannotTry, CommandFailed, LabError, run
from lab.network import Lab
from lab.waiting import TimedOut, wait_for

NODES: Final = 3
NODES_READY_WITHIN_S: Final = 90.0  # five seconds on an idle machine


class Ring:
    """Start it, use it; it ends with its lab."""

    def __init__(self, lab: Lab, *, nodes: int = NODES, network: str = NETWORKS[0]) -> None:
        if missing := what_is_missing():
            raise CannotTry("No cluster can run here.\n" + "\n".join(missing))
        cgroups.clean()
        self.lab = lab
        self.lan = Lan(lab, nodes=nodes, network=network)
        api = self.lan.api
        self._cgroup = lab.logs.name
        disks = lab.logs / "disks"
        disks.mkdir()
        # In memory, about a gigabyte: a disk that others use as well makes a story minutes longer.
        run("mount", "-t", "tmpfs", "-o", "mode=700", "disks", str(disks))
        try:
            self.plane = WholePlane(
                lab.logs / "control-plane",
                address=api.address,
                netns=api.namespace,
                nodes=[host.name for host in self.lan.nodes],
            )
        except CannotBuild as failure:
            raise CannotTry(str(failure)) from failure
        self.nodes = [
            Node(
                WholeMachine(host, disks / host.name, cgroup=f"{self._cgroup}/{host.name}"),
                self.plane,
                number=number,
            )
            for number, host in enumerate(self.lan.nodes, start=1)
        ]
        lab.at_end(self._stop)

    # -- its life

    def start(self, say: Callable[[str], None] = lambda sentence: None) -> None:
        """Return when every node is ready."""
        pause = self.lab.logs / "pause.tar"
        pause_image.build(PAUSE, pause)
        for node in self.nodes:  # from this thread: the kernel ends them with the thread that started them
            node.boot()
        say(f"{len(self.nodes)} machines run containerd.")
        try:
            self.plane.start()
        except NotReady as late:
            raise LabError(str(late)) from late
        say("The API server is ready.")
        self._each(lambda node: node.await_containerd())
        self.load(pause)
        for node in self.nodes:
            node.serve()
        self.await_nodes(*self.nodes)

    def await_nodes(self, *nodes: Node, within_s: float = NODES_READY_WITHIN_S) -> None:
        """Return when the API shows these nodes as Ready."""
        names = [f"node/{node.name}" for node in nodes]

        def ready() -> bool:
            try:
                self.kubectl("wait", "--for=condition=Ready", "--timeout=10s", *names)
            except CommandFailed:  # also where one of them is not known at all yet
                return False
            return True

        what = f"{', '.join(names)} to be Ready; see kubelet.log below {self.lab.logs}"
        wait_for(ready, what=what, within_s=within_s, poll_s=0.3)

    def stop_api_server(self) -> None:
        self.plane.api_server.kill()

    def start_api_server(self) -> None:
        """Return when it serves, and nobody on the nodes that run is still sitting out a long pause."""
        self.plane.revive_api_server()
        for node in self.nodes:
            if node.machine.is_on:
                for name in ("kubelet", "kube-proxy"):
                    node.machine.restart_daemon(name)

    def load(self, archive: Path) -> None:
        """Make an image known on every node."""
        self._each(lambda node: node.load(archive))

    # -- its parts

    @property
    def kubeconfig(self) -> Path:
        return self.plane.kubeconfig

    def node(self, name: str) -> Node:
        for node in self.nodes:
            if node.name == name:
                return node
        raise LabError(f"there is no node {name!r}; there are {', '.join(node.name for node in self.nodes)}")

    def kubectl(
        self,
        *arguments: str,
        stdin: str = "",
        timeout_s: float = COMMAND_TIMEOUT_S,
        accept: Sequence[int] = (0,),
    ) -> str:
        """What stock kubectl prints, as administrator."""
        cache = str(self.lab.logs / "kubectl-cache")
        own = (str(program("kubectl")), "--kubeconfig", str(self.kubeconfig), "--cache-dir", cache)
        return self.lan.api.run(*own, *arguments, stdin=stdin, timeout_s=timeout_s, accept=accept)

    # -- its end

    def _stop(self) -> None:
        self.plane.stop()
        for node in self.nodes:
            with suppress(LabError):  # the lab's own end sees what is left
                node.machine.host.kill_all()
        with suppress(TimedOut):
            cgroups.remove(self._cgroup)

    def _each(self, act: Callable[[Node], None]) -> None:
        """Do it on all nodes at the same time; the first failure is raised when all are done."""
        with ThreadPoolExecutor(max_workers=len(self.nodes)) as pool:
            for done in [pool.submit(act, node) for node in self.nodes]:
                done.result()
