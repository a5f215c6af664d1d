"""What members wrote of each other: alarms, refutations, and deaths that no fault of ours explains."""

import json
from pathlib import Path

import pytest

from bench.layer2.chronicle import Entry, Fault, Line, LogReader, judge

CUT = Fault(node="b", began=10.0, ended=20.0)


def entry(at: float, by: str, member: str, state: str, reason: str = "Silent") -> Entry:
    return Entry(at=at, by=by, line=Line(msg="member changed", member=member, state=state, reason=reason))


def test_an_alarm_that_its_victim_refutes_is_counted_at_each_member() -> None:
    found = judge(
        [
            entry(1.0, "a", "b", "Suspect"),
            entry(1.1, "c", "b", "Suspect", "Accused"),
            entry(1.2, "a", "b", "Alive", "Refuted"),
            entry(1.3, "c", "b", "Alive", "Refuted"),
            entry(2.0, "a", "c", "Suspect"),
        ]
    )
    assert (found.alarms, found.refuted, found.open, found.deaths) == (3, 2, 1, 0)
    assert found.alarms_by_reason == {"Silent": 2, "Accused": 1}


@pytest.mark.parametrize(
    ("death", "is_false"),
    [
        pytest.param(entry(10.7, "a", "b", "Dead"), False, id="the one that was cut off"),
        pytest.param(entry(10.7, "b", "a", "Dead"), False, id="seen from there"),
        pytest.param(entry(10.7, "a", "c", "Dead"), True, id="another one at that time"),
        pytest.param(entry(9.9, "a", "b", "Dead"), True, id="before"),
        pytest.param(entry(20.1, "a", "b", "Dead"), True, id="after all knew each other again"),
    ],
)
def test_a_death_is_false_unless_a_fault_of_ours_explains_it(death: Entry, is_false: bool) -> None:
    found = judge([death], [CUT])
    assert found.deaths == 1
    assert found.false_deaths == ([death] if is_false else [])


def test_addresses_that_change_hands_are_counted() -> None:
    lines = [
        Line(msg="announcing", count=3),
        Line(msg="withdrawn", count=2),
        Line(msg="announcing anew", count=9),
    ]
    found = judge(Entry(at=1.0, by="a", line=line) for line in lines)
    assert (found.moves, found.withdrawn) == (3, 2)


def test_a_log_is_read_line_by_line_while_it_is_written(tmp_path: Path) -> None:
    log = tmp_path / "log"
    line = {"msg": "member changed", "ts": "1970-01-01T00:00:07.500Z", "member": "b", "state": "Dead"}
    log.write_text("old news\n")
    reader = LogReader("a", log)
    reader.skip()
    with log.open("a") as it:
        it.write('no JSON\n{"msg": "look"}\n' + json.dumps(line)[:20])
        it.flush()
        reader.read()
        assert reader.entries == []
        it.write(json.dumps(line)[20:] + "\n")
    reader.read()
    reader.read()
    (found,) = reader.entries
    assert (found.at, found.by, found.line.member) == (7.5, "a", "b")
