"""SECURITY.md: each statement names a test that exists; what no other test tried is tried here."""

import re

import pytest
from google.protobuf.descriptor import FileDescriptor

from bareway.decide.allocation.allocate import AllocationView, allocate
from bareway.decide.allocation.verdicts import Granted
from bareway.resources.configurations import read_configuration
from bareway.rpc.v1 import controller_pb2, speaker_pb2
from support.builders import service
from support.pages import ROOT, page, pages

NAMED = re.compile(r"test_[a-z0-9_]+")
QUESTIONS = {"Status", "Watch", "Why", "History", "Bgp", "Members", "Levels"}


def _defined() -> set[str]:
    texts = (path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    return {name for text in texts for name in re.findall(r"^(?:async )?def (test_\w+)", text, re.MULTILINE)}


def _rows() -> list[list[str]]:
    """The cells of every statement."""
    lines = [line for line in page("SECURITY.md").prose if re.match(r"\| (can|cannot) ", line)]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def test_every_test_that_a_page_names_exists() -> None:
    named = {name for each in pages() for span in each.spans for name in NAMED.findall(span)}
    files = {path.stem for path in (ROOT / "tests").rglob("test_*.py")}
    assert sorted(named - _defined() - files) == []


def test_every_statement_names_the_test_that_tried_it() -> None:
    rows = _rows()
    assert len(rows) > 40
    assert [what for _, what, tried in rows if not NAMED.search(tried)] == [
        "send our traffic where it likes: it is the router"
    ]


def test_every_package_of_the_image_is_pinned_by_its_hash() -> None:
    text = (ROOT / "requirements-runtime.lock").read_text().replace("\\\n", " ")
    packages = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert len(packages) > 20
    assert [
        line for line in packages if not re.match(r"[\w.-]+==\S+.*--hash=sha256:[0-9a-f]{64}", line)
    ] == []
    installs = [line for line in (ROOT / "Dockerfile").read_text().splitlines() if "install" in line]
    assert "--require-hashes -r requirements-runtime.lock" in (ROOT / "Dockerfile").read_text()
    assert "--only-binary :all:" in (ROOT / "Dockerfile").read_text()
    assert len([line for line in installs if "pip" in line and "uninstall" not in line]) == 1


@pytest.mark.parametrize(
    "proto", [controller_pb2.DESCRIPTOR, speaker_pb2.DESCRIPTOR], ids=lambda proto: proto.name
)
def test_grpc_has_questions_only(proto: FileDescriptor) -> None:
    (service,) = proto.services_by_name.values()
    assert set(service.methods_by_name) <= QUESTIONS


def test_a_pool_may_hold_any_address_the_gateways_too() -> None:
    document = "address-pools: [{name: a, protocol: layer2, addresses: [192.0.2.1-192.0.2.1]}]"
    configuration = read_configuration(document).configuration
    assert configuration is not None
    wanted = service("web", requested="192.0.2.1")
    verdict = allocate(AllocationView(configuration=configuration, services=[wanted])).verdicts[wanted.key]
    assert isinstance(verdict, Granted)
