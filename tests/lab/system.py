"""Bareway on a site: an API server, a controller and a speaker on each node, driven by stock kubectl."""

import os
import signal
import sys
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from pathlib import Path

import msgspec

from lab import manifests
from lab.apis import Api, program
from lab.commands import COMMAND_TIMEOUT_S, LabError
from lab.machine import Machine
from lab.process import Process
from lab.site import POOL, POOL_6, Site
from lab.stations import IMPORTABLE
from lab.waiting import wait_for

SUPERVISOR = (sys.executable, "-I", "-m", "speaker.bfd", "--memory")
"""What the manifest starts; isolated, so that nothing but the standard library is found. A file follows."""
ASSIGNED_WITHIN_S = 20.0
"""An address is assigned in a fraction of a second once the controller runs; it has to start first."""


SETTLED_WITHIN_S = 20.0
"""Speakers start in a second or two each and know each other some beats later."""


class Member(msgspec.Struct):
    """A member as ``bareway status -o json`` shows it."""

    name: str
    state: str


class Told(msgspec.Struct):
    """What a speaker says."""

    api_connected: bool
    not_ready: list[str]
    members: list[Member]

    @property
    def alive(self) -> set[str]:
        return {member.name for member in self.members if member.state.lower() == "alive"}


class Page(msgspec.Struct):
    """The whole of ``bareway status -o json``."""

    speakers: list[Told]


class System:
    """Start the parts in the order that suits the story; stop them by their processes."""

    def __init__(self, site: Site, api: Callable[[Site], Api]) -> None:
        self.site = site
        self.api = api(site)
        self.controller: Process | None = None
        self.speakers: dict[str, Process] = {}
        self.speaker_flags: tuple[str, ...] = ()
        """What every speaker is started with, beside what it needs."""
        self.controller_flags: tuple[str, ...] = ()

    # -- the cluster

    def kubectl(self, *arguments: str, stdin: str = "", timeout_s: float = COMMAND_TIMEOUT_S) -> str:
        """What stock kubectl prints, run beside the API server."""
        cache = str(self.site.lab.logs / "kubectl-cache")
        own = (str(program("kubectl")), "--kubeconfig", str(self.api.kubeconfig), "--cache-dir", cache)
        return self.site.api.run(*own, *arguments, stdin=stdin, timeout_s=timeout_s)

    def apply(self, *objects: str) -> None:
        self.kubectl("apply", "-f", "-", stdin=manifests.documents(*objects))

    def start_cluster(self) -> None:
        """The API server with Nodes and our namespace, and on each node what leads to the backends."""
        self.api.start()
        self.apply(manifests.NAMESPACE_MANIFEST, *map(manifests.node, self.site.nodes))
        for node in self.site.nodes:
            self.api.attach(node)

    def configure(self, *pools: str, more: str = "") -> None:
        self.apply(manifests.configuration(*(pools or (POOL, POOL_6)), more=more))

    def publish(self, name: str = "web", *, families: Sequence[str] = ("IPv4",)) -> None:
        """A Service of type LoadBalancer in front of the site's backends."""
        backends = self.site.backends
        slices = [manifests.endpoint_slice(name, backends, family=family) for family in families]
        self.apply(manifests.service(name, families=families), *slices)

    def address_of(self, name: str = "web") -> str:
        """The external address of the Service, once it has one."""
        path = "jsonpath={.status.loadBalancer.ingress[0].ip}"

        def assigned() -> str:
            if self.controller is not None:
                self.controller.must_run()
            return self.kubectl("get", "service", name, "-o", path).strip()

        address = wait_for(assigned, what=f"an address for {name}", within_s=ASSIGNED_WITHIN_S, poll_s=0.1)
        return str(ip_address(address))

    # -- our programs

    def start_controller(self) -> Process:
        self.controller = self.site.api.start(
            "controller",
            program("bareway-controller"),
            *self._flags(self.site.api, "controller"),
            *self.controller_flags,
        )
        return self.controller

    def start_speaker(self, node: Machine, *more: str, through: Sequence[str] = ()) -> Process:
        """As in its container: below the supervisor, which starts it anew when it dies.

        ``through`` is a command that becomes the supervisor, as one that takes a capability away.
        """
        own = ("--socket", str(self._socket(node, "speaker")), "--node-name", node.name)
        remembers = str(self._socket(node, "speaker").with_suffix(".bfd"))
        command = (*through, *SUPERVISOR, remembers, *self.api.speaker(), *own, *self.speaker_flags, *more)
        self.speakers[node.name] = node.start("speaker", *command, environment=IMPORTABLE)
        return self.speakers[node.name]

    def crash(self, node: Machine) -> None:
        """kill -9 of the speaker itself; its supervisor lives."""
        children = self.speakers[node.name].children()
        if len(children) != 1:
            raise LabError(f"the supervisor on {node.name} has {len(children)} children instead of one")
        os.kill(children[0], signal.SIGKILL)

    def start_all(self) -> None:
        """Controller and speakers."""
        self.start_controller()
        for node in self.site.nodes:
            self.start_speaker(node)

    def repair(self, node: Machine) -> None:
        """Power a node on again, with all that ran on it."""
        node.power_on()
        self.api.attach(node)
        self.start_speaker(node)

    def restart_speaker(self, node: Machine) -> None:
        """What a DaemonSet does after a crash."""
        self.speakers[node.name].kill()
        self.start_speaker(node)

    def status(self, machine: Machine, part: str = "speaker") -> str:
        """What ``bareway status`` says of a program; it may say that something is wrong, or not answer."""
        return machine.run(
            str(program("bareway")), "status", "--socket", str(self._socket(machine, part)), accept=(0, 1, 2)
        )

    def is_settled(self) -> bool:
        """Whether every speaker that runs is ready and sees all others alive."""
        running = {name for name, process in self.speakers.items() if process.is_running}
        return all(self._knows(name, running - {name}) for name in running)

    def settle(self) -> None:
        """Return once all speakers that run know each other."""
        for process in self.speakers.values():
            if process.exit_code is not None and process.exit_code > 0:  # by itself, not by a signal of ours
                process.must_run()
        wait_for(
            self.is_settled, what="all speakers to know each other", within_s=SETTLED_WITHIN_S, poll_s=0.1
        )

    def _knows(self, name: str, others: set[str]) -> bool:
        """Whether the speaker is ready and holds the others alive; False while it does not answer."""
        machine = self.site.lab.machines[name]
        command = (
            str(program("bareway")),
            "status",
            "-o",
            "json",
            "--socket",
            str(self._socket(machine, "speaker")),
        )
        page = machine.run(*command, accept=(0, 1, 2))
        try:
            told = msgspec.json.decode(page, type=Page).speakers
        except msgspec.MsgspecError as error:
            raise LabError(f"`bareway status -o json` printed {page[:200]!r}: {error}") from error
        return bool(told) and not told[0].not_ready and told[0].alive - {name} == others

    def _flags(self, machine: Machine, part: str) -> tuple[str, ...]:
        return ("--kubeconfig", str(self.api.kubeconfig), "--socket", str(self._socket(machine, part)))

    def _socket(self, machine: Machine, part: str) -> Path:
        return self.site.lab.logs / f"{machine.name}-{part}.sock"
