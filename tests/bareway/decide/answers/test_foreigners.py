"""Other load balancers are known by what their manifests call them, and only where they serve Services."""

from collections.abc import Mapping

import pytest

from bareway.decide.answers.foreigners import recognised
from bareway.model.names import ObjectKey
from bareway.model.surroundings import Workload

OWN = "bareway-system"


def _one(
    name: str,
    *arguments: str,
    kind: str = "DaemonSet",
    namespace: str = "somewhere",
    labels: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
    is_idle: bool = False,
) -> Workload:
    return Workload(
        kind=kind,
        key=ObjectKey(namespace, name),
        labels=labels or {},
        arguments=arguments,
        environment=environment or {},
        is_idle=is_idle,
    )


@pytest.mark.parametrize(
    ("workload", "product"),
    [
        pytest.param(_one("speaker", labels={"app": "metallb"}), "MetalLB", id="MetalLB's manifests"),
        pytest.param(
            _one("speaker", labels={"app.kubernetes.io/name": "metallb"}), "MetalLB", id="MetalLB's chart"
        ),
        pytest.param(
            _one("kube-vip-n1", kind="Pod", environment={"svc_enable": "true"}),
            "kube-vip",
            id="kube-vip from a file of the node",
        ),
        pytest.param(
            _one("vip", labels={"app.kubernetes.io/name": "kube-vip-ds"}, environment={"svc_enable": "true"}),
            "kube-vip",
            id="kube-vip as a DaemonSet",
        ),
        pytest.param(
            _one("kube-vip-cloud-provider", kind="Deployment"), "kube-vip cloud provider", id="its provider"
        ),
        pytest.param(_one("manager", labels={"app": "openelb-manager"}), "OpenELB", id="OpenELB"),
        pytest.param(_one("lbnodeagent", labels={"app": "purelb"}), "PureLB", id="PureLB"),
        pytest.param(_one("svclb-traefik-1a2b"), "ServiceLB of k3s", id="ServiceLB by its name"),
        pytest.param(
            _one("x", labels={"svccontroller.k3s.cattle.io/svcname": "traefik"}),
            "ServiceLB of k3s",
            id="ServiceLB by its label",
        ),
        pytest.param(
            _one("bareway-speaker", labels={"app": "bareway"}),
            "Bareway in namespace somewhere",
            id="another one",
        ),
    ],
)
def test_a_load_balancer_is_recognised(workload: Workload, product: str) -> None:
    assert [one.product for one in recognised([workload], OWN)] == [product]


@pytest.mark.parametrize(
    "workload",
    [
        pytest.param(_one("kube-proxy", labels={"k8s-app": "kube-proxy"}), id="kube-proxy"),
        pytest.param(
            _one("kube-vip-n1", kind="Pod", environment={"svc_enable": "false"}),
            id="kube-vip for the API alone",
        ),
        pytest.param(_one("kube-vip-n1", kind="Pod"), id="kube-vip that is not told"),
        pytest.param(_one("bareway-speaker", namespace=OWN, labels={"app": "bareway"}), id="ourselves"),
        pytest.param(_one("controller", labels={"app": "metallb"}, is_idle=True), id="replicas 0"),
        pytest.param(_one("app", labels={"app": "metallb-exporter"}), id="a label that only begins so"),
    ],
)
def test_what_serves_no_services_is_none(workload: Workload) -> None:
    assert recognised([workload], OWN) == ()


@pytest.mark.parametrize(
    ("workload", "expected"),
    [
        pytest.param(_one("c", labels={"app": "metallb"}), None, id="none"),
        pytest.param(_one("c", "--lb-class=a/b", labels={"app": "metallb"}), "a/b", id="with ="),
        pytest.param(_one("c", "--lb-class", "a/b", labels={"app": "metallb"}), "a/b", id="as two words"),
        pytest.param(_one("c", "--lb-class=", labels={"app": "metallb"}), None, id="empty"),
        pytest.param(
            _one("kube-vip-1", kind="Pod", environment={"svc_enable": "true", "lb_class_only": "true"}),
            "kube-vip.io/kube-vip-class",
            id="kube-vip's own",
        ),
        pytest.param(
            _one(
                "kube-vip-1",
                kind="Pod",
                environment={"svc_enable": "true", "lb_class_only": "true", "lb_class_name": "x/y"},
            ),
            "x/y",
            id="kube-vip's, named",
        ),
    ],
)
def test_the_class_that_it_serves_is_read(workload: Workload, expected: str | None) -> None:
    assert recognised([workload], OWN)[0].load_balancer_class == expected


def test_the_order_does_not_matter() -> None:
    ones = [_one(name, labels={"app": "metallb"}) for name in "ab"] + [_one("svclb-x")]
    assert recognised(ones, OWN) == recognised(ones[::-1], OWN)
