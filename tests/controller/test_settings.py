from pathlib import Path

import pytest

from bareway.runtime.log import LogLevel
from controller.settings import Settings, read_settings

METALLB_V0_12_ENVIRONMENT = {
    "METALLB_NAMESPACE": "metallb-system",
    "METALLB_ML_SECRET_NAME": "memberlist",
    "METALLB_DEPLOYMENT": "controller",
}
METALLB_V0_12_FLAGS = ["--port=7472", "--config=config", "--log-level=info"]
METALLB_V0_12_ALL_FLAGS = [
    *METALLB_V0_12_FLAGS,
    "-namespace=metallb-system",
    "-kubeconfig",
    "/etc/kubeconfig",
    "-ml-secret-name=memberlist",
    "-deployment=controller",
    "-disable-epslices",
    "-enable-pprof=false",
]


def _settings(*argv: str, **environ: str) -> Settings:
    settings = read_settings(argv, environ)
    assert isinstance(settings, Settings), settings
    return settings


def test_without_a_word_the_names_and_ports_of_the_project_hold() -> None:
    assert _settings() == Settings(
        namespace="bareway-system",
        config_namespace="",
        config_name="config",
        kubeconfig=None,
        load_balancer_class=None,
        gossip_secret="memberlist",  # noqa: S106 - the name of a Secret
        http_address="",
        http_port=7480,
        socket=Path("/run/bareway/controller.sock"),
        log_level=LogLevel.INFO,
        ignored=(),
    )


def test_the_manifest_of_metallb_v0_12_is_understood() -> None:
    settings = _settings(*METALLB_V0_12_FLAGS, **METALLB_V0_12_ENVIRONMENT)
    assert settings == Settings(namespace="metallb-system", http_port=7472)


def test_every_flag_of_metallb_v0_12_is_accepted_and_those_without_meaning_are_named() -> None:
    settings = _settings(*METALLB_V0_12_ALL_FLAGS)
    assert settings.ignored == ("--deployment", "--disable-epslices", "--enable-pprof")
    assert (settings.namespace, settings.kubeconfig) == ("metallb-system", Path("/etc/kubeconfig"))


def test_the_pods_namespace_is_used_where_nobody_names_one() -> None:
    told = read_settings([], {}, "somewhere")
    named = read_settings(["--namespace=elsewhere"], {}, "somewhere")
    assert isinstance(told, Settings)
    assert isinstance(named, Settings)
    assert (told.namespace, named.namespace) == ("somewhere", "elsewhere")


def test_our_own_flags_are_read() -> None:
    settings = _settings(
        "--config-namespace=metallb-system", "--lb-class=example.org/x", "--socket=/run/c.sock"
    )
    assert settings.configuration_namespace == "metallb-system"
    assert settings.load_balancer_class == "example.org/x"
    assert settings.socket == Path("/run/c.sock")


@pytest.mark.parametrize(("argv", "port"), [(["--port=0"], 0), ([], 7480)], ids=["off", "default"])
def test_metrics_can_be_turned_off(argv: list[str], port: int) -> None:
    assert _settings(*argv).http_port == port


def test_the_pod_is_known_by_its_name() -> None:
    assert _settings(METALLB_POD_NAME="controller-x").pod_name == "controller-x"
    assert _settings("--pod-name=controller-y").pod_name == "controller-y"
    assert _settings().pod_name == "", "the name of the host, then"


def test_status_can_be_turned_off() -> None:
    assert _settings("--socket=off").socket is None


def test_every_mistake_is_told_at_once() -> None:
    problems = read_settings(["--port=x", "--log-level=loud", "--node-name=a"], {"METALLB_NAMESPACE": "A"})
    assert isinstance(problems, list)
    assert [problem.path for problem in problems] == [
        "--node-name",
        "METALLB_NAMESPACE",
        "--port",
        "--log-level",
    ]
