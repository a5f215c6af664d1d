"""The cluster that is asked: three nodes, our programs as Pods, a router, and the command."""

import json
import re
import shlex
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from lab import manifests
from lab.apis import PORT, READY_WITHIN_S, EmbeddedApi, program
from lab.commands import LabError
from lab.machine import Machine
from lab.network import Lab
from lab.process import Process
from lab.routers.bird import Bird
from lab.site import Site
from lab.stations import start_module
from lab.system import System
from lab.tools.container import Ended
from lab.tools.kubelets import Charge

METRICS_PORT: Final = 7480
ANSWER_WITHIN_S: Final = 120.0
"""A command takes one or two seconds of CPU; the machine may be busy with other things."""
PATIENCE_S: Final = 3
"""For each Pod, as people have it."""
CONFIG: Final = "config"
POOL: Final = "addresses: [192.0.2.200-192.0.2.209]"
COMMAND: Final = re.compile(r"kubectl [^;]*")
NODE_PREFIX: Final = "bareway-speaker-"


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A finding as ``-o json`` has it."""

    word: str
    gravity: str
    subject: str
    evidence: str
    remedy: str


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """What every answer has."""

    findings: tuple[Found, ...]


class KubeletsApi(EmbeddedApi):
    """The embedded API server with our programs as Pods."""

    name = "an embedded API server with Pods"

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.folder: Path = site.lab.logs / "pods"
        self.folder.mkdir()

    def start(self) -> None:
        listen = ("--listen", f"{self._machine.address}:{PORT}", "--kubeconfig-out", str(self.kubeconfig))
        self._process = start_module(
            self._machine, "lab.tools.kubelets", *listen, "--folder", str(self.folder)
        )
        self._process.wait_for_output(f":{PORT}", within_s=READY_WITHIN_S)


class Clinic:
    """All of it, and how it is asked."""

    def __init__(self, lab: Lab) -> None:
        self.site = Site(lab)
        self.nodes = self.site.nodes
        self.front = lab.switch("front", prefix_6="2001:db8:2::/64")
        for number, node in enumerate(self.nodes, start=1):
            node.connect(self.front, f"198.51.100.{10 + number}/24")
        self.router = lab.machine("router", self.site.lan, "192.0.2.1/24")
        self.bird: Bird | None = None
        """The router's program, while there is one."""
        self.system = System(self.site, KubeletsApi)
        self.pools: dict[str, str] = {"default": POOL}
        """By name: the other lines of each."""
        self.more = ""
        """Further lines of the document."""
        for machine in (self.site.api, *self.nodes):
            start_module(machine, "lab.tools.container", str(self._container(machine)))

    # -- its programs

    def start(self) -> None:
        """Everything but a configuration."""
        self.system.start_cluster()
        self.start_controller()
        for node in self.nodes:
            self.start_speaker(node)

    def start_controller(self) -> None:
        process = self.system.start_controller()
        self._put("bareway-controller-1", "controller", self.site.api, process)

    def start_speaker(self, node: Machine, *more: str, through: Sequence[str] = ()) -> None:
        process = self.system.start_speaker(node, *more, through=through)
        self._put(f"{NODE_PREFIX}{node.name}", "speaker", node, process)

    def end_speaker(self, node: Machine) -> None:
        """Without a word."""
        self.system.speakers[node.name].kill()

    def take_pod(self, name: str) -> None:
        """There is no such Pod any more."""
        (self._folder / f"{name}.pod").unlink()

    def put_workloads(self, *daemonsets: Mapping[str, object]) -> None:
        """What else runs in the cluster."""
        _write(self._folder / "daemonsets.json", json.dumps(daemonsets))

    # -- what is in the API

    def kubectl(self, *words: str, stdin: str = "") -> str:
        return self.system.kubectl(*words, stdin=stdin, timeout_s=ANSWER_WITHIN_S)

    def apply(self, *objects: Mapping[str, object]) -> None:
        """Make these, or change them."""
        self.kubectl("apply", "-f", "-", stdin="\n---\n".join(map(json.dumps, objects)))

    def configuration(self) -> dict[str, object]:
        """The ConfigMap with all pools."""
        lines = ["address-pools:"]
        for name, more in self.pools.items():
            protocol = [] if "protocol:" in more else ["  protocol: layer2"]
            lines += [f"- name: {name}", *protocol, *(f"  {line}" for line in more.splitlines())]
        document = "\n".join([*lines, self.more])
        return {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"namespace": manifests.NAMESPACE, "name": CONFIG},
            "data": {CONFIG: document},
        }

    def configure(self, **pools: str) -> None:
        """Apply it, with these pools in place of those that were."""
        self.pools |= pools
        self.apply(self.configuration())

    def without(self, *pools: str) -> None:
        """Apply it without them."""
        for name in pools:
            del self.pools[name]
        self.apply(self.configuration())

    def follow(self, found: Found) -> None:
        """Type the command that the remedy gives."""
        told = COMMAND.search(found.remedy)
        if told is None:
            raise LabError(f"the remedy of {found.word} has no command: {found.remedy}")
        words = shlex.split(told[0].rstrip("."))
        self.kubectl(*words[1:])

    # -- asking: verbs run in a process that was forked for each, with their modules loaded, as in our Pods

    def why(self, about: str) -> tuple[Found, ...]:
        """As somebody asks who is on the controller's node and can look at all sockets."""
        sockets = [self._socket(self.site.api, "controller")]
        sockets += [self._socket(node, "speaker") for node in self.nodes]
        return self._asked("why", about, *(word for path in sockets for word in ("--socket", str(path))))

    def why_from_outside(self, about: str) -> tuple[Found, ...]:
        """As somebody asks who has a kubeconfig."""
        return self._asked("why", about, *self._outside())

    def doctor(self) -> tuple[Found, ...]:
        return self._asked("doctor", *self._outside())

    def type_doctor(self) -> tuple[Found, ...]:
        """The same by the installed command, as a process of its own; ``LabError`` unless it ends with 0."""
        words = (str(program("bareway")), "doctor", "-o", "json", *self._outside())
        page = self.site.api.run(*words, timeout_s=ANSWER_WITHIN_S)
        return msgspec.json.decode(page, type=Page).findings

    def _outside(self) -> tuple[str, ...]:
        return ("--kubeconfig", str(self.system.api.kubeconfig), "--timeout", str(PATIENCE_S))

    def _asked(self, *words: str) -> tuple[Found, ...]:
        with socket.socket(socket.AF_UNIX) as asking:
            asking.settimeout(ANSWER_WITHIN_S)
            asking.connect(str(self._container(self.site.api)))
            asking.sendall(msgspec.json.encode([*words, "-o", "json"]))
            asking.shutdown(socket.SHUT_WR)
            said = b"".join(iter(lambda: asking.recv(1 << 16), b""))
        ended = msgspec.msgpack.decode(said, type=Ended)
        try:
            return msgspec.json.decode(ended.output, type=Page).findings
        except msgspec.MsgspecError as error:
            told = ended.complaint.decode()
            raise LabError(f"`bareway {' '.join(words)}` printed {ended.output[:300]!r}: {told}") from error

    # -- where things are

    @property
    def _folder(self) -> Path:
        assert isinstance(self.system.api, KubeletsApi)
        return self.system.api.folder

    def _put(self, name: str, component: str, machine: Machine, process: Process) -> None:
        charge = Charge(
            name=name,
            component=component,
            node=machine.name,
            host=machine.address,
            port=METRICS_PORT,
            pid=process.pid,
            log=str(process.errors),
            socket=str(self._socket(machine, component)),
            container=str(self._container(machine)),
        )
        _write(self._folder / f"{name}.pod", msgspec.json.encode(charge).decode())

    def _socket(self, machine: Machine, part: str) -> Path:
        return self.site.lab.logs / f"{machine.name}-{part}.sock"

    def _container(self, machine: Machine) -> Path:
        return self.site.lab.logs / f"{machine.name}-container.sock"


def _write(path: Path, text: str) -> None:
    """In one moment: it is read at any."""
    new = path.with_suffix(".new")
    new.write_text(text)
    new.rename(path)


def words_of(findings: Sequence[Found]) -> list[str]:
    """For messages."""
    return [f"{one.gravity} {one.word} {one.subject}: {one.evidence}" for one in findings]
