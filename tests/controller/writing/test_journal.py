from dataclasses import replace
from random import Random

import pytest

from bareway.model.names import ObjectKey
from bareway.model.objects import ObjectReference
from bareway.model.problems import Problem, Severity
from bareway.resources.configurations import read_configuration
from bareway.resources.in_force import InForce, digest
from bareway.runtime.kube.client import KubeClient
from bareway.runtime.kube.credentials import Credentials, Fixed
from controller.allocation.acceptance import Acceptance, ConfigurationRefusal, Offer
from controller.settings import Settings
from controller.watch import Watch
from controller.writing.journal import Journal

GOOD = "address-pools: [{name: a, protocol: layer2, addresses: [192.0.2.0/24]}]"
OFFER = Offer(
    document="",
    source="a test",
    about=ObjectReference(kind="ConfigMap", key=ObjectKey("bareway-system", "config")),
)
WARNING = Problem(path="peers", message="not served yet", line=3, severity=Severity.WARNING)
ERROR = Problem(path="pears", message="field pears not found", line=2, hint="did you mean peers?")


@pytest.fixture(name="watch")
def resting_watch() -> Watch:
    """Mirrors that do not run."""
    client = KubeClient(Fixed(Credentials(server="http://127.0.0.1:1")))
    return Watch(client, Settings(socket=None), rng=Random("journal"), on_change=lambda: None)


@pytest.fixture(name="log")
def info_log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level("INFO", logger="controller")
    return caplog


def in_force(generation: int) -> InForce:
    configuration = read_configuration(GOOD).configuration
    assert configuration is not None
    return InForce(
        configuration=configuration,
        document=GOOD,
        sha256=digest(GOOD),
        generation=generation,
        source="a test",
    )


def lines(log: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    found = [(record.levelname, vars(record).get("detail", record.getMessage())) for record in log.records]
    log.clear()
    return found


def test_a_missing_configuration_is_waited_for_and_said_once(
    watch: Watch, log: pytest.LogCaptureFixture
) -> None:
    journal = Journal(watch)
    missing = Acceptance(in_force=None, refusal=ConfigurationRefusal.MISSING)
    for _ in range(3):
        journal.write_configuration(missing, None)
    assert [(r.levelname, vars(r)["source"]) for r in log.records] == [
        ("WARNING", "ConfigMap bareway-system/config")
    ]
    assert lines(log) == [("WARNING", "there is no configuration yet; waiting for it")]


def test_a_configuration_that_goes_and_comes_back_is_said_each_time(
    watch: Watch, log: pytest.LogCaptureFixture
) -> None:
    journal = Journal(watch)
    here = Acceptance(in_force=in_force(1), offer=OFFER)
    gone = Acceptance(in_force=in_force(1), refusal=ConfigurationRefusal.MISSING)
    for acceptance in (here, gone, gone, here, gone):
        journal.write_configuration(acceptance, in_force(1))
    went = ("WARNING", "the configuration is gone; the last good one stays in force")
    assert lines(log) == [("INFO", "configuration in force"), went, went]


def test_a_configuration_is_said_to_be_in_force_only_when_it_is_written_and_once_a_generation(
    watch: Watch, log: pytest.LogCaptureFixture
) -> None:
    journal = Journal(watch)
    accepted = Acceptance(in_force=in_force(1), offer=OFFER)
    journal.write_configuration(accepted, None)
    assert lines(log) == []
    for generation in (1, 1, 2):
        journal.write_configuration(accepted, in_force(generation))
    assert lines(log) == [("INFO", "configuration in force")] * 2


def test_every_problem_is_one_line_with_its_place_until_it_is_repaired(
    watch: Watch, log: pytest.LogCaptureFixture
) -> None:
    journal = Journal(watch)
    bad = Acceptance(
        in_force=None, offer=OFFER, refusal=ConfigurationRefusal.INVALID, problems=(ERROR, WARNING)
    )
    for _ in range(2):
        journal.write_configuration(bad, None)
    places = [(vars(record)["path"], vars(record)["line"], vars(record)["hint"]) for record in log.records]
    assert places == [("pears", 2, "did you mean peers?"), ("peers", 3, "")]
    assert lines(log) == [("ERROR", "field pears not found"), ("WARNING", "not served yet")]
    journal.write_configuration(Acceptance(in_force=in_force(1), offer=OFFER), in_force(1))
    journal.write_configuration(bad, in_force(1))
    assert lines(log)[1:] == [("ERROR", "field pears not found"), ("WARNING", "not served yet")]


def test_of_problems_that_grow_in_number_only_the_new_ones_are_said(
    watch: Watch, log: pytest.LogCaptureFixture
) -> None:
    journal = Journal(watch)
    refused = Acceptance(in_force=None, offer=OFFER, refusal=ConfigurationRefusal.INVALID, problems=(ERROR,))
    journal.write_configuration(refused, None)
    journal.write_configuration(replace(refused, problems=(ERROR, WARNING)), None)
    journal.write_configuration(replace(refused, problems=(WARNING,)), None)
    journal.write_configuration(refused, None)
    assert [name for _, name in lines(log)] == [ERROR.message, WARNING.message, ERROR.message]


def test_an_api_server_that_goes_and_comes_back_is_said_each_time(
    watch: Watch, log: pytest.LogCaptureFixture
) -> None:
    journal = Journal(watch)
    journal.write_api()
    assert lines(log) == []

    def all_mirrors(*, connected: bool, trouble: str) -> None:
        for mirror in watch.mirrors:
            mirror.connected, mirror.trouble = connected, trouble
        for _ in range(2):
            journal.write_api()

    all_mirrors(connected=False, trouble="refused")
    all_mirrors(connected=True, trouble="")
    all_mirrors(connected=False, trouble="no answer")
    away, here = ("WARNING", "the API server is away; trying again"), ("INFO", "the API server answers")
    assert lines(log) == [away, here, away]


def test_an_outage_is_said_once_however_each_mirror_tells_it(
    watch: Watch, log: pytest.LogCaptureFixture
) -> None:
    journal = Journal(watch)
    for end in ("the connection was lost", "connection refused", ""):
        for mirror in watch.mirrors:
            mirror.connected, mirror.trouble = not end, end and f"GET {mirror.kind.plural}: {end}"
            journal.write_api()
    (away, here) = log.records
    assert vars(away)["errors"] == ("GET services: the connection was lost",)
    assert (away.levelname, here.getMessage()) == ("WARNING", "the API server answers")


def test_a_right_that_was_taken_away_is_no_outage(watch: Watch, log: pytest.LogCaptureFixture) -> None:
    journal = Journal(watch)
    watch.services.connected, watch.services.refused, watch.services.trouble = False, True, "403 Forbidden"
    journal.write_api()
    assert lines(log) == []
    assert (watch.troubles, watch.refusals) == ((), ("403 Forbidden",))
