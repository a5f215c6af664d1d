"""The lab itself: builds switches and machines, and takes everything away however it ends."""

import atexit
import itertools
import os
import shutil
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

from lab.commands import LabError
from lab.leftovers import (
    clean,
    logs_directory,
    namespace_name,
    namespaces_of,
    remove_namespace,
    unmount_below,
)
from lab.machine import PREFIX_6, Machine, Switch

_COUNT = itertools.count(1)


class Lab:
    """Network namespaces that live as long as the ``with`` block.

        with Lab() as lab:
            lan = lab.switch("lan")
            node = lab.machine("node1", lan, "192.0.2.11/24")
            node.run("ping", "-c1", "192.0.2.12")

    Names derive from the pid, so several labs run at once. SIGTERM and SIGHUP end the block as Ctrl-C does;
    what a killed lab left is removed by the next one, or by ``python -m lab clean``.
    """

    def __init__(self) -> None:
        self._pid = os.getpid()
        self._count = next(_COUNT)
        self.machines: dict[str, Machine] = {}
        self._at_end: list[Callable[[], None]] = []
        self.logs: Path = logs_directory(self._pid, self._count)

    def __enter__(self) -> Self:
        clean()
        for name in self._mine():  # an earlier process with our pid
            remove_namespace(name)
        shutil.rmtree(self.logs, ignore_errors=True)
        self.logs.mkdir(mode=0o700)
        atexit.register(self.close)
        for number in (signal.SIGTERM, signal.SIGHUP):
            with suppress(ValueError):  # not the main thread: its owner must see to signals
                signal.signal(number, _leave)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, Exception):
            self._report()
        self.close()

    def switch(self, name: str, *, prefix_6: str = PREFIX_6) -> Switch:
        """A switch with no machine on it yet."""
        return Switch(name, namespace_name(self._pid, self._count, name), prefix_6=prefix_6)

    def machine(self, name: str, switch: Switch, address: str) -> Machine:
        """A machine with one cable into the switch and this address (``192.0.2.11/24``)."""
        if name in self.machines:
            raise LabError(f"there is a machine {name} already")
        machine = Machine(name, namespace_name(self._pid, self._count, name), logs=self.logs)
        self.machines[name] = machine
        machine.connect(switch, address)
        return machine

    def machine_with(self, mac: str) -> Machine | None:
        """The machine whose first interface bears this MAC."""
        return next((machine for machine in self.machines.values() if machine.mac == mac), None)

    def at_end(self, act: Callable[[], None]) -> None:
        """Do this before anything is taken away; for programs that the lab did not start itself."""
        self._at_end.append(act)

    def close(self) -> None:
        """Take everything away; a second Ctrl-C does not interrupt it."""
        previous = _ignore_interrupts()
        try:
            while self._at_end:
                self._at_end.pop()()
            for machine in self.machines.values():
                with suppress(LabError):  # the sweep below sees what is left
                    machine.kill_all()
            for name in self._mine():
                remove_namespace(name)
            unmount_below(self.logs)
            shutil.rmtree(self.logs, ignore_errors=True)
            atexit.unregister(self.close)
        finally:
            _restore(previous)

    def _mine(self) -> list[str]:
        prefix = namespace_name(self._pid, self._count, "")
        return [name for name in namespaces_of(self._pid) if name.startswith(prefix)]

    def _report(self) -> None:
        """What the programs said last, since their logs are about to go."""
        for path in sorted(self.logs.glob("*.err")):
            lines = path.read_text(errors="replace").splitlines()[-8:]
            if lines:
                print(f"--- {path.name}", *lines, sep="\n", file=sys.stderr)


def _leave(number: int, frame: FrameType | None) -> None:
    """End the program by an exception, so that every ``with`` block is left in order."""
    sys.exit(128 + number)


def _ignore_interrupts() -> dict[signal.Signals, object]:
    previous: dict[signal.Signals, object] = {}
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        with suppress(ValueError):
            previous[number] = signal.signal(number, signal.SIG_IGN)
    return previous


def _restore(previous: dict[signal.Signals, object]) -> None:
    for number, handler in previous.items():
        signal.signal(number, handler)  # type: ignore[arg-type]  # what signal.signal itself returned
