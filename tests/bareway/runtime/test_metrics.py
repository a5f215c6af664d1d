import asyncio
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

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
from bareway.runtime.histograms import Histogram
from bareway.runtime.metrics import SLICE, Exposition, Family, FamilyKind
from support.builders import ips, key

DOCS = Path(__file__).resolve().parents[3] / "docs"
ADDRESS, OTHER = ips("192.0.2.10", "2001:db8::10")
HISTOGRAM = Histogram((0.5, 1.0))
HISTOGRAM.observe(0.5)
HISTOGRAM.observe(0.75, 4)
HISTOGRAM.observe(10.0)
MEASURED = HISTOGRAM.measured()
KUBERNETES = KubernetesFigures(
    updates=7, update_errors=2, config_loaded=True, config_stale=True, connected=True, events_dropped=3
)
CONTROLLER = ControllerFigures(
    kubernetes=KUBERNETES,
    pools=(PoolStatus(name=PoolName("public"), total=2**80 + 2**8, used=5, total_ipv6=2**80, used_ipv6=2),),
    services={"public": 6},
    waiting={"PoolExhausted": 4},
    allocation=MEASURED,
    leads=True,
    terms=2,
    members={"Alive": 3, "Dead": 1},
    list_generation=41,
)
SPEAKER = SpeakerFigures(
    node=NodeName("node1"),
    kubernetes=KUBERNETES,
    announced=(AnnouncedAddress(service=key("shop/web"), protocol="layer2", address=ADDRESS),),
    requests_received={ADDRESS: 11, OTHER: 1},
    responses_sent={ADDRESS: 10},
    gratuitous_sent={ADDRESS: 12},
    layer2_dropped={"NotForUs": 13},
    layer2_conflicts={ADDRESS: 22},
    layer2_failures={"ENOBUFS": 23},
    layer2_frames=24,
    why_not={"notOwner": 25},
    silence_limit_s=0.5,
    silences=MEASURED,
    lateness=MEASURED,
    member_changes={("Suspect", "Silent"): 26},
    convergence=MEASURED,
    failover=MEASURED,
    members={"alive": 3},
    claims=14,
    claims_taken=15,
    withdrawn={"Beaten": 16},
    gossip_sessions=2,
    gossip_sent=17,
    gossip_received=18,
    gossip_dropped={"WrongSeal": 19},
    list_generation=20,
    leaving=True,
    findings={"AddressInUse": 21},
)


async def _samples(*families: Family) -> Mapping[tuple[str, str], float]:
    """Name and labels to figure, as another reader of the format understands the page."""
    page = (await Exposition().text(families)).decode()
    return {
        (sample.name, ",".join(f"{k}={v}" for k, v in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


ROUTERS = (
    PeerFigures(
        peer="192.0.2.254:179",
        address=ips("192.0.2.254")[0],
        is_up=True,
        updates_sent=22,
        announced=23,
        wanted=24,
        established=25,
        faults=26,
        sent={"Open": 27, "Keepalive": 28, "Notification": 29},
        received={"Open": 30, "Keepalive": 31, "Update": 32},
        messages_received=33,
        bfd=BfdFigures(is_up=False, packets_in=34, packets_out=35, ups=36, downs=37),
    ),
    PeerFigures(peer="192.0.2.253:179", address=ips("192.0.2.253")[0]),
)


@pytest.mark.parametrize(
    ("name", "labels", "figure"),
    [
        ("metallb_bgp_session_up", "peer=192.0.2.254:179", 1),
        ("metallb_bgp_session_up", "peer=192.0.2.253:179", 0),
        ("metallb_bgp_updates_total", "peer=192.0.2.254:179", 22),
        ("metallb_bgp_announced_prefixes_total", "peer=192.0.2.254:179", 23),
        ("metallb_bgp_pending_prefixes_total", "peer=192.0.2.254:179", 24),
        ("bareway_bgp_sessions_total", "peer=192.0.2.254:179", 25),
        ("bareway_bgp_faults_total", "peer=192.0.2.254:179", 26),
        ("metallb_bgp_opens_sent_total", "peer=192.0.2.254:179,vrf=default", 27),
        ("metallb_bgp_keepalives_sent_total", "peer=192.0.2.254:179,vrf=default", 28),
        ("metallb_bgp_notifications_sent_total", "peer=192.0.2.254:179,vrf=default", 29),
        ("metallb_bgp_opens_received_total", "peer=192.0.2.254:179,vrf=default", 30),
        ("metallb_bgp_keepalives_received_total", "peer=192.0.2.254:179,vrf=default", 31),
        ("metallb_bgp_updates_total_received_total", "peer=192.0.2.254:179,vrf=default", 32),
        ("metallb_bgp_route_refresh_sent_total", "peer=192.0.2.254:179,vrf=default", 0),
        ("metallb_bgp_total_sent_total", "peer=192.0.2.254:179,vrf=default", 22 + 27 + 28 + 29),
        ("metallb_bgp_total_received_total", "peer=192.0.2.254:179,vrf=default", 33),
        ("metallb_bfd_session_up", "peer=192.0.2.254,vrf=default", 0),
        ("metallb_bfd_control_packet_input_total", "peer=192.0.2.254,vrf=default", 34),
        ("metallb_bfd_control_packet_output_total", "peer=192.0.2.254,vrf=default", 35),
        ("metallb_bfd_session_up_events_total", "peer=192.0.2.254,vrf=default", 36),
        ("metallb_bfd_session_down_events_total", "peer=192.0.2.254,vrf=default", 37),
        ("metallb_bfd_echo_packet_input_total", "peer=192.0.2.254,vrf=default", 0),
        ("metallb_bfd_echo_packet_output_total", "peer=192.0.2.254,vrf=default", 0),
        ("metallb_bfd_zebra_notifications_total", "peer=192.0.2.254,vrf=default", 0),
    ],
)
async def test_sessions_are_told_by_metallbs_names(name: str, labels: str, figure: float) -> None:
    samples = await _samples(*speaker_families(replace(SPEAKER, peers=ROUTERS)))
    assert samples[name, labels] == figure


async def test_without_bgp_or_bfd_there_is_nothing_of_it() -> None:
    assert not [
        name for name, _ in await _samples(*speaker_families(SPEAKER)) if "bgp" in name or "bfd" in name
    ]
    samples = await _samples(*speaker_families(replace(SPEAKER, peers=ROUTERS[1:])))
    assert not [name for name, _ in samples if "bfd" in name]


@pytest.mark.parametrize(
    ("name", "labels", "figure"),
    [
        ("metallb_k8s_client_updates_total", "", 7),
        ("metallb_k8s_client_update_errors_total", "", 2),
        ("metallb_k8s_client_config_loaded_bool", "", 1),
        ("metallb_k8s_client_config_stale_bool", "", 1),
        ("metallb_allocator_addresses_total", "pool=public", 2.0**80 + 2**8),
        ("metallb_allocator_ipv4_addresses_total", "pool=public", 2**8),
        ("metallb_allocator_ipv6_addresses_total", "pool=public", 2.0**80),
        ("metallb_allocator_ipv4_addresses_in_use_total", "pool=public", 3),
        ("metallb_allocator_ipv6_addresses_in_use_total", "pool=public", 2),
        ("metallb_allocator_addresses_in_use_total", "pool=public", 5),
        ("bareway_api_connected", "", 1),
        ("bareway_events_dropped_total", "", 3),
        ("bareway_services_waiting", "reason=PoolExhausted", 4),
        ("bareway_leading", "", 1),
        ("bareway_terms_total", "", 2),
        ("bareway_gossip_members", "state=Alive", 3),
        ("bareway_gossip_members", "state=Dead", 1),
        ("bareway_announcer_lists_generation", "", 41),
        ("metallb_allocator_services_allocated_total", "pool=public", 6),
        ("bareway_allocation_seconds_count", "", 6),
    ],
)
async def test_the_controller_tells_what_dashboards_look_for(name: str, labels: str, figure: float) -> None:
    samples = await _samples(*controller_families(CONTROLLER))
    assert samples[name, labels] == figure


@pytest.mark.parametrize(
    ("name", "labels", "figure"),
    [
        ("metallb_k8s_client_updates_total", "", 7),
        ("metallb_speaker_announced", "ip=192.0.2.10,node=node1,protocol=layer2,service=shop/web", 1),
        ("bareway_layer2_dropped_total", "reason=NotForUs", 13),
        ("bareway_gossip_members", "state=alive", 3),
        ("bareway_gossip_claims", "", 14),
        ("bareway_claims_taken_total", "", 15),
        ("bareway_withdrawn_total", "reason=Beaten", 16),
        ("bareway_gossip_sessions", "", 2),
        ("bareway_gossip_frames_sent_total", "", 17),
        ("bareway_gossip_frames_received_total", "", 18),
        ("bareway_gossip_dropped_total", "reason=WrongSeal", 19),
        ("bareway_announcer_lists_generation", "", 20),
        ("bareway_leaving", "", 1),
        ("bareway_findings_total", "reason=AddressInUse", 21),
        ("bareway_layer2_conflicts_total", "ip=192.0.2.10", 22),
        ("bareway_layer2_failures_total", "error=ENOBUFS", 23),
        ("bareway_layer2_frames_total", "", 24),
        ("bareway_addresses_not_announced", "reason=notOwner", 25),
        ("bareway_gossip_silence_limit_seconds", "", 0.5),
        ("bareway_gossip_member_changes_total", "reason=Silent,state=Suspect", 26),
        *(
            (f"bareway_{name}_seconds_{part}", labels, figure)
            for name in ("convergence", "failover", "gossip_silence", "loop_lateness")
            for part, labels, figure in (
                ("bucket", "le=0.5", 1),
                ("bucket", "le=1.0", 5),
                ("bucket", "le=+Inf", 6),
                ("sum", "", 0.5 + 4 * 0.75 + 10),
                ("count", "", 6),
            )
        ),
    ],
)
async def test_a_speaker_tells_what_dashboards_look_for(name: str, labels: str, figure: float) -> None:
    samples = await _samples(*speaker_families(SPEAKER))
    assert samples[name, labels] == figure


async def test_a_program_tells_about_its_process_and_version_too() -> None:
    samples = await _samples(*speaker_families(SPEAKER))
    assert samples["process_resident_memory_bytes", ""] > 0
    assert samples["bareway_build_info", "version=0.1.0"] == 1


async def test_before_anything_happened_the_alerts_for_configuration_have_their_figures() -> None:
    samples = await _samples(*controller_families(ControllerFigures()))
    assert samples["metallb_k8s_client_config_loaded_bool", ""] == 0
    assert samples["metallb_k8s_client_config_stale_bool", ""] == 0


@pytest.mark.parametrize(
    "line",
    [
        'metallb_layer2_requests_received{ip="192.0.2.10"} 11.0',
        'metallb_layer2_requests_received{ip="2001:db8::10"} 1.0',
        'metallb_layer2_responses_sent{ip="192.0.2.10"} 10.0',
        'metallb_layer2_gratuitous_sent{ip="192.0.2.10"} 12.0',
    ],
)
async def test_counters_of_frames_keep_metallbs_names_without_total(line: str) -> None:
    page = (await Exposition().text(speaker_families(SPEAKER))).decode()
    assert line in page.splitlines()  # the reader above would add _total to them


async def test_counters_and_gauges_are_declared_under_the_very_name_they_have() -> None:
    page = (await Exposition().text(speaker_families(SPEAKER))).decode()
    assert "\n# TYPE metallb_layer2_requests_received counter\n" in page
    assert "\n# TYPE metallb_speaker_announced gauge\n" in page


@pytest.mark.parametrize("families", [controller_families(CONTROLLER), speaker_families(SPEAKER)])
def test_no_name_is_told_twice(families: tuple[Family, ...]) -> None:
    names = [family.name for family in families]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("value", ['a"b', "a\\b", "a\nb", "a\\nb", "öffentlich", "{x=1}", "a,b", ""])
async def test_any_text_may_be_the_value_of_a_label(value: str) -> None:
    family = Family(
        name="x", text="x", kind=FamilyKind.GAUGE, labels=("pool", "z"), samples=(((value, "z"), 1.5),)
    )
    assert (await _samples(family))["x", f"pool={value},z=z"] == 1.5


async def test_others_get_their_turn_while_a_long_page_is_written() -> None:
    figures = SpeakerFigures(
        node=NodeName("node1"),
        announced=tuple(
            AnnouncedAddress(service=ObjectKey("shop", f"s{n}"), protocol="layer2", address=ADDRESS)
            for n in range(SLICE * 20)
        ),
    )
    turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        counting = group.create_task(count_turns())
        page = await Exposition().text(speaker_families(figures))
        counting.cancel()
    assert turns >= 20
    assert page.count(b"\nmetallb_speaker_announced{") == SLICE * 20


async def test_the_program_may_go_on_counting_while_the_page_is_written() -> None:
    requests = dict.fromkeys((ADDRESS, OTHER), 1)
    families = speaker_families(SpeakerFigures(node=NodeName("node1"), requests_received=requests))

    async def count_on() -> None:
        for address in ips("192.0.2.77", "192.0.2.78"):
            requests[address] = 1
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        group.create_task(count_on())
        page = await Exposition().text(families)
    assert page.count(b"\nmetallb_layer2_requests_received{") == 2


TABLES = re.findall(
    r"^## bareway-(\w+)\n(.*?)(?=^## |\Z)", (DOCS / "metrics.md").read_text(), re.MULTILINE | re.DOTALL
)
ROWS = [
    pytest.param(program, name, kind, set(re.findall(r"`(\w+)`", labels)), id=f"{program} {name}")
    for program, table in TABLES
    for name, kind, labels in re.findall(r"^\| `(\w+)` \| (\w+) \| (.*?) \|", table, re.MULTILINE)
]


@pytest.mark.parametrize(("program", "name", "kind", "labels"), ROWS)
async def test_every_line_of_the_manual_stands_on_the_page(
    program: str, name: str, kind: str, labels: set[str]
) -> None:
    families = {
        "controller": controller_families(CONTROLLER),
        "speaker": speaker_families(replace(SPEAKER, peers=ROUTERS)),
    }
    page = (await Exposition().text(families[program])).decode()
    assert f"\n# TYPE {name} {kind}\n" in f"\n{page}"
    suffix, own = ("_bucket", {"le"}) if kind == "histogram" else ("", set())
    told = re.findall(rf"^{name}{suffix}(?:\{{(.*)\}})? \S+$", page, re.MULTILINE)
    assert told
    assert {frozenset(re.findall(r'(\w+)="', pairs)) for pairs in told} == {frozenset(labels | own)}


def test_the_manual_knows_both_programs() -> None:
    assert [program for program, _ in TABLES] == ["controller", "speaker"]
    assert len(ROWS) > 60
