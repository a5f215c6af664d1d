"""docs/migrate-from-metallb.md: what it promises of addresses and nodes, and the overlay that it shows."""

import json
import shutil
import subprocess
import sys
from hashlib import sha256
from ipaddress import ip_address
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml

from bareway.cli.__main__ import main
from speaker.settings import read_settings
from support.pages import ROOT, page

PAGE = page("docs/migrate-from-metallb.md")
RECORD = ROOT / "tests" / "cluster" / "metallb_v0_12.yaml"
NODES = [f"node{number}" for number in range(1, 8)]


def metallb_elects(nodes: list[str], addresses: list[str]) -> str:
    """As MetalLB v0.11 and v0.12 do it: told a second time, by the Service's first address."""
    key = min(map(ip_address, addresses), key=lambda one: one.version)
    return min(nodes, key=lambda node: sha256(f"{node}#{key}".encode()).digest())


def plan(path: Path, capsys: pytest.CaptureFixture[str], *flags: str) -> dict[str, Any]:
    code = main(["plan", "-f", str(path), "-o", "json", *flags])
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told | {"code": code}


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """What MetalLB left, with what the API server adds, and seven nodes."""
    documents = list(yaml.safe_load_all(RECORD.read_text()))
    for each in documents:
        if each["kind"] == "Service":
            families = [f"IPv{ip_address(one['ip']).version}" for one in _ingress(each)] or ["IPv4"]
            clusters = ["10.96.0.10" if family == "IPv4" else "fd00::10" for family in families]
            each["spec"] |= {"clusterIP": clusters[0], "clusterIPs": clusters, "ipFamilies": families}
    nodes = [{"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}} for name in NODES]
    path = tmp_path / "recorded.yaml"
    path.write_text("\n---\n".join(map(json.dumps, (*documents, *nodes))))
    return path


def _ingress(service: dict[str, Any]) -> list[dict[str, str]]:
    found: list[dict[str, str]] = service.get("status", {}).get("loadBalancer", {}).get("ingress", [])
    return found


def test_every_address_stays_and_is_announced_from_the_node_that_metallb_elected(
    recorded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = plan(recorded, capsys)
    held = {
        f"{each['metadata']['namespace']}/{each['metadata']['name']}": [one["ip"] for one in _ingress(each)]
        for each in yaml.safe_load_all(RECORD.read_text())
        if each["kind"] == "Service" and _ingress(each)
    }
    kept = {each["service"]: each["addresses"] for each in told["services"] if each["action"] == "keep"}
    assert kept == held
    announcers = {each["address"]: each["nodes"][0] for each in told["announcers"]}
    assert announcers == {
        address: metallb_elects(NODES, addresses) for addresses in held.values() for address in addresses
    }
    assert len(set(announcers.values())) > 1


@pytest.mark.parametrize(
    ("flags", "nodes"),
    [
        pytest.param([], ["node2", "node3"], id="one is excluded by its label"),
        pytest.param(["--ignore-exclude-lb"], ["node1", "node2", "node3"], id="the label is ignored"),
    ],
)
def test_the_page_s_cluster_is_kept_where_it_was(
    flags: list[str], nodes: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "before.yaml"
    path.write_text(PAGE.files["before.yaml"])
    told = plan(path, capsys, *flags)
    assert told["code"] == 0
    assert {each["action"] for each in told["services"]} == {"keep"}
    firsts = {each["address"]: each["nodes"][0] for each in told["announcers"]}
    assert firsts == {address: metallb_elects(nodes, [address]) for address in firsts}


def test_the_overlay_that_it_shows_is_built_and_only_adds_the_flag(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "manifests", tmp_path / "manifests")
    mine = tmp_path / "manifests" / "overlays" / "mine"
    mine.mkdir()
    (mine / "kustomization.yaml").write_text(PAGE.files["kustomization.yaml"])
    former, later = (_rendered(mine.with_name(name)) for name in ("from-metallb", "mine"))
    changed = [one for one, other in zip(later, former, strict=True) if one != other]
    assert [each["kind"] for each in changed] == ["DaemonSet"]
    (container,) = changed[0]["spec"]["template"]["spec"]["containers"]
    settings = read_settings(container["args"], {"METALLB_NODE_NAME": "node1"})
    assert not isinstance(settings, list)
    assert settings.ignore_exclude_label


def _rendered(folder: Path) -> list[dict[str, Any]]:
    kubectl = Path(sys.executable).with_name("kubectl")
    done = subprocess.run([kubectl, "kustomize", folder], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return list(chain(yaml.safe_load_all(done.stdout)))
