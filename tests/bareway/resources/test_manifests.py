import json

import pytest

from bareway.model.configuration import Configuration
from bareway.model.objects import ConfigMap, Namespace
from bareway.model.services import Service
from bareway.resources.configurations import read_configuration
from bareway.resources.manifests import Found, Misread, Written, read_manifests
from support.builders import ips, key

SERVICE = """\
apiVersion: v1
kind: Service
metadata:
  name: web
  labels: {tier: yes, version: 1.10}
spec:
  type: LoadBalancer
  clusterIP: 10.96.0.10
  ports:
  - {port: 80, protocol: TCP}
status:
  loadBalancer: {ingress: [{ip: 192.0.2.1}]}
"""
POOL = "address-pools:\n- {name: office, protocol: layer2, addresses: [192.0.2.0/28]}\n"


def read(text: str) -> list[Found]:
    return list(read_manifests(text, "file"))


def only(text: str) -> Found:
    (found,) = read(text)
    return found


def test_a_service_is_read_by_the_types_of_its_fields() -> None:
    service = only(SERVICE)
    assert isinstance(service, Service)
    assert service.key == key("default/web")
    assert [port.number for port in service.ports] == [80]
    assert service.ingress == ips("192.0.2.1")
    assert service.labels == {"tier": "yes", "version": "1.10"}


def test_many_documents_of_one_file_are_numbered_from_zero() -> None:
    text = f"# nothing yet\n---\n---\n{SERVICE}---\n{POOL}...\n"
    service, document = read(text)
    assert isinstance(service, Service)
    assert isinstance(document, Written)
    assert document.place.document == 1


@pytest.mark.parametrize("kind", ["List", "ServiceList"])
def test_a_list_is_as_good_as_its_items(kind: str) -> None:
    items = "".join(f"  {line}\n" for line in SERVICE.splitlines())
    assert isinstance(only(f"apiVersion: v1\nkind: {kind}\nitems:\n-{items[1:]}"), Service)


def test_json_is_read_as_yaml_is() -> None:
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"type": "LoadBalancer", "clusterIPs": ["10.96.0.10"], "ports": [{"port": 80}]},
    }
    found = only(json.dumps({"apiVersion": "v1", "kind": "List", "items": [service]}))
    assert isinstance(found, Service)
    assert found.key == key("shop/web")


def test_a_namespace_has_no_namespace() -> None:
    text = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {team: a}}\n"
    assert only(text) == Namespace(name="shop", labels={"team": "a"})


def test_objects_of_other_kinds_are_passed_over() -> None:
    assert read("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n") == []


CONFIG_MAP = """\
# A comment above.
apiVersion: v1
kind: ConfigMap
metadata: {name: config, namespace: metallb-system}
data:
  config: %s
    address-pools:
    - name: office
      protocol: layer3
      addresses: [192.0.2.0/28]
"""


def config_map(text: str) -> Written:
    written, found = read(text)
    assert isinstance(written, Written)
    assert isinstance(found, ConfigMap)
    assert written.config_map == key("metallb-system/config")
    return written


def line_of_mistake(written: Written) -> int:
    (problem,) = read_configuration(written.text).problems
    return problem.line + written.line


@pytest.mark.parametrize("header", ["|", "|-", "|+ # why"])
def test_a_line_in_a_literal_block_is_known_in_the_file(header: str) -> None:
    assert line_of_mistake(config_map(CONFIG_MAP % header)) == 9


def test_a_line_of_a_later_document_is_known_in_the_file() -> None:
    *_, written, _found = read(SERVICE + "---\n" + CONFIG_MAP % "|")
    assert isinstance(written, Written)
    assert line_of_mistake(written) == 13 + 9


def test_a_quoted_document_is_read_although_its_lines_cannot_be_told() -> None:
    quoted = json.dumps(POOL)
    text = CONFIG_MAP.partition("  config:")[0] + f"  config: {quoted}\n"
    written = config_map(text)
    assert written.text == POOL
    assert written.line == 0


def test_a_bare_document_needs_no_config_map() -> None:
    written = only("\n\n" + POOL)
    assert isinstance(written, Written)
    assert written.config_map is None
    assert isinstance(read_configuration(written.text).configuration, Configuration)


def test_our_extension_stands_beside_the_document() -> None:
    text = CONFIG_MAP % "|" + "  bareway: |\n    address-pools: []\n"
    written = config_map(text)
    assert written.extension == "address-pools: []\n"
    assert written.extension_line == 11


BAD = [
    pytest.param("- just\n- words\n", "is no Kubernetes object", 1, id="words"),
    pytest.param("a: [\n", "could not parse config", 1, id="half a list"),
    pytest.param(
        SERVICE.replace("port: 80", "port: eighty"), "Service default/web: Expected `int`", 1, id="no number"
    ),
    pytest.param(SERVICE.replace("  name: web\n", ""), "Service: an object without a name", 1, id="nameless"),
    pytest.param(
        SERVICE.replace("192.0.2.1", "192.0.2.x"), '"192.0.2.x" is not an IP address', 1, id="no IP"
    ),
    pytest.param("a: &a [*a]\n", "value contains itself", 1, id="endless"),
    pytest.param("[" * 100_000, "nested deeper", 1, id="deep"),
]


@pytest.mark.parametrize(("text", "message", "line"), BAD)
def test_what_cannot_be_read_is_told_with_its_line(text: str, message: str, line: int) -> None:
    misread = next(found for found in read(text) if isinstance(found, Misread))
    assert message in misread.problem.message
    assert misread.problem.line == line


def test_one_bad_object_hides_no_good_one() -> None:
    bad = SERVICE.replace("port: 80", "port: eighty")
    kinds = [type(found) for found in read(f"{bad}---\n{SERVICE}")]
    assert kinds == [Misread, Service]
