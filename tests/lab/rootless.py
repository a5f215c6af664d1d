"""Root of one's own: runs a command where a normal user is root, in namespaces made for it alone.

    python -m lab.rootless COMMAND [ARGUMENT]…

As root it becomes the command. Else the command gets a user, network, mount and PID namespace of its own
(user_namespaces(7)): there it may build a lab, and nowhere else. Whatever it makes is inside, except files
in the checkout, and the kernel takes it away when the command ends, however it ends. Ends as the command
does, or with 2 and one sentence where the kernel forbids it.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from types import FrameType
from typing import Final, NoReturn

ADMINISTRATION: Final = ("/usr/local/sbin", "/usr/sbin", "/sbin")
"""Where ``nft`` and ``ip`` are; the PATH of a normal user lacks it."""

OWN: Final = "/run/bareway"
"""In a /run that only the command sees; ``ip netns`` keeps its names in /run too."""

NAMESPACES: Final = (
    *("unshare", "--user", "--map-root-user", "--net", "--mount", "--pid", "--fork", "--mount-proc"),
    "--kill-child",
)
SETUP: Final = f"mount -t tmpfs tmpfs /run && mkdir /run/netns {OWN} && ip link set lo up"
TRIAL: Final = " && ".join(
    [
        SETUP,
        "ip netns add trial",
        "ip netns exec trial true",
        "ip link add br0 type bridge",
        "ip link add near type veth peer name far netns trial",
        "nft add table inet trial",
    ]
)
"""What the kernel must let a lab do."""
ENTRY: Final = "BAREWAY_LAB_ENTRY"
"""Names what to put before a command that is to look at the lab from outside."""
TRIAL_WITHIN_S: Final = 10.0  # a tenth of a second on an idle machine


def environment() -> dict[str, str]:
    """The caller's own, so that the command finds its programs and keeps its temporary files inside."""
    path = os.environ.get("PATH", os.defpath).split(":")
    more = [place for place in ADMINISTRATION if place not in path]
    # Our child is unshare, and its child the command.
    entry = f"nsenter -U -n -m --preserve-credentials -t $(pgrep -P $(pgrep -P {os.getpid()})) "
    return {**os.environ, "PATH": ":".join([*path, *more]), "TMPDIR": OWN, ENTRY: entry}


def what_forbids() -> str | None:
    """One sentence on why no user can be root of a lab here, or None."""
    advice = "run it as root (for example with sudo)"
    try:
        tried = subprocess.run(
            [*NAMESPACES, "sh", "-c", TRIAL],
            env=environment(),
            capture_output=True,
            text=True,
            timeout=TRIAL_WITHIN_S,
            check=False,
        )
    except FileNotFoundError:
        return f"The lab needs unshare to be its own root: apt-get install util-linux, or {advice}."
    except subprocess.TimeoutExpired:
        return f"Making namespaces of one's own did not end here within {TRIAL_WITHIN_S:g} s: {advice}."
    if tried.returncode == 0:
        return None
    said = " ".join(tried.stderr.split()) or f"exit code {tried.returncode}"
    return f"The kernel does not let a normal user make the lab's namespaces here ({said}): {advice}."


def run_inside(command: Sequence[str]) -> int:
    """The exit code of the command, run as root of its own; whoever ends us ends all of it."""
    inside = ("sh", "-c", f'{SETUP} && exec "$@"', "sh", *command)
    # Even if we are killed nothing is left: then the kernel kills unshare, and that takes the rest with it.
    with subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", *NAMESPACES, *inside], env=environment()
    ) as all_of_it:

        def end(number: int, frame: FrameType | None) -> NoReturn:
            all_of_it.kill()
            sys.exit(128 + number)

        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the command hears Ctrl-C too, and ends in its own way
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, end)
        code = all_of_it.wait()
    return code if code >= 0 else 128 - code


def main(command: list[str]) -> int:
    """As the command ends; 2 if it could not be tried."""
    if not command:
        print("usage: python -m lab.rootless COMMAND [ARGUMENT]…", file=sys.stderr)
        return 2
    if os.geteuid() == 0:
        os.execvp(command[0], command)  # noqa: S606 - the command is the caller's own, word by word
    if sentence := what_forbids():
        print(sentence, file=sys.stderr)
        return 2
    return run_inside(command)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
