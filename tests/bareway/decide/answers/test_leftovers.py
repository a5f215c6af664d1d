"""What counts as ours, what may be taken away, and what each finding tells to do."""

from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import pytest

from bareway.decide.allocation.verdicts import Granted
from bareway.decide.announcement.moves import ANNOUNCE_FROM
from bareway.decide.answers.leftovers import (
    POOL_KEYS,
    Leftover,
    MarkRemoval,
    RemovalRefusal,
    ServiceRemoval,
    leftovers,
    removal_from,
    removals,
    running,
    serves_too,
    strangers,
    words_of,
)
from bareway.model.addresses import parse_range
from bareway.model.cluster import PodState
from bareway.model.mac import MacAddress
from bareway.model.names import NodeName, ObjectKey, PoolName
from bareway.model.nodes import Node
from bareway.model.remains import Remains, Trace
from bareway.model.services import Condition, Service
from bareway.model.surroundings import Workload
from controller.writing.conditions import NOTHING_IN_USE, condition_of

ROOT = Path(__file__).resolve().parents[4]
WEB = ObjectKey("shop", "web")
A = ip_address("192.0.2.10")
ASSIGNED = Condition(is_true=True, reason="Assigned", message='assigned ["192.0.2.10"] from pool public')
REFUSED = Condition(is_true=False, reason="PoolExhausted", message="")
POOL = {"metallb.io/ip-allocated-from-pool": "public"}
CONTROLLER = Workload(
    kind="Deployment",
    key=ObjectKey("bareway-system", "bareway-controller"),
    labels={"app": "bareway", "component": "controller"},
)
SPEAKER = Workload(
    kind="DaemonSet",
    key=ObjectKey("bareway-system", "bareway-speaker"),
    labels={"app": "bareway", "component": "speaker"},
)


def pod(component: str = "controller", *, runs: bool = True) -> PodState:
    return PodState(name=f"bareway-{component}-1", component=component, node=None, ready=runs, running=runs)


@pytest.mark.parametrize(
    ("service", "words"),
    [
        pytest.param(Service(key=WEB), (), id="never ours"),
        pytest.param(Service(key=WEB, ingress=(A,)), (), id="an address of others"),
        pytest.param(
            Service(key=WEB, ingress=(A,), condition=ASSIGNED, annotations=POOL),
            (Leftover.ADDRESS_LEFT, Leftover.CONDITION_LEFT, Leftover.POOL_NAME_LEFT),
            id="served",
        ),
        pytest.param(
            Service(key=WEB, ingress=(A,), condition=ASSIGNED),
            (Leftover.ADDRESS_LEFT, Leftover.CONDITION_LEFT),
            id="served, and somebody took the pool's name",
        ),
        pytest.param(Service(key=WEB, condition=REFUSED), (Leftover.CONDITION_LEFT,), id="waiting"),
        pytest.param(
            Service(key=WEB, ingress=(A,), condition=REFUSED),
            (Leftover.CONDITION_LEFT,),
            id="refused by us, served by others",
        ),
        pytest.param(Service(key=WEB, ingress=(A,), annotations=POOL), (), id="a pool's name of others"),
        pytest.param(
            Service(key=WEB, ingress=(A,), condition=REFUSED, annotations=POOL),
            (Leftover.ADDRESS_LEFT, Leftover.CONDITION_LEFT, Leftover.POOL_NAME_LEFT),
            id="served until just now",
        ),
        pytest.param(
            Service(key=WEB, annotations={"bareway.io/announce-from": "n1"}),
            (Leftover.MOVE_MARK_LEFT,),
            id="moved",
        ),
        pytest.param(
            Service(key=WEB, annotations={"bareway.io/address-pool": "public"}), (), id="a wish of its user"
        ),
    ],
)
def test_what_is_ours_on_a_service(service: Service, words: tuple[Leftover, ...]) -> None:
    removal = removal_from(Remains(pools=(parse_range("192.0.2.0/28"),)), service)
    assert (() if removal is None else words_of(removal)) == words


@pytest.mark.parametrize("key", POOL_KEYS)
def test_a_pools_name_is_ours_by_our_condition_alone(key: str) -> None:
    service = Service(key=WEB, ingress=(A,), annotations={key: "public"})
    assert removal_from(Remains(), service) is None
    moved = replace(service, annotations={key: "public", ANNOUNCE_FROM: "n1"})
    removal = removal_from(Remains(), moved)
    assert removal is not None
    assert removal.annotations == (ANNOUNCE_FROM,)
    ours = replace(service, condition=REFUSED)
    assert removal_from(Remains(), ours) == ServiceRemoval(
        service=ours, has_condition=True, annotations=(key,)
    )
    served = replace(service, condition=ASSIGNED)
    removal = removal_from(Remains(foreign_classes=frozenset({None})), served)
    assert removal is not None
    assert words_of(removal) == (Leftover.CONDITION_LEFT,)


@pytest.mark.parametrize(
    ("shown", "message", "pools", "theirs"),
    [
        pytest.param("192.0.2.10", ASSIGNED.message, (), (), id="as our condition says"),
        pytest.param("203.0.113.7", ASSIGNED.message, (), ("203.0.113.7",), id="written over"),
        pytest.param("203.0.113.7", ASSIGNED.message, ("203.0.113.0/29",), (), id="of a pool of ours"),
        pytest.param("203.0.113.8", "", ("203.0.113.0/29",), ("203.0.113.8",), id="beside the pool"),
        pytest.param(
            "192.0.2.10 203.0.113.7", ASSIGNED.message, (), ("203.0.113.7",), id="one of them written beside"
        ),
        pytest.param(
            "192.0.2.1", ASSIGNED.message, (), ("192.0.2.1",), id="how one of ours begins, and is another"
        ),
        pytest.param(
            "203.0.113.7",
            'assigned ["192.0.2.10"] from pool public; "203.0.113.7" is in no pool',
            (),
            ("203.0.113.7",),
            id="named as what it did not get",
        ),
    ],
)
def test_an_address_that_we_did_not_give_stays(
    shown: str, message: str, pools: tuple[str, ...], theirs: tuple[str, ...]
) -> None:
    service = Service(
        key=WEB,
        ingress=tuple(map(ip_address, shown.split())),
        condition=Condition(is_true=True, reason="Assigned", message=message),
    )
    remains = Remains(pools=tuple(map(parse_range, pools)))
    assert tuple(map(str, strangers(remains, service))) == theirs
    removal = removal_from(remains, service)
    assert removal is not None
    assert [str(one) for one in removal.addresses] == [one for one in shown.split() if one not in theirs]


def test_our_condition_is_read_as_the_controller_writes_it() -> None:
    given = (A, ip_address("2001:db8::10"))
    service = Service(key=WEB, ingress=given)
    in_use = {A: MacAddress.parse("02:00:00:00:00:01")}
    for busy in (NOTHING_IN_USE, in_use):
        told = condition_of(
            Granted(addresses=given, pools=(PoolName("a"), PoolName("b")), kept=True),
            service,
            now=0,
            in_use=busy,
        )
        assert strangers(Remains(), replace(service, condition=told)) == ()


def test_while_a_bareway_runs_elsewhere_only_its_programs_are_told() -> None:
    there = replace(CONTROLLER, key=ObjectKey("lb-system", "bareway-controller"))
    remains = Remains(
        services=(Service(key=WEB, ingress=(A,), condition=ASSIGNED),),
        nodes=(Node(name=NodeName("n1"), drain="x"),),
        elsewhere=(there,),
    )
    assert removals(remains) == ()
    assert running(remains) == ("Deployment lb-system/bareway-controller",)
    (one,) = leftovers(remains)
    assert (one.word, one.subject) == (Leftover.PROGRAM_LEFT, "Deployment lb-system/bareway-controller")
    assert one.remedy == "bareway uninstall -n lb-system"


@pytest.mark.parametrize(
    ("classes", "of", "is_anothers"),
    [
        pytest.param(frozenset(), None, False, id="nobody else"),
        pytest.param(frozenset({None}), None, True, id="both without a class"),
        pytest.param(frozenset({"other.example"}), None, False, id="another class"),
        pytest.param(frozenset({"other.example"}), "other.example", True, id="the same class"),
        pytest.param(None, "any.example", True, id="nobody knows"),
    ],
)
def test_whose_services_another_load_balancer_serves(
    classes: frozenset[str | None] | None, of: str | None, is_anothers: bool
) -> None:
    remains = Remains(foreign_classes=classes)
    assert serves_too(remains, Service(key=WEB, load_balancer_class=of)) == is_anothers


def test_addresses_may_be_kept_and_nothing_else() -> None:
    service = Service(key=WEB, ingress=(A,), condition=ASSIGNED, annotations=POOL)
    removal = removal_from(Remains(), service, keep_addresses=True)
    assert removal is not None
    assert words_of(removal) == (Leftover.CONDITION_LEFT, Leftover.POOL_NAME_LEFT)


def test_what_is_taken_away_comes_in_order() -> None:
    b, a = (Service(key=ObjectKey("shop", name), condition=REFUSED) for name in "ba")
    remains = Remains(
        services=(b, a),
        nodes=(Node(name=NodeName("n2"), drain=""), Node(name=NodeName("n1"))),
        marked=((ObjectKey("metallb-system", "config"), "bareway.io/log-level"),),
    )
    assert removals(remains) == (
        ServiceRemoval(service=a, has_condition=True),
        ServiceRemoval(service=b, has_condition=True),
        MarkRemoval(kind="Node", key=ObjectKey("", "n2"), annotation="bareway.io/drain"),
        MarkRemoval(
            kind="ConfigMap",
            key=ObjectKey("metallb-system", "config"),
            annotation="bareway.io/log-level",
        ),
    )


@pytest.mark.parametrize(
    ("remains", "there"),
    [
        pytest.param(Remains(), (), id="nothing"),
        pytest.param(
            Remains(workloads=(CONTROLLER, SPEAKER)),
            ("Deployment bareway-system/bareway-controller",),
            id="a Deployment",
        ),
        pytest.param(
            Remains(
                workloads=(
                    Workload(kind="Deployment", key=CONTROLLER.key, labels=CONTROLLER.labels, is_idle=True),
                )
            ),
            (),
            id="one of none",
        ),
        pytest.param(Remains(pods=(pod(), pod("speaker"))), ("Pod bareway-controller-1",), id="a Pod"),
        pytest.param(Remains(pods=(pod(runs=False),)), (), id="one that has ended"),
    ],
)
def test_who_would_write_it_again(remains: Remains, there: tuple[str, ...]) -> None:
    assert running(remains) == there


def test_a_cluster_without_us_has_nothing_left() -> None:
    assert (
        leftovers(Remains(services=(Service(key=WEB, ingress=(A,)),), nodes=(Node(name=NodeName("n1")),)))
        == ()
    )


def test_the_address_comes_first_and_each_finding_says_what_to_do() -> None:
    own = Trace(kind="Namespace", key=ObjectKey("", "bareway-system"))
    inside = tuple(
        Trace(kind="ConfigMap", key=ObjectKey("bareway-system", f"bareway-announcers-{n}")) for n in range(6)
    )
    remains = Remains(
        services=(Service(key=WEB, ingress=(A,), condition=ASSIGNED, annotations=POOL),),
        nodes=(Node(name=NodeName("n1"), drain="x"),),
        workloads=(CONTROLLER, SPEAKER),
        pods=(pod(),),
        own_namespace=own,
        traces=(
            *inside,
            Trace(kind="ClusterRole", key=ObjectKey("", "bareway-speaker")),
            Trace(kind="RoleBinding", key=ObjectKey("metallb-system", "bareway-speaker"), is_going=True),
        ),
    )
    found = leftovers(remains)
    assert found[0].word == Leftover.ADDRESS_LEFT
    told = {(one.word, one.subject): (one.evidence, one.remedy) for one in found}
    assert told[Leftover.NAMESPACE_LEFT, "Namespace bareway-system"] == (
        (
            "It exists, with ConfigMap bareway-announcers-0, ConfigMap bareway-announcers-1, ConfigMap"
            " bareway-announcers-2, ConfigMap bareway-announcers-3 and 2 more."
        ),
        "kubectl delete namespace bareway-system",
    )
    assert told[Leftover.RIGHTS_LEFT, "ClusterRole bareway-speaker"][1] == (
        "kubectl delete clusterrole bareway-speaker"
    )
    assert (
        told[Leftover.RIGHTS_LEFT, "RoleBinding metallb-system/bareway-speaker"][0] == "It is being deleted."
    )
    assert told[Leftover.DRAIN_MARK_LEFT, "Node n1"][1] == "kubectl annotate node n1 bareway.io/drain-"
    assert not any(one.word == Leftover.OBJECT_LEFT for one in found)  # the namespace stands for them
    assert not any(one.subject.startswith("Pod") for one in found)  # its Deployment stands for it
    assert all(one.remedy for one in found)


def test_a_namespace_on_its_way_out_is_waited_for() -> None:
    own = Trace(kind="Namespace", key=ObjectKey("", "bareway-system"), is_going=True)
    (one,) = leftovers(Remains(own_namespace=own))
    assert one.evidence == "It is being deleted."
    assert one.remedy.startswith("kubectl wait --for=delete namespace/bareway-system")


def test_every_word_is_found_by_the_command() -> None:
    """Each is planted once in the tests of the command; and why it refuses."""
    tests = (ROOT / "tests/bareway/cli/test_uninstall.py").read_text()
    assert [word.name for word in Leftover if f"Leftover.{word.name}" not in tests] == []
    assert [word.name for word in RemovalRefusal if f"RemovalRefusal.{word.name}" not in tests] == []


def test_we_use_no_finalizer() -> None:
    """One would keep an object from going when nobody of us is left to let it go."""
    folders = ("bareway", "controller", "speaker", "manifests")
    files = [
        path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix in {".py", ".yaml"}
    ]
    assert len(files) > 100
    assert [path.name for path in files if "finalizers" in path.read_text()] == []
