"""What the members themselves wrote down: alarms, refutations, deaths, and addresses that changed hands.

Read from the speakers' logs while they run. A death is false unless a fault of ours explains
it: one that struck the member that is held dead, or the one that holds it dead.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

import msgspec

ALIVE, SUSPECT, DEAD = "Alive", "Suspect", "Dead"


class Line(msgspec.Struct, frozen=True):
    """A line of a speaker's log, as far as it is of interest here."""

    msg: str = ""
    ts: str = ""
    member: str = ""
    state: str = ""
    reason: str = ""
    ips: str = ""
    count: int = 0


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One line, and who wrote it when."""

    at: float
    """Seconds since 1970, as the log says."""
    by: str
    line: Line


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """What we did to a node, from its beginning until all knew each other again."""

    node: str
    began: float
    ended: float

    def explains(self, death: Entry) -> bool:
        """Whether the dead or the one who says so was struck then."""
        return self.began <= death.at <= self.ended and self.node in {death.by, death.line.member}


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """What the members thought of each other, counted at each member."""

    alarms: int
    """Members suspected, by reason: ``Silent`` was raised by an edge of the one who wrote it."""
    alarms_by_reason: dict[str, int]
    refuted: int
    open: int
    """Suspected still when the reading ended."""
    deaths: int
    false_deaths: list[Entry]
    moves: int
    """Addresses taken by a node that did not hold them."""
    withdrawn: int


class LogReader:
    """The entries of one log, a little more of it at each reading."""

    def __init__(self, by: str, path: Path) -> None:
        self.by = by
        self._path = path
        self._offset = 0
        self.entries: list[Entry] = []

    def skip(self) -> None:
        """Leave out what stands there already."""
        self._offset = self._path.stat().st_size
        self.entries.clear()

    def read(self) -> None:
        """Take in every whole line that is new."""
        with self._path.open("rb") as lines:
            lines.seek(self._offset)
            for raw in lines:
                if not raw.endswith(b"\n"):  # still being written
                    break
                self._offset += len(raw)
                if entry := _entry(raw, self.by):
                    self.entries.append(entry)


def _entry(raw: bytes, by: str) -> Entry | None:
    try:
        line = msgspec.json.decode(raw, type=Line)
        at = datetime.fromisoformat(line.ts).timestamp()
    except (msgspec.MsgspecError, ValueError):  # what Python or the supervisor says is no JSON
        return None
    if line.msg not in {"member changed", "announcing", "withdrawn"}:
        return None
    return Entry(at=at, by=by, line=line)


def judge(entries: Iterable[Entry], faults: Sequence[Fault] = ()) -> Judgement:
    """Count what is in the logs of all members together."""
    suspected: dict[tuple[str, str], bool] = {}
    reasons: dict[str, int] = {}
    refuted = deaths = moves = withdrawn = 0
    false_deaths: list[Entry] = []
    for entry in sorted(entries, key=lambda entry: entry.at):
        line, pair = entry.line, (entry.by, entry.line.member)
        if line.msg != "member changed":
            moves += line.count * (line.msg == "announcing")
            withdrawn += line.count * (line.msg == "withdrawn")
        elif line.state == SUSPECT:
            reasons[line.reason] = reasons.get(line.reason, 0) + 1
            suspected[pair] = True
        elif line.state == DEAD:
            deaths += 1
            suspected.pop(pair, None)
            if not any(fault.explains(entry) for fault in faults):
                false_deaths.append(entry)
        elif line.state == ALIVE:
            refuted += suspected.pop(pair, False)
    return Judgement(
        alarms=sum(reasons.values()),
        alarms_by_reason=reasons,
        refuted=refuted,
        open=len(suspected),
        deaths=deaths,
        false_deaths=false_deaths,
        moves=moves,
        withdrawn=withdrawn,
    )
