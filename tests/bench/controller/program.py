"""bareway-controller as a process: started, asked by its own metrics, weighed, ended."""

import asyncio
import os
import re
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from lab.process import Process
from lab.waiting import TimedOut

STARTED_WITHIN_S = 30.0
POLL_S = 0.02
TICKS = os.sysconf("SC_CLK_TCK")
IN_USE = "metallb_allocator_addresses_in_use_total"
LEADING = "bareway_leading"


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """How a controller is started that speaks to a certain API server."""

    module: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


class Program:
    """One controller; times are those of ``time.monotonic``."""

    def __init__(self, name: str, launch: Launch, folder: Path) -> None:
        self.name = name
        self._port = _free_port()
        flags = (f"--socket={folder / name}.sock", f"--port={self._port}", "--host=127.0.0.1")
        own = (*launch.arguments, *flags, f"--pod-name={name}")
        # Should this process be killed, the kernel ends the controller with it.
        command = ("setpriv", "--pdeathsig", "KILL", sys.executable, "-m", launch.module, *own)
        root = Path(__file__).resolve().parents[3]
        environment = {"PYTHONPATH": f"{root}:{root / 'tests'}", **launch.environment}
        self.begun_at = time.monotonic()
        self.process = Process(name, command, log=folder / f"{name}-{self._port}", environment=environment)

    async def holds(self, addresses: int) -> float:
        """When it leads and knows of so many addresses in use: all that was there before is taken up."""
        return await self._until(lambda: self._shows(addresses), what=f"{self.name} holds {addresses}")

    async def is_ready(self) -> float:
        """When everything that it decides by was listed once, whether it leads or not."""
        return await self._until(self._answers_ready, what=f"{self.name} is ready")

    def cpu_s(self) -> float:
        """What it has used so far, with the children that it has waited for."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:15])) / TICKS

    def pss_mb(self) -> float:
        """Memory, in MB of 1,000,000 bytes; what is shared counts in parts."""
        return round(self.process.memory_kb()["Pss"] * 1024 / 1e6, 1)

    async def stop(self) -> None:
        """End it cleanly."""
        await asyncio.to_thread(self.process.stop)

    async def kill(self) -> None:
        """End it as a crash does."""
        await asyncio.to_thread(self.process.kill)

    async def _shows(self, addresses: int) -> bool:
        page = await self._page("metrics")
        return _sum(page, LEADING) == 1 and _sum(page, IN_USE) == addresses

    async def _answers_ready(self) -> bool:
        return await self._page("readyz") == "ok\n"

    async def _until(self, look: Callable[[], Awaitable[bool]], *, what: str) -> float:
        ends_at = time.monotonic() + STARTED_WITHIN_S
        while not await look():
            self.process.must_run()
            if time.monotonic() > ends_at:
                raise TimedOut(f"waited {STARTED_WITHIN_S:g} s in vain: {what}")
            await asyncio.sleep(POLL_S)
        return time.monotonic()

    async def _page(self, path: str) -> str:
        try:
            async with aiohttp.request("GET", f"http://127.0.0.1:{self._port}/{path}") as answer:
                return await answer.text()
        except aiohttp.ClientConnectionError:
            return ""


def _sum(page: str, name: str) -> float:
    """Of all metrics of a name; 0 if there are none."""
    return sum(map(float, re.findall(rf"^{name}(?:\{{.*\}})? (\S+)$", page, re.MULTILINE)))


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
