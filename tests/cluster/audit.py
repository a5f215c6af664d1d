"""What Bareway's programs asked a real kube-apiserver, by its own audit log (audit.k8s.io/v1).

``flags`` makes a control plane keep it; ``read`` tells the requests as they would stand on record, and
``unrecorded`` those that do not: after a story on the ring, ``unrecorded(ring.plane.directory)``. The users
are the service accounts of ``manifests/``. Not told: the type of a body, which the log does not know.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from apiserver.record import Asked, asked, load, without_types

ACCOUNTS: Final = "system:serviceaccount:bareway-system:bareway-"
POLICY: Final = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [ResponseStarted, ResponseComplete, Panic]  # each request once, when it comes
rules:
- level: Metadata
  userGroups: ["system:serviceaccounts:bareway-system"]
- level: None
"""
METHODS: Final = {
    "get": "GET",
    "list": "GET",
    "watch": "GET",
    "create": "POST",
    "update": "PUT",
    "patch": "PATCH",
    "delete": "DELETE",
    "deletecollection": "DELETE",
}


class _User(msgspec.Struct):
    username: str


class _Event(msgspec.Struct, rename="camel"):
    verb: str
    user: _User
    request_uri: str = msgspec.field(name="requestURI")


def flags(directory: Path) -> Sequence[str]:
    """Flags for a kube-apiserver that keeps its log in the directory; writes the policy there."""
    directory.mkdir(parents=True, exist_ok=True)
    policy = directory / "audit-policy.yaml"
    policy.write_text(POLICY)
    return f"--audit-policy-file={policy}", f"--audit-log-path={_log(directory)}"


def read(directory: Path) -> set[tuple[str, Asked]]:
    """Pairs of program and request, of all that the programs asked since the control plane's first start."""
    events = [msgspec.json.decode(line, type=_Event) for line in _log(directory).read_bytes().splitlines()]
    return {
        (event.user.username.removeprefix(ACCOUNTS), asked(METHODS[event.verb], event.request_uri))
        for event in events
        if event.user.username.startswith(ACCOUNTS)
    }


def unrecorded(directory: Path) -> list[str]:
    """What the programs asked that is not on record."""
    known = without_types(load())
    return sorted(f"{program}: {one}" for program, one in read(directory) - known)


def _log(directory: Path) -> Path:
    return directory / "audit.log"
