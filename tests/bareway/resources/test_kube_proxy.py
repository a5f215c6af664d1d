"""kube-proxy's mode is read wherever an installer writes it, and nonsense is no answer."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareway.model.names import ObjectKey
from bareway.model.surroundings import KubeProxy, Workload
from bareway.resources.kube_proxy import (
    NODE_WORDS,
    NodeWords,
    from_config_map,
    from_node_arguments,
    from_workload,
)

KUBEADM = """apiVersion: kubeproxy.config.k8s.io/v1alpha1
bindAddress: 0.0.0.0
clientConnection:
  kubeconfig: /var/lib/kube-proxy/kubeconfig.conf
ipvs:
  excludeCIDRs: null
  strictARP: {strict}
kind: KubeProxyConfiguration
mode: "{mode}"
"""


def _told(mode: str = "ipvs", *, strict: bool = False) -> KubeProxy:
    return KubeProxy(source="here", mode=mode, strict_arp=strict)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        pytest.param({"config.conf": KUBEADM.format(strict="false", mode="ipvs")}, _told(), id="kubeadm"),
        pytest.param(
            {"config.conf": KUBEADM.format(strict="true", mode="ipvs")}, _told(strict=True), id="strict"
        ),
        pytest.param({"config.conf": KUBEADM.format(strict="", mode="")}, _told(""), id="the default"),
        pytest.param({"config": "mode: ipvs\n"}, _told(), id="EKS"),
        pytest.param({"config.conf": '{"mode": "nftables"}'}, _told("nftables"), id="JSON"),
        pytest.param({"kubeconfig.conf": "x"}, None, id="another file"),
        pytest.param({"config.conf": "["}, None, id="not YAML"),
        pytest.param({"config.conf": "- mode: ipvs"}, None, id="a list"),
        pytest.param({"config.conf": "mode: ipvs\n" + "# …\n" * 40_000}, None, id="too long"),
    ],
)
def test_a_config_map_tells_the_mode(data: dict[str, str], found: KubeProxy | None) -> None:
    assert from_config_map("here", data) == found


@pytest.mark.parametrize(
    ("words", "found"),
    [
        pytest.param(["server", "--kube-proxy-arg", "proxy-mode=ipvs"], _told(), id="k3s"),
        pytest.param(
            ["agent", "--kube-proxy-arg=proxy-mode=ipvs", "--kube-proxy-arg=ipvs-strict-arp=true"],
            _told(strict=True),
            id="strict",
        ),
        pytest.param(
            ["--kube-proxy-arg=proxy-mode=ipvs", "--kube-proxy-arg=ipvs-strict-arp"],
            _told(strict=True),
            id="a switch",
        ),
        pytest.param(["server", "--disable=servicelb"], None, id="says nothing"),
        pytest.param(["server", "--kube-proxy-arg"], None, id="ends in the middle"),
    ],
)
def test_the_command_line_of_k3s_tells_the_mode(words: list[str], found: KubeProxy | None) -> None:
    assert from_node_arguments("here", msgspec.json.encode(words).decode()) == found


@pytest.mark.parametrize("text", ["", "{}", "[1]", "no JSON"])
def test_an_annotation_that_is_no_command_line_says_nothing(text: str) -> None:
    assert from_node_arguments("here", text) is None


def test_flags_of_a_daemon_set_tell_the_mode() -> None:
    def of(*arguments: str) -> KubeProxy | None:
        return from_workload(
            Workload(kind="DaemonSet", key=ObjectKey("kube-system", "kube-proxy"), arguments=arguments)
        )

    source = "DaemonSet kube-system/kube-proxy"
    assert of("kube-proxy", "--proxy-mode=ipvs") == KubeProxy(source=source, mode="ipvs")
    assert of("--proxy-mode", "ipvs", "--ipvs-strict-arp=true") == KubeProxy(
        source=source, mode="ipvs", strict_arp=True
    )
    assert of("--config=/var/lib/kube-proxy/config.conf") is None


def test_a_node_tells_whether_it_is_ready_and_what_k3s_was_told() -> None:
    body = msgspec.json.encode(
        {
            "metadata": {
                "name": "n1",
                "annotations": {"k3s.io/node-args": '["--kube-proxy-arg=proxy-mode=ipvs"]'},
            },
            "status": {"conditions": [{"type": "Ready", "status": "True"}]},
        }
    )
    found = NODE_WORDS.read(body).content
    assert isinstance(found, NodeWords)
    assert found.is_ready
    assert found.kube_proxy == KubeProxy(source="node n1", mode="ipvs")


@given(st.text(max_size=300))
def test_no_text_is_a_riddle(text: str) -> None:
    from_config_map("here", {"config.conf": text})
    from_node_arguments("here", text)
