"""Lives the programs' life and tells what they asked: ``python -m cluster.recording`` writes the record.

It takes root, since the life is lived in network namespaces of its own, and the real kube-apiserver
(``make kube``): a record on which the two servers do not agree is not written.
"""

import asyncio
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from apiserver import EmbeddedApi, Fault
from apiserver.client import Client
from apiserver.kubeconfigs import kubeconfig
from apiserver.record import Asked, Recorded, merged, save, without_types
from cluster import audit
from cluster.control_plane import ControlPlane
from cluster.life import PROGRAMS, SYSTEM, Life
from cluster.servers import embedded_on, real
from lab.commands import what_is_missing
from support.netns import cable

MANIFESTS: Final = Path(__file__).resolve().parents[2] / "manifests"
NAMESPACE: Final = "life"
BAD_MOMENTS: Final = (
    {"fault": Fault.CONFLICT, "verb": "patch", "resource": "services/status"},
    {"fault": Fault.CONFLICT, "verb": "update", "resource": "configmaps"},
    {"fault": Fault.LOST, "verb": "update", "resource": "configmaps"},
    {"fault": Fault.BUSY, "verb": "create", "resource": "events"},
    {"fault": Fault.LOST, "verb": "create", "resource": "events"},
    {"fault": Fault.EXPIRE, "verb": "watch", "resource": "nodes"},
    {"fault": Fault.DROP, "verb": "watch", "resource": "secrets"},
)
"""Once each: what the programs ask then is on record, too."""
SLOWNESS: Final = (
    {"fault": Fault.DELAY, "verb": "list", "delay_s": 0.3, "times": None},
    {"fault": Fault.DELAY, "verb": "watch", "delay_s": 0.3, "times": None},
    {"fault": Fault.LATE, "verb": "patch", "delay_s": 0.3, "times": None},
    {"fault": Fault.LATE, "verb": "update", "delay_s": 0.3, "times": None},
)
"""All the time: the programs see and hear late, and decide on what was."""


async def on_embedded(directory: Path, faults: Iterable[Mapping[str, Any]] = BAD_MOMENTS) -> list[Recorded]:
    """The record of a life on the embedded server."""
    async with EmbeddedApi() as api, Client(api.url) as admin:
        await admin.create("/api/v1/namespaces", {"metadata": {"name": SYSTEM}})
        kubeconfigs = _write(directory, {name: kubeconfig(api.url, token=name) for name in PROGRAMS})
        for fault in faults:
            api.faults.add(**fault)

        async def forget_history() -> None:  # as the real one: compacted, and gone for a moment
            await api.stop()
            api.store.compact()
            await api.start()

        async with embedded_on(api, directory, NAMESPACE) as server:
            await Life(replace(server, forget_history=forget_history), kubeconfigs, directory).live()
        assert all(rule.times is None for rule in api.faults.rules), "each of them was met"
        return merged((token, one) for token, one in api.asked if token in PROGRAMS)


async def on_real(directory: Path) -> set[tuple[str, Asked]]:
    """The same on the real one, by its audit log; the programs are who they are in Pods."""
    plane = ControlPlane(directory, flags=audit.flags(directory))
    with plane:
        _must(plane, "apply", "-k", str(MANIFESTS))
        kubeconfigs = _write(directory, {name: _account(plane, name) for name in PROGRAMS})
        async with real(plane, NAMESPACE) as server:
            await Life(server, kubeconfigs, directory).live()
    return audit.read(directory)


def _account(plane: ControlPlane, program: str) -> str:
    token = _must(plane, "create", "token", f"bareway-{program}", f"--namespace={SYSTEM}").strip()
    return kubeconfig(plane.url, token=token, certificate_authority=str(plane.certificate_authority))


def _must(plane: ControlPlane, *command: str) -> str:
    done = plane.kubectl(*command)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _write(directory: Path, texts: Mapping[str, str]) -> Mapping[str, Path]:
    paths = {name: directory / f"{name}.kubeconfig" for name in texts}
    for name, path in paths.items():
        path.touch(mode=0o600)
        path.write_text(texts[name])
    return paths


def main() -> int:
    """0 written, 1 the servers do not agree, 2 it could not be tried."""
    if missing := what_is_missing():
        print(missing, file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="bareway-life-") as directory, cable():
        here = [Path(directory, name) for name in ("embedded", "real")]
        for path in here:
            path.mkdir()
        record = asyncio.run(on_embedded(here[0]))
        audited = asyncio.run(on_real(here[1]))
    odd = without_types(record) ^ audited
    for program, one in sorted(odd):
        where = "real" if (program, one) in audited else "embedded"
        print(f"only on the {where} server, {program}: {one}", file=sys.stderr)
    if odd:
        return 1
    save(record)
    print(f"{len(record)} requests are on record.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
