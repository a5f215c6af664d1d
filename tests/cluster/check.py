"""What this machine lacks for the ring, in sentences: nobody must believe that it ran where it cannot."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from cluster import build, cgroups
from cluster.node import CNI_PROGRAMS
from cluster.supervisor import HIDDEN

PACKAGES: Final = {
    "conntrack": "conntrack",
    "containerd": "containerd",
    "containerd-shim-runc-v2": "containerd",
    "ctr": "containerd",
    "curl": "curl",
    "ip": "iproute2",
    "mount": "mount",
    "nft": "nftables",
    "nsenter": "util-linux",
    "runc": "runc",
    "setpriv": "util-linux",
    "unshare": "util-linux",
}
"""Programs that the ring calls, and the Debian package each comes in."""
CNI: Final = ("host-local", "loopback", "ptp")
CAPABILITIES: Final = {
    "CHOWN": 0,
    "DAC_OVERRIDE": 1,
    "NET_ADMIN": 12,
    "NET_RAW": 13,
    "SYS_CHROOT": 18,
    "SYS_ADMIN": 21,
    "MKNOD": 27,
}
"""Without these, root is not root enough: bits of capabilities(7)."""
TRIALS: Final = {
    "a namespace with mounts of its own": (
        *("unshare", "--mount", "--pid", "--uts", "--ipc", "--net", "--fork", "sh", "-c"),
        "mount -t proc proc /proc && mount -t sysfs sysfs /sys",
    ),
    "a bridge and a cable": (
        *("unshare", "--net", "sh", "-c"),
        "ip link add br0 type bridge && ip link add near type veth peer name far",
    ),
    "an nftables table that rewrites addresses": (
        *("unshare", "--net", "nft"),
        "add table inet t; add chain inet t c { type nat hook prerouting priority 0; }",
    ),
}
"""What the kernel must let root make, and how to try it."""
TRIAL_WITHIN_S: Final = 30.0


def what_is_missing(*, but_the_binary: bool = False) -> list[str]:
    """Why the ring cannot run here; empty if it can. ``but_the_binary``: Kubernetes may be built later."""
    if os.geteuid() != 0:
        return ["The ring builds machines out of namespaces: run it as root (for example with sudo)."]
    missing = list(_programs())
    if not but_the_binary and not build.cached().exists():
        missing.append("Kubernetes is not built: run `python -m cluster.build`, or `make kube`.")
    return missing or [*_capabilities(), *_places(), *_kernel()]


def _programs() -> Iterator[str]:
    absent = {package for program, package in PACKAGES.items() if shutil.which(program) is None}
    if any(not (CNI_PROGRAMS / name).exists() for name in CNI):
        absent.add("containernetworking-plugins")
    if absent:
        yield f"Programs are not installed: apt-get install {' '.join(sorted(absent))}"


def _capabilities() -> Iterator[str]:
    status = Path("/proc/self/status").read_text()
    effective = int(status.partition("CapEff:")[2].split()[0], 16)
    lacking = [f"CAP_{name}" for name, bit in CAPABILITIES.items() if not effective >> bit & 1]
    if lacking:
        yield f"This root lacks {', '.join(lacking)}: it probably runs in a container; run it privileged."


def _places() -> Iterator[str]:
    places = {
        "the Kubernetes binary": build.cached(),
        "Python": Path(sys.prefix),
        "the directory for temporary files": Path(tempfile.gettempdir()),
    }
    for what, place in places.items():
        if any(place.resolve().is_relative_to(hidden) for hidden in HIDDEN):
            yield f"{place} ({what}) lies below {', '.join(HIDDEN)}, which machines have to themselves."


def _kernel() -> Iterator[str]:
    if lacking := cgroups.missing_controllers():
        yield f"The kernel does not offer control groups for {', '.join(lacking)}."
        return
    try:
        cgroups.make(name := f"bareway-lab-{os.getpid()}-0")
        cgroups.remove(name)
    except OSError as error:
        yield f"No control group can be made, although you are root: {error}"
    if "overlay" not in Path("/proc/filesystems").read_text().split():
        yield "The kernel does not offer overlayfs, in which containers keep their files."
    for what, command in TRIALS.items():
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=TRIAL_WITHIN_S)
        if done.returncode:
            yield f"The kernel does not let root make {what}: {done.stderr.strip()}"
