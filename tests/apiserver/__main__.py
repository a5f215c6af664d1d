"""The embedded API server as a program: ``python -m apiserver --listen ADDRESS:PORT``.

With ``--kubeconfig-out FILE`` it also writes a kubeconfig.

It prints its URL once it listens and ends with 0 on SIGTERM or Ctrl-C.
"""

import argparse
import asyncio
import os
import signal
import time
from pathlib import Path

from apiserver.kubeconfigs import kubeconfig
from apiserver.server import EmbeddedApi


def main() -> None:
    """Read the flags and serve."""
    parser = argparse.ArgumentParser(prog="python -m apiserver", description=__doc__)
    parser.add_argument("--listen", default="127.0.0.1:0", metavar="ADDRESS:PORT", help="port 0: a free one")
    parser.add_argument(
        "--kubeconfig-out", type=Path, metavar="FILE", help="write a kubeconfig here once it listens"
    )
    flags = parser.parse_args()
    host, _, port = flags.listen.rpartition(":")
    if not host or not port.isdecimal():
        parser.error(f"--listen {flags.listen!r}: write ADDRESS:PORT like 127.0.0.1:8001")
    asyncio.run(serve(host.strip("[]"), int(port), flags.kubeconfig_out))


async def serve(host: str, port: int, kubeconfig_out: Path | None) -> None:
    """Serve until a signal comes."""
    end = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, end.set)
    # Revisions begin with the second of the start: after a restart they are newer than what clients know.
    api = EmbeddedApi(host=host, port=port, seed=os.urandom(8).hex(), first_revision=int(time.time()))
    async with api:
        if kubeconfig_out is not None:
            kubeconfig_out.write_text(kubeconfig(api.url))  # noqa: ASYNC240 - nobody is served yet
        print(api.url, flush=True)
        await end.wait()


if __name__ == "__main__":
    main()
