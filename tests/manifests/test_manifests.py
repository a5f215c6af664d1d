import json
import re
import shutil
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

import bareway
from bareway.decide.allocation.allocate import AllocationView, allocate
from bareway.decide.allocation.verdicts import Granted
from bareway.model.configuration import Configuration
from bareway.model.objects import ConfigMap
from bareway.model.services import Service
from bareway.resources.configurations import read_configuration
from bareway.resources.kinds import CONFIG_MAPS, SERVICES
from bareway.runtime.flags import ENVIRONMENT_PREFIXES
from bareway.runtime.settings import COMMON_FLAGS, DEFAULT_NAMESPACE, HTTP_PORT, CommonSettings
from controller import settings as controller_settings
from speaker import settings as speaker_settings

Json = dict[str, Any]

ROOT = Path(__file__).resolve().parents[2]
MANIFESTS = ROOT / "manifests"
FILES = sorted(MANIFESTS.rglob("*.yaml"))
IMAGE = MANIFESTS / "layer2" / "kustomization.yaml"
"""The only place that says where the image is."""
EXAMPLES = sorted((MANIFESTS / "examples").glob("*.yaml"))
PROGRAMS = {"controller": "Deployment", "speaker": "DaemonSet"}
SUPERVISED_BY = {
    "controller": [],
    "speaker": ["python", "-I", "-m", "speaker.bfd", "--memory", "/run/bareway/bfd"],
}
"""What starts the program, and starts it anew at once; a second controller leads as quickly."""
OF_THE_POD = {"spec.nodeName": "node-1"}
"""What the kubelet fills in."""


def label(path: Path) -> str:
    return path.relative_to(MANIFESTS).as_posix()


def one(rendered: list[Json], kind: str, name: str) -> Json:
    (found,) = (each for each in rendered if each["kind"] == kind and each["metadata"]["name"] == name)
    return found


def workload(rendered: list[Json], component: str) -> Json:
    return one(rendered, PROGRAMS[component], f"bareway-{component}")


def pod(rendered: list[Json], component: str) -> Json:
    found: Json = workload(rendered, component)["spec"]["template"]["spec"]
    return found


def container(rendered: list[Json], component: str) -> Json:
    (found,) = pod(rendered, component)["containers"]
    assert isinstance(found, dict)
    return found


def environment(rendered: list[Json], component: str) -> dict[str, str]:
    given = container(rendered, component).get("env", [])
    return {
        each["name"]: each["value"]
        if "value" in each
        else OF_THE_POD[each["valueFrom"]["fieldRef"]["fieldPath"]]
        for each in given
    }


def settings(rendered: list[Json], component: str) -> CommonSettings:
    """What the program makes of its manifest."""
    reads = {
        "controller": controller_settings.read_settings,
        "speaker": speaker_settings.read_settings,
    }
    arguments = container(rendered, component)["args"]
    read = reads[component](arguments, environment(rendered, component))
    assert not isinstance(read, list), read
    return read


@pytest.mark.parametrize("path", FILES, ids=label)
def test_every_file_is_read_and_every_document_in_it_says_what_it_is(path: Path) -> None:
    for document in yaml.safe_load_all(path.read_text()):
        assert document["kind"]
        assert document["apiVersion"]


def test_only_these_objects_are_installed_and_no_secret(rendered: list[Json]) -> None:
    assert sorted((each["kind"], each["metadata"]["name"]) for each in rendered) == [
        ("ClusterRole", "bareway-controller"),
        ("ClusterRole", "bareway-speaker"),
        ("ClusterRoleBinding", "bareway-controller"),
        ("ClusterRoleBinding", "bareway-speaker"),
        ("DaemonSet", "bareway-speaker"),
        ("Deployment", "bareway-controller"),
        ("Namespace", "bareway-system"),
        ("NetworkPolicy", "bareway-controller"),
        ("PodDisruptionBudget", "bareway-controller"),
        ("Role", "bareway-controller"),
        ("Role", "bareway-speaker"),
        ("RoleBinding", "bareway-controller"),
        ("RoleBinding", "bareway-speaker"),
        ("ServiceAccount", "bareway-controller"),
        ("ServiceAccount", "bareway-speaker"),
    ]


def test_everything_carries_our_label_and_what_can_be_lives_in_our_namespace(rendered: list[Json]) -> None:
    for each in rendered:
        assert each["metadata"]["labels"]["app"] == "bareway"
        if each["kind"] not in ("Namespace", "ClusterRole", "ClusterRoleBinding"):
            assert each["metadata"]["namespace"] == DEFAULT_NAMESPACE == "bareway-system"


@pytest.mark.parametrize("component", PROGRAMS)
def test_pods_are_found_by_app_and_component(rendered: list[Json], component: str) -> None:
    labels = {"app": "bareway", "component": component}
    found = workload(rendered, component)
    assert found["metadata"]["labels"] == labels
    assert found["spec"]["selector"]["matchLabels"] == labels
    assert found["spec"]["template"]["metadata"]["labels"] == labels


def test_the_namespace_admits_what_the_speaker_needs(rendered: list[Json]) -> None:
    labels = one(rendered, "Namespace", "bareway-system")["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "privileged"


@pytest.mark.parametrize("component", PROGRAMS)
def test_a_container_runs_one_of_our_programs(rendered: list[Json], component: str) -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    *before, program = container(rendered, component)["command"]
    assert program == f"bareway-{component}"
    assert scripts[program] == f"{component}.__main__:main"
    assert before == SUPERVISED_BY[component]


@pytest.mark.parametrize("component", PROGRAMS)
def test_a_program_accepts_its_flags_and_has_a_use_for_each(rendered: list[Json], component: str) -> None:
    assert settings(rendered, component).ignored == ()


@pytest.mark.parametrize("component", PROGRAMS)
def test_a_program_knows_every_variable_that_it_is_given(rendered: list[Json], component: str) -> None:
    flags = {"controller": COMMON_FLAGS, "speaker": speaker_settings.FLAGS}[component]
    known = {prefix + flag.environment for flag in flags for prefix in ENVIRONMENT_PREFIXES}
    assert environment(rendered, component).keys() <= known


def test_a_speaker_is_told_the_name_of_its_node(rendered: list[Json]) -> None:
    told = settings(rendered, "speaker")
    assert isinstance(told, speaker_settings.Settings)
    assert told.node_name == OF_THE_POD["spec.nodeName"]


def test_the_ports_are_those_that_are_agreed_on(rendered: list[Json]) -> None:
    ports = {
        component: {port["name"]: port["containerPort"] for port in container(rendered, component)["ports"]}
        for component in PROGRAMS
    }
    assert ports == {"controller": {"metrics": 7480}, "speaker": {"metrics": 7480, "gossip": 7947}}
    assert settings(rendered, "controller").http_port == HTTP_PORT == 7480
    told = settings(rendered, "speaker")
    assert isinstance(told, speaker_settings.Settings)
    assert (told.http_port, told.gossip_port) == (7480, 7947)


@pytest.mark.parametrize("component", PROGRAMS)
def test_a_probe_may_find_a_program_unready_but_never_restart_it(
    rendered: list[Json], component: str
) -> None:
    found = container(rendered, component)
    pages = {name: found[name]["httpGet"] for name in found if name.endswith("Probe")}
    assert pages == {"readinessProbe": {"path": "/readyz", "port": "metrics"}}


@pytest.mark.parametrize("component", PROGRAMS)
def test_the_socket_lies_where_it_can_be_written(rendered: list[Json], component: str) -> None:
    mounts = {each["mountPath"]: each["name"] for each in container(rendered, component)["volumeMounts"]}
    volumes = {each["name"]: each["emptyDir"] for each in pod(rendered, component)["volumes"]}
    socket = settings(rendered, component).socket
    assert socket is not None
    assert socket == Path(f"/run/bareway/{component}.sock")
    assert volumes[mounts[str(socket.parent)]]["medium"] == "Memory"


@pytest.mark.parametrize(("component", "added"), [("controller", None), ("speaker", ["NET_RAW"])], ids=str)
def test_a_container_can_do_no_more_than_it_needs(
    rendered: list[Json], component: str, added: list[str] | None
) -> None:
    context = container(rendered, component)["securityContext"]
    assert context["allowPrivilegeEscalation"] is False
    assert context["readOnlyRootFilesystem"] is True
    assert context["capabilities"].get("drop") == ["ALL"]
    assert context["capabilities"].get("add") == added
    assert "privileged" not in context
    assert pod(rendered, component)["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not {"hostPID", "hostIPC"} & pod(rendered, component).keys()
    assert not any("hostPath" in volume for volume in pod(rendered, component)["volumes"])


def test_the_controller_is_nobody_in_a_network_of_its_own(rendered: list[Json]) -> None:
    found = pod(rendered, "controller")
    assert found["securityContext"]["runAsNonRoot"] is True
    assert found["securityContext"]["runAsUser"] != 0
    assert "hostNetwork" not in found


def test_the_speaker_is_on_every_node_and_in_its_network(rendered: list[Json]) -> None:
    found = pod(rendered, "speaker")
    assert found["hostNetwork"] is True
    assert found["tolerations"] == [{"operator": "Exists"}]
    assert found["priorityClassName"] == "system-node-critical"
    assert found["terminationGracePeriodSeconds"] == 30
    assert (
        container(rendered, "speaker")["securityContext"]["runAsUser"] == 0
    )  # else NET_RAW is not effective


def test_one_speaker_after_the_other_is_replaced(rendered: list[Json]) -> None:
    spec = workload(rendered, "speaker")["spec"]
    assert spec["updateStrategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}}
    assert spec["minReadySeconds"] == 10


def test_of_two_controllers_one_is_always_there_and_they_prefer_two_nodes(rendered: list[Json]) -> None:
    spec = workload(rendered, "controller")["spec"]
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    assert (spec["replicas"], spec["strategy"]) == (2, rolling)
    (spread,) = pod(rendered, "controller")["topologySpreadConstraints"]
    assert spread["labelSelector"] == spec["selector"]
    assert spread["topologyKey"] == "kubernetes.io/hostname"
    assert spread["whenUnsatisfiable"] == "ScheduleAnyway"


def test_a_budget_keeps_one_of_two_controllers_and_would_let_a_lone_one_go(rendered: list[Json]) -> None:
    budget = one(rendered, "PodDisruptionBudget", "bareway-controller")["spec"]
    spec = workload(rendered, "controller")["spec"]
    assert budget == {"maxUnavailable": 1, "selector": spec["selector"]}
    assert spec["replicas"] - budget["maxUnavailable"] == 1


def test_nothing_of_a_controller_is_reached_but_the_port_of_metrics_and_probes(rendered: list[Json]) -> None:
    policy = one(rendered, "NetworkPolicy", "bareway-controller")["spec"]
    assert policy["policyTypes"] == ["Ingress"]
    assert policy["podSelector"] == workload(rendered, "controller")["spec"]["selector"]
    (rule,) = policy["ingress"]
    assert rule == {"ports": [{"protocol": "TCP", "port": "metrics"}]}
    probe = container(rendered, "controller")["readinessProbe"]["httpGet"]["port"]
    assert {port["name"] for port in container(rendered, "controller")["ports"]} == {probe, "metrics"}


@pytest.mark.parametrize("component", PROGRAMS)
def test_memory_has_a_limit_and_time_has_none(rendered: list[Json], component: str) -> None:
    resources = container(rendered, component)["resources"]
    assert resources["limits"].keys() == {"memory"}
    assert resources["requests"].keys() == {"cpu", "memory"}


@pytest.mark.parametrize("component", PROGRAMS)
def test_why_a_program_ended_is_shown_by_kubectl_describe(rendered: list[Json], component: str) -> None:
    assert container(rendered, component)["terminationMessagePolicy"] == "FallbackToLogsOnError"


@pytest.mark.parametrize("component", PROGRAMS)
def test_the_image_is_named_once_and_of_this_version(rendered: list[Json], component: str) -> None:
    found = container(rendered, component)
    assert found["image"] == f"bareway:{bareway.__version__}"
    assert found["imagePullPolicy"] == "IfNotPresent"
    naming = [path for path in FILES if "images" in next(yaml.safe_load_all(path.read_text()))]
    assert naming == [IMAGE]
    (replaced,) = yaml.safe_load(IMAGE.read_text())["images"]
    assert replaced == {"name": "bareway", "newTag": bareway.__version__}


def test_an_image_of_ones_own_counts_for_those_who_come_from_metallb_too(
    tmp_path: Path, render: Callable[[Path], list[Json]]
) -> None:
    mine = shutil.copytree(MANIFESTS, tmp_path / "manifests")
    place = mine / IMAGE.relative_to(MANIFESTS)
    named = "newName: registry.example.com/bareway\n  newTag: 0.2.0"
    place.write_text(place.read_text().replace(f"newTag: {bareway.__version__}", named))
    for tree in (mine, mine / "overlays" / "from-metallb"):
        images = {container(render(tree), component)["image"] for component in PROGRAMS}
        assert images == {"registry.example.com/bareway:0.2.0"}


def test_taking_over_from_metallb_changes_where_the_configuration_is_read_and_nothing_else(
    rendered: list[Json], taking_over: list[Json]
) -> None:
    for component in PROGRAMS:
        told = settings(taking_over, component)
        assert told.config_namespace == "metallb-system"
        assert replace(told, config_namespace="") == settings(rendered, component)
        added = container(taking_over, component)["args"].pop()
        assert added == "--config-namespace=metallb-system"
        assert workload(taking_over, component) == workload(rendered, component)
    names = {(each["kind"], each["metadata"]["name"], each["metadata"].get("namespace")) for each in rendered}
    more = [each for each in taking_over if each not in rendered]
    assert {each["kind"] for each in more} == {"Role", "RoleBinding"}
    assert {each["metadata"]["namespace"] for each in more} == {"metallb-system"}
    assert len(taking_over) == len(names) + len(more)


def configuration(document: Json) -> Configuration:
    read = CONFIG_MAPS.read(json.dumps(document).encode()).content
    assert isinstance(read, ConfigMap)
    assert (read.key.namespace, read.key.name) == ("bareway-system", "config")
    reading = read_configuration(read.data["config"])
    assert reading.problems == ()
    assert reading.configuration is not None
    return reading.configuration


def documents(kind: str) -> list[Any]:
    found = [
        pytest.param(document, id=label(path))
        for path in EXAMPLES
        for document in yaml.safe_load_all(path.read_text())
        if document["kind"] == kind
    ]
    assert found
    return found


@pytest.mark.parametrize("document", documents("ConfigMap"))
def test_an_example_of_a_configuration_has_nothing_wrong_in_it(document: Json) -> None:
    assert configuration(document).pools


@pytest.mark.parametrize("config_map", documents("ConfigMap"))
@pytest.mark.parametrize("document", documents("Service"))
def test_an_example_of_a_service_gets_an_address(document: Json, config_map: Json) -> None:
    document["spec"]["clusterIPs"] = ["10.96.0.10"]  # as the API server gives it
    service = SERVICES.read(json.dumps(document).encode()).content
    assert isinstance(service, Service)
    view = AllocationView(configuration=configuration(config_map), services=[service])
    verdict = allocate(view).verdicts[service.key]
    assert isinstance(verdict, Granted)


def test_the_readme_names_only_files_that_exist() -> None:
    named = re.findall(r"(?:^|[\s`(])manifests/([\w./-]*[\w/])", (MANIFESTS / "README.md").read_text())
    assert named
    assert [name for name in named if not (MANIFESTS / name).exists()] == []
