"""The two API servers that a site can have, behind one shape: embedded, or Kubernetes' own."""

import sys
from pathlib import Path
from typing import Protocol

from cluster.build import CannotBuild
from cluster.control_plane import ControlPlane, NotReady
from lab.commands import CannotTry, LabError
from lab.machine import Machine
from lab.process import Process
from lab.site import Site
from lab.stations import start_module

PORT = 6443
READY_WITHIN_S = 20.0
"""The embedded server needs less than a second; a loaded machine with cold caches some more."""


class Api(Protocol):
    """What a system needs of an API server."""

    name: str
    kubeconfig: Path

    def speaker(self) -> tuple[str, ...]:
        """The command of a speaker that knows this server."""

    def start(self) -> None:
        """Serve; return when it answers."""

    def kill(self) -> None:
        """Gone without a word, and its address silent or refusing."""

    def attach(self, node: Machine) -> None:
        """Lead Services' addresses to their endpoints on this node, as kube-proxy does."""


class EmbeddedApi:
    """The server of ``tests/apiserver`` as a process of its own; a small proxy stands for kube-proxy."""

    name = "an embedded API server"

    def __init__(self, site: Site) -> None:
        self._machine = site.api
        self.kubeconfig = site.lab.logs / "kubeconfig"
        self._process: Process | None = None

    @property
    def url(self) -> str:
        return f"http://{self._machine.address}:{PORT}"

    def speaker(self) -> tuple[str, ...]:
        return (sys.executable, "-m", "lab.tools.pod", self.url)

    def start(self) -> None:
        listen = ("--listen", f"{self._machine.address}:{PORT}", "--kubeconfig-out", str(self.kubeconfig))
        self._process = start_module(self._machine, "apiserver", *listen)
        self._process.wait_for_output(f":{PORT}", within_s=READY_WITHIN_S)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()

    def attach(self, node: Machine) -> None:
        start_module(node, "lab.proxy", self.url, "--node", node.name)


class RealApi:
    """kube-apiserver with etcd and controller manager, and kube-proxy on each node (``tests/cluster``)."""

    name = "a real kube-apiserver"

    def __init__(self, site: Site) -> None:
        machine = site.api
        directory = site.lab.logs / "control-plane"
        try:
            self._plane = ControlPlane(directory, address=machine.address, netns=machine.namespace)
        except CannotBuild as failure:
            raise CannotTry(str(failure)) from failure
        site.lab.at_end(self._plane.stop)
        self.kubeconfig = self._plane.kubeconfig

    def speaker(self) -> tuple[str, ...]:
        return (str(program("bareway-speaker")), "--kubeconfig", str(self.kubeconfig))

    def start(self) -> None:
        try:
            self._plane.start()
        except NotReady as late:
            raise LabError(str(late)) from late

    def kill(self) -> None:
        self._plane.api_server.kill()

    def restart(self) -> None:
        """After ``kill``: it comes back with all that is in etcd, and no memory of its watchers."""
        self._plane.api_server.start()
        self._plane.wait_ready()

    def attach(self, node: Machine) -> None:
        self._plane.kube_proxy(node=node.name, netns=node.namespace)


def program(name: str) -> Path:
    """A console script of this environment."""
    return Path(sys.executable).with_name(name)
