"""The control plane of the ring: the tests' own, with a scheduler, every controller, and nodes as users.

Failures are noticed five times sooner than Kubernetes does by default, so that a story fits into minutes.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cluster import audit
from cluster.control_plane import GROUPS, ControlPlane

SCHEDULER: Final = "system:kube-scheduler"
UNHEARD_S: Final = 10  # Kubernetes' default is 50: then the node is NotReady
TOLERATED_S: Final = 5  # Kubernetes' default is 300: then its Pods are made anew elsewhere

API_SERVER_FLAGS: Final = (
    "--allow-privileged=true",
    "--enable-admission-plugins=NodeRestriction",
    "--kubelet-preferred-address-types=InternalIP",
    f"--default-not-ready-toleration-seconds={TOLERATED_S}",
    f"--default-unreachable-toleration-seconds={TOLERATED_S}",
)
MANAGER_FLAGS: Final = (
    "--allocate-node-cidrs=false",  # the nodes' CNI configuration says it
    "--node-monitor-period=1s",
    f"--node-monitor-grace-period={UNHEARD_S}s",
)


class WholePlane(ControlPlane):
    """etcd, kube-apiserver, kube-controller-manager and kube-scheduler."""

    def __init__(self, directory: Path, *, address: str, netns: str, nodes: Sequence[str]) -> None:
        nodes_as_users = {user_of(node): "system:nodes" for node in nodes}
        super().__init__(
            directory,
            address=address,
            netns=netns,
            controllers=("*",),
            flags=(*API_SERVER_FLAGS, *audit.flags(directory)),
            manager_flags=MANAGER_FLAGS,
            users={**GROUPS, SCHEDULER: "", **nodes_as_users},
        )
        self.scheduler = self._daemon("kube-scheduler", self._scheduler_flags())

    def start(self) -> None:
        super().start()
        self.scheduler.start()

    def stop(self) -> None:
        self.scheduler.kill()
        super().stop()

    def revive_api_server(self) -> None:
        """Start it after it was killed, and what else has asked for it in vain.

        Kubernetes' own clients look again after up to 30 s only, and no story of ours is about them.
        """
        self.api_server.start()
        self.wait_ready()
        for waiting in (self.manager, self.scheduler):
            waiting.kill()
            waiting.start()

    @property
    def binary(self) -> Path:
        """The program that all daemons are, those of the nodes too."""
        return self._binary

    def _scheduler_flags(self) -> list[str]:
        own = self.kubeconfig_of(SCHEDULER)
        return [
            f"--kubeconfig={own}",
            f"--authentication-kubeconfig={own}",
            f"--authorization-kubeconfig={own}",
            "--authentication-skip-lookup=true",
            f"--cert-dir={self.directory / 'scheduler-certs'}",
            "--bind-address=127.0.0.1",
            "--leader-elect=false",
        ]


def user_of(node: str) -> str:
    """As whom a kubelet speaks to the API server; it may change its own Node and Pods only."""
    return f"system:node:{node}"
