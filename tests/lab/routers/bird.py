"""BIRD 2: one process, asked over its control socket."""

import re
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path

from lab.machine import Machine
from lab.process import Process
from lab.routers.shape import (
    READY_WITHIN_S,
    Announced,
    Configuration,
    Counts,
    Folder,
    Neighbour,
    Route,
    must_be_installed,
    takes_questions,
    together,
)
from lab.waiting import wait_for

ANSWER_WITHIN_S = 10.0
LAST_LINE = re.compile(rb"(?:^|\n)(?:0\d\d\d|[89]\d\d\d) [^\n]*\n\Z")
"""Ends an answer: its code, and a space where a line that others follow has a dash."""
HEADER = re.compile(r"^(?P<prefix>\S+)? +(?:unicast|unreachable) \[(?P<protocol>\S+) ")
END = "end of the table"
ATTRIBUTE = re.compile(r"^\tBGP\.(?P<name>\w+): ?(?P<value>.*)$")
IMPORTED = re.compile(r"Routes: +(\d+) imported")
FAMILIES = ("ipv4", "ipv6")
EXPORT = "export where source = RTS_BGP"
RESTARTING = "Neighbor graceful restart active"
"""So that its routes are stale: no other trace of that is shown."""
BFD = "min rx interval 100 ms; min tx interval 100 ms; multiplier 3;"
"""As the lab's nodes ask for."""


class BirdProcess:
    """BIRD itself, with a configuration of the caller's."""

    def __init__(self, machine: Machine) -> None:
        must_be_installed("bird", "bird2")
        self._machine = machine
        self._folder = Folder("bird")
        self.process: Process

    def start(self, text: str) -> None:
        """Run with this configuration; return when it answers."""
        folder = self._folder
        (folder / "ctl").unlink(missing_ok=True)
        self._write(text)
        words = ("-c", folder / "conf", "-s", folder / "ctl", "-P", folder / "pid")
        self.process = self._machine.start("bird", "bird", "-f", *words)

        def is_there() -> bool:
            self.process.must_run()
            return takes_questions(folder / "ctl")

        wait_for(is_there, what="BIRD's control socket", within_s=READY_WITHIN_S)

    def configure(self, text: str) -> None:
        self._write(text)
        self.ask("configure")

    def ask(self, question: str) -> str:
        """Its answer, without the codes at the beginning of lines."""
        with socket.socket(socket.AF_UNIX) as control:
            control.settimeout(ANSWER_WITHIN_S)
            control.connect(str(self._folder / "ctl"))
            _answer(control)  # it greets
            control.sendall(f"{question}\n".encode())
            return _answer(control)

    def remove(self) -> None:
        self.process.kill()
        self._folder.remove()

    @property
    def log(self) -> Path:
        return self._folder / "log"

    def _write(self, text: str) -> None:
        (self._folder / "conf").write_text(f'log "{self.log}" all;\n{text}')


def _answer(control: socket.socket) -> str:
    said = b""
    while not LAST_LINE.search(said):
        said += control.recv(1 << 16)
    return re.sub(r"^(?:\d{4}[- ]| )", "", said.decode(), flags=re.MULTILINE)


class Bird:
    """A BGP router that fills its machine's kernel, with ECMP over all nodes."""

    name = "bird"
    fills_kernel = True
    yields_to_drained = True

    def __init__(self, machine: Machine, configuration: Configuration) -> None:
        self.machine = machine
        self._configuration = configuration
        self._bird = BirdProcess(machine)
        self._names = {each.address: f"node{i}" for i, each in enumerate(configuration.neighbours, start=1)}
        self.start()

    @property
    def process(self) -> Process:
        return self._bird.process

    def start(self) -> None:
        self._bird.start(text(self._configuration, self._names))

    def kill(self) -> None:
        self.process.kill()

    def freeze(self) -> None:
        self.process.freeze()

    def thaw(self) -> None:
        self.process.thaw()

    def stop(self) -> None:
        self._bird.remove()

    def configure(self, configuration: Configuration) -> None:
        """Other settings for the same neighbours, without a restart."""
        self._configuration = configuration
        self._bird.configure(text(configuration, self._names))

    def ask(self, question: str) -> str:
        return self._bird.ask(question)

    def session(self, peer: str) -> str:
        state = re.search(r"BGP state: +(\S+)", self._shown(peer))
        return state.group(1).lower() if state else "idle"

    def is_watched(self, peer: str) -> bool:
        """Whether the peer's death would be noticed by BFD now."""
        row = rf"^ *{re.escape(peer)} +\S+ +Up\b"
        return re.search(row, self.ask("show bfd sessions"), re.MULTILINE) is not None

    def imported(self, peer: str) -> int:
        return sum(map(int, IMPORTED.findall(self._shown(peer))))

    def counts(self, peer: str) -> Counts:
        """Both in one question, for who asks each few milliseconds."""
        shown = self._shown(peer)
        imported = sum(map(int, IMPORTED.findall(shown)))
        return Counts(is_up="BGP state:          Established" in shown, imported=imported)

    def refresh(self, peer: str) -> None:
        self.ask(f"reload in {self._names[peer]}")

    def routes(self) -> Mapping[str, Route]:
        addresses = {name: address for address, name in self._names.items()}
        kept = {name for address, name in self._names.items() if RESTARTING in self._shown(address)}
        return together(
            (prefix, _announced(addresses[protocol], protocol in kept, attributes))
            for prefix, protocol, attributes in _paths(self.ask("show route all"))
            if protocol in addresses
        )

    def _shown(self, peer: str) -> str:
        return self.ask(f"show protocols all {self._names[peer]}")


def text(configuration: Configuration, names: Mapping[str, str]) -> str:
    """The configuration in BIRD's words. GRACEFUL_SHUTDOWN needs a filter there (RFC 8326 section 4.2)."""
    lines = [
        f"router id {configuration.router_id};",
        "protocol device {}",
        *(
            f"protocol kernel {{ merge paths on limit 16; {family} {{ import none; {EXPORT}; }}; }}"
            for family in FAMILIES
            if configuration.fills_kernel
        ),
        f'protocol bfd {{ interface "*" {{ {BFD} }}; }}',
        "filter nodes { if (65535, 0) ~ bgp_community then bgp_local_pref = 0; accept; }",
    ]
    for neighbour in configuration.neighbours:
        lines += [f"protocol bgp {names[neighbour.address]} {{", *_session(configuration, neighbour), "}"]
    return "\n".join(lines) + "\n"


def _session(configuration: Configuration, neighbour: Neighbour) -> Iterator[str]:
    yield f"local {neighbour.local} as {configuration.asn}; neighbor {neighbour.address} as {neighbour.asn};"
    yield f"passive on; hold time {configuration.hold_time_s}; graceful restart on; strict bind on;"
    # A test that breaks sessions on purpose does not wait for a minute of punishment.
    yield "error wait time 1, 1; error forget time 1; connect delay time 1;"
    if neighbour.password:
        yield f'password "{neighbour.password}";'
    if neighbour.has_bfd:
        yield "bfd on;"
    if neighbour.ttl_security:
        yield "ttl security on;"
    for family in FAMILIES:
        yield f"{family} {{ import filter nodes; export none; }};"


def _paths(shown: str) -> Iterator[tuple[str, str, Mapping[str, str]]]:
    """Prefix, protocol and attributes by name, of each path."""
    prefix, protocol = "", ""
    attributes: dict[str, str] = {}
    for line in [*shown.splitlines(), END]:
        header = HEADER.match(line)
        if header is None and line != END:
            if pair := ATTRIBUTE.match(line):
                attributes[pair["name"]] = pair["value"]
            continue
        if protocol:
            yield prefix, protocol, attributes
        if header is not None:
            prefix = header["prefix"] or prefix
            protocol, attributes = header["protocol"], {}


def _announced(peer: str, stale: bool, attributes: Mapping[str, str]) -> Announced:
    return Announced(
        peer=peer,
        next_hops=tuple(attributes.get("next_hop", "").split()),
        as_path=tuple(map(int, attributes.get("as_path", "").split())),
        communities=_communities(attributes.get("community", "")),
        large_communities=_communities(attributes.get("large_community", "")),
        local_preference=_number(attributes.get("local_pref")),
        med=_number(attributes.get("med")),
        is_stale=stale,
    )


def _communities(shown: str) -> frozenset[str]:
    """``(64512,100) (65535,0)`` as ``64512:100`` and so on."""
    return frozenset(re.sub(r", *", ":", found) for found in re.findall(r"\(([^)]*)\)", shown))


def _number(shown: str | None) -> int | None:
    return int(shown) if shown else None
