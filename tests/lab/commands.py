"""Commands that must succeed, and what the lab needs before it can begin."""

import os
import shutil
import subprocess
from collections.abc import Sequence

COMMAND_TIMEOUT_S = 30.0
"""Longer than any command of a lab takes on a loaded machine; past it something hangs."""

PACKAGES = {"curl": "curl", "ip": "iproute2", "nft": "nftables"}
"""Programs the lab calls, and the Debian package each comes in."""

ENVIRONMENT = {
    "PATH": os.environ.get("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"),
    "HOME": "/root",
    "LANG": "C.UTF-8",
}
"""What every program in a lab sees: nothing of the caller's own settings, proxies or kubeconfig."""


class LabError(Exception):
    """The lab could not be built or did not do in time what it should; the message says what."""


class CannotTry(LabError):
    """Something that the lab needs cannot be had here; the message says what to do."""


class CommandFailed(LabError):
    """A command ended with another code than 0."""


def what_is_missing() -> str | None:
    """One sentence on why no lab can be built here, or None."""
    if os.geteuid() != 0:
        return (
            "The lab builds network namespaces and opens raw sockets: run it as root, or by"
            " `python -m lab.rootless`, as `make` does, which gives it a root of its own."
        )
    absent = sorted(package for program, package in PACKAGES.items() if shutil.which(program) is None)
    if absent:
        return f"The lab needs programs that are not installed: apt-get install {' '.join(absent)}"
    try:
        run("unshare", "--net", "true")
    except CommandFailed as failure:
        return f"No network namespace can be made here, although you are root: {failure}"
    return None


def run(
    *command: str,
    stdin: str = "",
    timeout_s: float = COMMAND_TIMEOUT_S,
    accept: Sequence[int] = (0,),
) -> str:
    """What the command wrote to standard output; ``CommandFailed`` with what it said unless it ended well."""
    try:
        done = subprocess.run(
            command,
            input=stdin,
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        raise CommandFailed(f"{' '.join(command)}: not done after {timeout_s:g} s") from late
    if done.returncode not in accept:
        raise CommandFailed(f"{' '.join(command)}: exit code {done.returncode}: {done.stderr or done.stdout}")
    return done.stdout


def ip(*arguments: str) -> str:
    """iproute2's ``ip``."""
    return run("ip", *arguments)
