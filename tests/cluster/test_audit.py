"""The reader of a kube-apiserver's audit log; what the log of a real one holds is seen in tests/contract."""

from pathlib import Path

import msgspec
import pytest

from apiserver.record import Asked
from cluster import audit

CONTROLLER = f"{audit.ACCOUNTS}controller"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Where an API server with the flags would keep its log."""
    *_, log = audit.flags(tmp_path / "plane")
    events = [
        {"verb": "list", "user": {"username": CONTROLLER}, "requestURI": "/api/v1/services?limit=500"},
        {"verb": "list", "user": {"username": CONTROLLER}, "requestURI": "/api/v1/services?limit=500"},
        {"verb": "list", "user": {"username": "admin"}, "requestURI": "/api/v1/pods"},
        {"verb": "deletecollection", "user": {"username": CONTROLLER}, "requestURI": "/api/v1/nodes?limit=1"},
    ]
    lines = [msgspec.json.encode({"kind": "Event", **event}) for event in events]
    Path(log.partition("=")[2]).write_bytes(b"\n".join(lines) + b"\n")
    return tmp_path / "plane"


def test_the_requests_of_our_programs_are_read_and_nobody_elses(directory: Path) -> None:
    assert audit.read(directory) == {
        ("controller", Asked("GET", "/api/v1/services", ("limit",))),
        ("controller", Asked("DELETE", "/api/v1/nodes", ("limit",))),
    }


def test_what_is_not_on_record_is_told(directory: Path) -> None:
    assert audit.unrecorded(directory) == ["controller: DELETE /api/v1/nodes?limit"]


def test_the_policy_is_where_the_flag_says(tmp_path: Path) -> None:
    policy, _ = audit.flags(tmp_path)
    assert Path(policy.partition("=")[2]).read_text() == audit.POLICY
