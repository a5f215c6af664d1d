"""The campaign of layer 2: what is measured and what is kept, and which figure meets its target."""

import inspect
import json
from collections.abc import Callable
from pathlib import Path
from types import GenericAlias
from typing import get_args, get_origin, get_type_hints

import msgspec
import pytest

from bench import arp
from bench.layer2 import campaign as it
from bench.layer2.__main__ import SCENARIOS
from bench.layer2.campaign import Summary, campaign, code_of
from bench.layer2.targets import RUNS, TARGETS, Run, Target, judged
from sim.scale.measure import Scale

REPORT = {"found": [{"outage_s": {"p50": 0.7, "max": 0.8}}, {"outage_s": {"p50": 0.72, "max": 0.9}}]}
P50 = Target(run="x", what="p50", path="found.*.outage_s.p50", most=0.75)
MAX = Target(run="x", what="max", path="found.*.outage_s.max", most=0.85)


@pytest.mark.parametrize(
    ("target", "document", "worst", "is_met"),
    [
        pytest.param(P50, REPORT, 0.72, True, id="the worst family counts"),
        pytest.param(MAX, REPORT, 0.9, False, id="one family misses"),
        pytest.param(P50, {"found": []}, None, False, id="nothing was measured"),
        pytest.param(P50, None, None, False, id="there is no result"),
        pytest.param(
            Target(run="x", what="y", path="rows.-1.lost", most=0),
            {"rows": [{"lost": 5}, {"lost": 0}]},
            0.0,
            True,
            id="the last of a list",
        ),
        pytest.param(
            Target(run="x", what="y", path="writes.*", most=0, but=("events",)),
            {"writes": {"events": 9, "configmaps": 1}},
            1.0,
            False,
            id="all but some",
        ),
        pytest.param(
            Target(run="x", what="y", path="minutes", least=60),
            {"minutes": 59.5},
            59.5,
            False,
            id="too short",
        ),
        pytest.param(
            Target(run="x", what="y", path="found.*.owner", unlike="found.*.after", most=0),
            {"found": [{"owner": "a", "after": "a"}, {"owner": "a", "after": "b"}]},
            1.0,
            False,
            id="a move",
        ),
    ],
)
def test_a_figure_is_judged_by_its_worst_value(
    target: Target, document: object, worst: float | None, is_met: bool
) -> None:
    verdict = judged(target, document)
    assert (verdict.worst, verdict.is_met) == (worst, is_met)


def test_trials_that_the_host_spoiled_do_not_count_but_are_told() -> None:
    target = Target(run="x", what="y", path="found.*.silent_s", most=1)
    trials = [{"silent_s": 5, "stall_s": 0.2}, {"silent_s": 0.5, "stall_s": 0.01}]
    verdict = judged(target, {"found": trials})
    assert (verdict.worst, verdict.values, verdict.spoiled) == (0.5, 1, 1)
    assert judged(target, {"found": trials[:1]}).worst == 5


def test_every_scenario_is_part_of_the_campaign() -> None:
    words = [run.words for run in RUNS if run.module == "bench.layer2"]
    assert {name for name in SCENARIOS if not any(name in some for some in words)} == set()
    assert {target.run for target in TARGETS} <= {run.name for run in RUNS}
    assert len({run.name for run in RUNS}) == len(RUNS)


def result_of(run: Run) -> object:
    """The type of what the run prints, as far as targets look into it; None if there is no such scenario."""
    if run.module == "bench.arp":
        return arp.Report
    if run.module == "sim.scale":
        return Scale
    scenario: Callable[..., object] | None = SCENARIOS.get(run.words[1])
    return scenario and inspect.get_annotations(scenario, eval_str=True)["return"]


def leads_on(kind: object, steps: list[str]) -> bool:
    """Whether a path of names leads somewhere in a value of this type."""
    if not steps:
        return True
    step, rest = steps[0], steps[1:]
    if isinstance(kind, GenericAlias):
        part = get_args(kind)[-1] if get_origin(kind) is dict or step in {"*", "-1"} else None
        return part is not None and leads_on(part, rest)
    hints = get_type_hints(kind)
    return step in hints and leads_on(hints[step], rest)


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: f"{target.run}: {target.what}")
def test_every_target_names_a_figure_that_its_run_has(target: Target) -> None:
    (run,) = (run for run in RUNS if run.name == target.run)
    kind = result_of(run)
    for path in filter(None, (target.path, target.unlike)):
        steps = path.split(".")
        if steps[0] == "found":
            steps = steps[1:]
        assert kind is None or leads_on(kind, steps), path


class Table:
    """A campaign of runs that print a file."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self._source = folder / "source"
        good = Run(name="good", module="json.tool", words=(str(self._source),))
        monkeypatch.setattr(it, "RUNS", (Run(name="bad", module="no_such_module"), good))
        monkeypatch.setattr(it, "TARGETS", (Target(run="good", what="figure", path="figure", most=1),))

    def run(self, figure: float) -> Summary:
        self._source.write_text(json.dumps({"figure": figure}))
        return campaign(trials=1, more={}, only=[], folder=self.folder)


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Table:
    return Table(tmp_path, monkeypatch)


def test_a_run_that_fails_does_not_keep_the_others_from_running(table: Table) -> None:
    summary = table.run(0.5)
    assert set(summary.failed) == {"bad"}
    assert summary.measured == ["good"]
    assert (summary.met, summary.missed) == (1, 0)


def test_what_was_measured_of_this_code_is_kept(table: Table) -> None:
    table.run(0.5)
    summary = table.run(2.0)
    assert (summary.measured, summary.kept) == ([], ["good"])
    assert summary.verdicts[0].worst == 0.5


def test_what_was_measured_of_other_code_is_measured_again(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    table.run(0.5)
    monkeypatch.setattr(it, "code_of", lambda root: "other")
    summary = table.run(2.0)
    assert summary.measured == ["good"]
    assert (summary.met, summary.missed) == (0, 1)


def test_a_result_says_of_what_it_is_and_holds_what_was_printed(table: Table) -> None:
    table.run(0.5)
    kept = msgspec.json.decode((table.folder / "good.json").read_bytes())
    assert kept["figure"] == 0.5
    assert kept["of"]["command"].startswith("json.tool")


def test_code_is_known_by_its_files(tmp_path: Path) -> None:
    (tmp_path / "speaker").mkdir()
    source = tmp_path / "speaker" / "app.py"
    source.write_text("one")
    before = code_of(tmp_path)
    assert code_of(tmp_path) == before
    source.write_text("two")
    assert code_of(tmp_path) != before
