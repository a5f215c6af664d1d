"""What BGP adds to a speaker, and that it adds nothing else."""

import copy
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Json = dict[str, Any]

MANIFESTS = Path(__file__).resolve().parents[2] / "manifests"
OVERLAYS = {"bgp": MANIFESTS, "from-metallb-bgp": MANIFESTS / "overlays" / "from-metallb"}
"""Each with what it adds to."""
CAPABILITIES = ["NET_RAW", "NET_BIND_SERVICE", "SYS_NICE"]


@pytest.fixture(params=OVERLAYS)
def overlay(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def with_bgp(overlay: str, render: Callable[[Path], list[Json]]) -> list[Json]:
    return render(MANIFESTS / "overlays" / overlay)


@pytest.fixture
def without(overlay: str, render: Callable[[Path], list[Json]]) -> list[Json]:
    return render(OVERLAYS[overlay])


def speaker(rendered: list[Json]) -> Json:
    (found,) = (each for each in rendered if each["kind"] == "DaemonSet")
    pod: Json = found["spec"]["template"]["spec"]
    return pod


def test_it_adds_two_capabilities_and_a_memory_of_the_node_and_nothing_else(
    with_bgp: list[Json], without: list[Json]
) -> None:
    expected = copy.deepcopy(without)
    pod = speaker(expected)
    (container,) = pod["containers"]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"], "add": ["NET_RAW"]}
    container["securityContext"]["capabilities"]["add"] = CAPABILITIES
    (volume,) = pod["volumes"]
    del volume["emptyDir"]
    volume["hostPath"] = {"path": "/run/bareway", "type": "DirectoryOrCreate"}
    assert with_bgp == expected


def test_the_memory_lies_where_process_1_looks_for_it(with_bgp: list[Json]) -> None:
    (container,) = speaker(with_bgp)["containers"]
    command = container["command"]
    file = Path(command[command.index("--memory") + 1])
    (mount,) = container["volumeMounts"]
    (volume,) = speaker(with_bgp)["volumes"]
    assert (str(file.parent), mount["name"]) == (mount["mountPath"], volume["name"])
    assert not mount.get("readOnly", False)


def test_each_capability_stands_with_its_reason_beside_it_and_in_the_readme() -> None:
    patch = (MANIFESTS / "bgp" / "speaker.yaml").read_text()
    assert re.findall(r"^ +- ([A-Z_]+) +# \S.+$", patch, re.MULTILINE) == CAPABILITIES
    readme = (MANIFESTS / "README.md").read_text()
    rows = re.findall(r"^\| capability (\w+) \| speaker(?:, with BGP)? \| (.+) \|$", readme, re.MULTILINE)
    assert [name for name, reason in rows if reason] == CAPABILITIES


def test_what_is_taken_of_the_node_stands_in_the_readme(with_bgp: list[Json]) -> None:
    readme = (MANIFESTS / "README.md").read_text()
    for volume in speaker(with_bgp)["volumes"]:
        assert f"| hostPath `{volume['hostPath']['path']}` |" in readme
