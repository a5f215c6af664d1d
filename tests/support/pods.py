"""Our Pods as an API server tells of them, and programs in them that answer like ours."""

import json
from collections.abc import Sequence
from typing import Any, Final

from apiserver.pods import Outcome, Run
from bareway.cli.pages.output import as_json
from bareway.model.plain import plain
from bareway.model.status import ControllerStatus, SpeakerStatus

NAMESPACE: Final = "bareway-system"


def pod_body(
    name: str,
    component: str = "speaker",
    node: str = "node1",
    *,
    ready: bool = True,
    state: str = "running",
    reason: str = "",
    image: str = "bareway:0.1.0",
    arguments: Sequence[str] = (),
    restarts: int = 0,
) -> dict[str, Any]:
    """A Pod with one container; ``state`` is running, waiting or terminated."""
    return {
        "metadata": {
            "name": name,
            "namespace": NAMESPACE,
            "labels": {"app": "bareway", "component": component},
        },
        "spec": {
            "nodeName": node,
            "containers": [{"name": component, "image": image, "args": list(arguments)}],
        },
        "status": {
            "phase": "Running" if state == "running" else "Pending",
            "conditions": [
                {
                    "type": "Ready",
                    "status": "True" if ready else "False",
                    "reason": None if ready else "ContainersNotReady",
                }
            ],
            "containerStatuses": [
                {
                    "name": component,
                    "restartCount": restarts,
                    "state": {state: {"reason": reason} if reason else {"startedAt": "2026-01-01T00:00:00Z"}},
                }
            ],
        },
    }


def printed(*statuses: ControllerStatus | SpeakerStatus, wrong: Sequence[str] = ()) -> bytes:
    """What ``bareway --local status -o json`` prints."""
    page = {
        "version": 1,
        "controllers": [plain(one) for one in statuses if isinstance(one, ControllerStatus)],
        "speakers": [plain(one) for one in statuses if isinstance(one, SpeakerStatus)],
        "wrong": list(wrong),
    }
    return as_json(page).encode()


def saying(*statuses: ControllerStatus | SpeakerStatus) -> Run:
    """A program that tells its status."""
    return ending(Outcome(output=printed(*statuses)))


def ending(outcome: Outcome) -> Run:
    """A command that ends so, whatever it is."""

    async def run(command: Sequence[str]) -> Outcome:
        return outcome

    return run


def repeating() -> Run:
    """A command that prints its own words as JSON."""

    async def run(command: Sequence[str]) -> Outcome:
        return Outcome(output=json.dumps(list(command)).encode())

    return run
