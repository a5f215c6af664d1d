"""A node of the ring: a whole machine with containerd, kubelet and kube-proxy.

Pods of node i have 10.244.i.0/24, routed (CNI ``ptp``); every host on the LAN knows the way. There is no
registry: images are loaded. Left out: IPv6, cluster DNS, TLS towards the kubelet, storage.
"""

import json
from pathlib import Path
from typing import Final

from cluster.machine import WholeMachine
from cluster.whole_plane import WholePlane, user_of
from lab.commands import CommandFailed, LabError, run
from lab.waiting import wait_for

CNI_PROGRAMS: Final = Path("/usr/lib/cni")
CONTAINERD_SOCKET: Final = "/run/containerd/containerd.sock"
PAUSE: Final = "bareway.test/pause:1"
STARTED_WITHIN_S: Final = 60.0  # containerd: a second on an idle machine
LOADED_WITHIN_S: Final = 120.0  # an image of 65 MB: 5 s on an idle machine

CONTAINERD: Final = """\
version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.internal.v1.tracing", "io.containerd.tracing.processor.v1.otlp",
]
[grpc]
  address = "{socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  restrict_oom_score_adj = true  # containers and small machines may not lower it
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{programs}"
    conf_dir = "{networks}"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
"""


def pods_of(number: int) -> str:
    """The addresses of the Pods on node ``number``."""
    return f"10.244.{number}.0/24"


class Node:
    """Boot it, make it a node, load images; faults are the machine's."""

    def __init__(self, machine: WholeMachine, plane: WholePlane, *, number: int) -> None:
        self.machine = machine
        self._plane = plane
        self._number = number

    @property
    def name(self) -> str:
        return self.machine.name

    def boot(self) -> None:
        """Switch on the machine, with containerd."""
        self._write_files()
        self.machine.boot()
        self._start_containerd()

    def power_on(self) -> None:
        """Switch it on again, up to the kubelet; its images and Pods are on its disk."""
        self.machine.power_on()
        self._start_containerd()
        self.serve()

    def load(self, archive: Path) -> None:
        """Make an image known to containerd."""
        self._ctr("--namespace=k8s.io", "images", "import", str(archive), timeout_s=LOADED_WITHIN_S)

    def running(self) -> list[str]:
        """Every container that runs; the kubelet forgets ended ones once a minute only."""
        return self._ctr("--namespace=k8s.io", "tasks", "list", "--quiet").split()

    def await_containerd(self) -> None:
        def answers() -> bool:
            try:
                self._ctr("version")
            except CommandFailed:
                return False
            return True

        what = f"containerd on {self.name} to answer; see {self.machine.log_of('containerd')}"
        wait_for(answers, what=what, within_s=STARTED_WITHIN_S, poll_s=0.1)

    def serve(self) -> None:
        """Become a node: containerd must answer first, else the kubelet gives up and starts anew."""
        self.await_containerd()
        self.machine.set_daemons(self._daemons())

    def stop_daemon(self, name: str) -> None:
        """Kill one of its daemons, and keep it from running."""
        self.machine.stop_daemon(name)

    def start_daemon(self, name: str) -> None:
        """Let it run again."""
        daemons = self._daemons()
        if name not in daemons:
            raise LabError(f"a node runs {', '.join(daemons)}, but not {name!r}")
        self.machine.start_daemon(name, daemons[name])

    def _daemons(self) -> dict[str, list[str]]:
        return {
            "containerd": self._containerd(),
            "kubelet": self._kubelet(),
            "kube-proxy": self._plane.proxy_command(self.name),
        }

    def _start_containerd(self) -> None:
        self.machine.set_daemons({"containerd": self._containerd()})

    def _ctr(self, *words: str, timeout_s: float = STARTED_WITHIN_S) -> str:
        socket = f"/proc/{self.machine.pid}/root{CONTAINERD_SOCKET}"
        return run("ctr", f"--address={socket}", *words, timeout_s=timeout_s)

    def _containerd(self) -> list[str]:
        return ["containerd", f"--config={self._path('containerd.toml')}", "--log-level=warn"]

    def _kubelet(self) -> list[str]:
        return [
            str(self._plane.binary),
            "kubelet",
            f"--config={self._path('kubelet.json')}",
            f"--kubeconfig={self._plane.kubeconfig_of(user_of(self.name))}",
            f"--hostname-override={self.name}",
            f"--node-ip={self.machine.host.address}",
            "--cert-dir=/var/lib/kubelet/pki",
            f"--node-labels=topology.kubernetes.io/zone=zone{self._number}",
        ]

    def _path(self, name: str) -> Path:
        return self.machine.directory / name

    def _write_files(self) -> None:
        networks = self._path("networks")
        networks.mkdir()
        (networks / "10-pods.conflist").write_text(json.dumps(self._network(), indent=1))
        self._path("resolv.conf").write_text("nameserver 127.0.0.1\n")
        self._path("kubelet.json").write_text(json.dumps(self._kubelet_settings(), indent=1))
        self._path("containerd.toml").write_text(
            CONTAINERD.format(socket=CONTAINERD_SOCKET, pause=PAUSE, programs=CNI_PROGRAMS, networks=networks)
        )

    def _network(self) -> dict[str, object]:
        addresses = {
            "type": "host-local",
            "ranges": [[{"subnet": pods_of(self._number)}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        }
        plugin = {"type": "ptp", "ipMasq": False, "mtu": 1500, "ipam": addresses}
        return {"cniVersion": "1.0.0", "name": "pods", "plugins": [plugin]}

    def _kubelet_settings(self) -> dict[str, object]:
        return {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            # The LAN is closed, and the API server has no certificate that it could show here.
            "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
            "authorization": {"mode": "AlwaysAllow"},
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": f"/{self.machine.cgroup}",
            "failCgroupV1": False,
            "failSwapOn": False,
            "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
            "resolvConf": str(self._path("resolv.conf")),
            "oomScoreAdj": 0,  # containers and small machines may not lower it
            "serializeImagePulls": False,
            # The disk is the host's: how full it is says nothing about this node.
            "imageGCHighThresholdPercent": 100,
            "evictionHard": {
                "memory.available": "50Mi",
                "nodefs.available": "0%",
                "nodefs.inodesFree": "0%",
                "imagefs.available": "0%",
            },
            # With the control plane's: a dead node is noticed after 10 s.
            "nodeStatusUpdateFrequency": "2s",
            "nodeStatusReportFrequency": "10s",
            "nodeLeaseDurationSeconds": 8,
            "syncFrequency": "10s",
        }
