"""The alert rules, tried on pages that our programs write: each is silent while all is well, and each cries.

Names and labels are compared by hand; what an expression makes of them is asked of Prometheus' own promtool.
"""

import asyncio
import re
import subprocess
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from bareway.gossip.findings import FindingWord
from bareway.model.names import NodeName, ObjectKey, PoolName
from bareway.model.status import PoolStatus
from bareway.runtime.families import controller_families, speaker_families
from bareway.runtime.figures import (
    AnnouncedAddress,
    BfdFigures,
    ControllerFigures,
    KubernetesFigures,
    PeerFigures,
    SpeakerFigures,
)
from bareway.runtime.histograms import SHORT_S, SPANS_S, Histogram, Measured
from bareway.runtime.metrics import Exposition, Family

Json = dict[str, Any]
FOLDER: Final = Path(__file__).resolve().parents[2] / "manifests" / "monitoring"
OF_PROMETHEUS: Final = {"instance", "pod", "job", "le", "component", "namespace"}
"""Labels that no program writes: of the target, of its Pod, of a histogram's bounds."""
FUNCTIONS: Final = {
    "sum",
    "max",
    "count",
    "by",
    "on",
    "or",
    "vector",
    "increase",
    "rate",
    "histogram_quantile",
}
MINUTES: Final = 120


def measured(bounds_s: tuple[float, ...], *seconds: float) -> Measured:
    histogram = Histogram(bounds_s)
    for each in seconds:
        histogram.observe(each)
    return histogram.measured()


WELL: Final = KubernetesFigures(updates=7, config_loaded=True, connected=True)
ROUTER: Final = PeerFigures(
    peer="192.0.2.254:179", address=ip_address("192.0.2.254"), is_up=True, bfd=BfdFigures(is_up=True)
)
LEADER: Final = ControllerFigures(
    kubernetes=WELL,
    pools=(PoolStatus(name=PoolName("public"), total=256, used=10),),
    services={"public": 10},
    allocation=measured(SPANS_S, 0.02),
    leads=True,
    terms=1,
    members={"Alive": 2, "Dead": 0},
)
STANDBY: Final = ControllerFigures(kubernetes=WELL, members={"Alive": 2, "Dead": 0})
SPEAKER: Final = SpeakerFigures(
    node=NodeName("node1"),
    kubernetes=WELL,
    announced=(AnnouncedAddress(ObjectKey("shop", "web"), "layer2", ip_address("192.0.2.10")),),
    members={"Alive": 2},
    findings=dict.fromkeys(FindingWord, 0),
    silence_limit_s=0.5,
    silences=measured(SHORT_S, *[0.1] * 1000),
    lateness=measured(SHORT_S, *[0.001] * 1000),
    convergence=measured(SPANS_S, 0.02),
    failover=measured(SPANS_S, 0.8),
    peers=(ROUTER,),
)
OTHER: Final = replace(SPEAKER, node=NodeName("node2"), announced=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """What two controllers and two speakers tell."""

    leader: ControllerFigures = LEADER
    standby: ControllerFigures = STANDBY
    speaker: SpeakerFigures = SPEAKER
    other: SpeakerFigures = OTHER

    def pages(self) -> Mapping[str, tuple[Family, ...]]:
        """By Pod."""
        return {
            "controller-1": controller_families(self.leader),
            "controller-2": controller_families(self.standby),
            "speaker-1": speaker_families(self.speaker),
            "speaker-2": speaker_families(self.other),
        }


def leader(**changes: Any) -> Cluster:
    return Cluster(leader=replace(LEADER, **changes))


def speaker(**changes: Any) -> Cluster:
    return Cluster(speaker=replace(SPEAKER, **changes))


def pool(used: int) -> Cluster:
    return leader(pools=(PoolStatus(name=PoolName("public"), total=200, used=used),))


USAGE: Final = [f"BarewayAddressPoolUsage{percent}Percent" for percent in (75, 85, 95)]
BROKEN: Final[Mapping[str, tuple[Cluster, list[str]]]] = {
    "well": (Cluster(), []),
    "a mistake in the configuration": (
        leader(kubernetes=replace(WELL, config_stale=True)),
        ["BarewayConfigStale"],
    ),
    "no configuration": (
        speaker(kubernetes=replace(WELL, config_loaded=False)),
        ["BarewayConfigNotLoaded"],
    ),
    "no API": (speaker(kubernetes=replace(WELL, connected=False)), ["BarewayApiAway"]),
    "a pool three quarters full": (pool(150), []),
    "a pool a little fuller": (pool(152), USAGE[:1]),
    "a pool rather full": (pool(172), USAGE[:2]),
    "a pool nearly full": (pool(192), USAGE),
    "a pool without a free address": (pool(200), ["BarewayAddressPoolExhausted", *USAGE]),
    "a Service that waits": (leader(waiting={"NoFreeAddress": 2}), ["BarewayServicesWaiting"]),
    "nobody leads": (leader(leads=False), ["BarewayNoLeader"]),
    "two lead": (Cluster(standby=replace(STANDBY, leads=True)), ["BarewayTwoLeaders"]),
    "two announce": (
        Cluster(other=replace(OTHER, announced=SPEAKER.announced)),
        ["BarewayAddressAnnouncedTwice"],
    ),
    "a dead speaker": (leader(members={"Alive": 1, "Dead": 1}), ["BarewaySpeakerDead"]),
    "a stranger": (speaker(findings={FindingWord.ADDRESS_IN_USE: 1}), ["BarewayStrangerAnswers"]),
    "a slow failover": (speaker(failover=measured(SPANS_S, 0.8, 4.0)), ["BarewayFailoverSlow"]),
    "long silences": (
        speaker(silences=measured(SHORT_S, *[0.1] * 990, *[0.45] * 10)),
        ["BarewayDetectorMarginSmall"],
    ),
    "a session down": (speaker(peers=(replace(ROUTER, is_up=False),)), ["BarewayBGPSessionDown"]),
    "BFD down": (
        speaker(peers=(replace(ROUTER, bfd=BfdFigures()),)),
        ["BarewayBFDSessionDown"],
    ),
}


def documents() -> list[Json]:
    return [yaml.safe_load((FOLDER / name).read_text()) for name in ("podmonitor.yaml", "alerts.yaml")]


def groups() -> list[Json]:
    found: list[Json] = documents()[1]["spec"]["groups"]
    return found


def rules() -> list[Json]:
    return [rule for group in groups() for rule in group["rules"]]


def text(families: Iterable[Family]) -> str:
    """The page as the program writes it."""
    return asyncio.run(Exposition().text(families)).decode()


def series(cluster: Cluster) -> list[Json]:
    """What Prometheus would have of two hours: gauges stay, what counts goes on at its pace."""
    found = []
    for pod, families in cluster.pages().items():
        for family in text_string_to_metric_families(text(families)):
            pace = "{0}+0x{1}" if family.type == "gauge" else "0+{0}x{1}"
            for sample in family.samples:
                labels = {**sample.labels, "pod": pod, "instance": pod}
                pairs = ",".join(f'{name}="{value}"' for name, value in labels.items())
                values = pace.format(sample.value, MINUTES)
                found.append({"series": f"{sample.name}{{{pairs}}}", "values": values})
    return found


def known() -> Mapping[str, set[str]]:
    """Every name on the pages, with its labels."""
    told: dict[str, set[str]] = {}
    for families in Cluster().pages().values():
        for family in families:
            parts = ("_bucket", "_sum", "_count") if family.measured is not None else ("",)
            told |= {family.name + part: set(family.labels) for part in parts}
    return told


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: str(rule["alert"]))
def test_an_expression_speaks_of_names_and_labels_that_the_programs_tell(rule: Json) -> None:
    expression = re.sub(r'"[^"]*"', '""', rule["expr"])
    words = (
        set(re.findall(r"[a-z_][a-z_0-9]*", re.sub(r"\d+m|\d+h|\b\d[\d.]*\b", "", expression))) - FUNCTIONS
    )
    told = known()
    names = {word for word in words if word.startswith(("metallb_", "bareway_"))}
    assert names, "it asks for something"
    assert names <= told.keys()
    labels = set().union(*(told[name] for name in names)) | OF_PROMETHEUS
    assert words - names <= labels


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: str(rule["alert"]))
def test_an_alert_says_what_is_wrong_how_bad_it_is_and_which_command_tells_more(rule: Json) -> None:
    assert rule["labels"]["severity"] in {"info", "warning", "critical"}
    assert not rule["annotations"]["summary"].endswith(".")
    assert re.search(r"`(bareway|kubectl) .+?`", rule["annotations"]["description"])


def test_every_alert_has_a_name_of_ours_and_a_cluster_in_which_it_cries() -> None:
    names = [rule["alert"] for rule in rules()]
    assert len(names) == len(set(names))
    assert all(name.startswith("Bareway") for name in names)
    assert {name for _, cries in BROKEN.values() for name in cries} == set(names)


def test_prometheus_asks_the_port_that_both_programs_name(rendered: list[Json]) -> None:
    (endpoint,) = documents()[0]["spec"]["podMetricsEndpoints"]
    selected = documents()[0]["spec"]["selector"]["matchLabels"].items()
    asked = []
    for one in rendered:
        if one["kind"] in {"Deployment", "DaemonSet"}:
            template = one["spec"]["template"]
            assert selected <= template["metadata"]["labels"].items()
            (container,) = template["spec"]["containers"]
            asked += [
                port["containerPort"] for port in container["ports"] if port["name"] == endpoint["port"]
            ]
    assert asked == [7480, 7480]
    assert endpoint["path"] == "/metrics"


def test_the_folder_is_one_that_kustomize_renders_and_no_other_contains(
    rendered: list[Json], render: Callable[[Path], list[Json]]
) -> None:
    kinds = {"PodMonitor", "PrometheusRule"}
    assert {one["kind"] for one in render(FOLDER)} == kinds
    assert not kinds & {one["kind"] for one in rendered}, "an API server without the operator refuses them"


@pytest.mark.lab
def test_each_alert_cries_where_it_should_and_nowhere_else(tmp_path: Path) -> None:
    """One run for all: promtool takes half a second to start."""
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": groups()}))
    tests = [
        {
            "name": story,
            "interval": "1m",
            "input_series": series(cluster),
            "promql_expr_test": [
                {
                    "expr": 'group by (alertname) (ALERTS{alertstate="firing"})',
                    "eval_time": f"{MINUTES}m",
                    "exp_samples": [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in cries],
                }
            ],
        }
        for story, (cluster, cries) in BROKEN.items()
    ]
    nothing = {
        "name": "nothing is asked",
        "interval": "1m",
        "input_series": [],
        "promql_expr_test": [
            {
                "expr": 'group by (alertname) (ALERTS{alertstate="firing"})',
                "eval_time": f"{MINUTES}m",
                "exp_samples": [{"labels": '{alertname="BarewayNoLeader"}', "value": 1}],
            }
        ],
    }
    whole = {"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": [*tests, nothing]}
    (tmp_path / "tests.yaml").write_text(yaml.safe_dump(whole))
    for command in ("check rules rules.yaml", "test rules tests.yaml"):
        done = subprocess.run(
            ["promtool", *command.split()], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
