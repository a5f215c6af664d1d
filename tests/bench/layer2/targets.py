"""The rows of layer 2 as data: which runs there are, and what each figure of theirs is to be.

A new scenario needs a line in ``RUNS``, and one in ``TARGETS`` for each figure that is promised.
"""

from collections.abc import Iterator, Sequence

import msgspec

from bench.trials import STALL_MAX_S

FAILOVER_TRIALS = 30
FEW_TRIALS = 5
"""Of drains, freezes, and what else takes half a minute."""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One command and the file that its result is kept in."""

    name: str
    module: str = "bench.layer2"
    words: tuple[str, ...] = ()
    trials_most: int = 0
    """As many as wanted, but no more than these; 0 where the command knows no trials."""
    minutes: float = 5.0
    """That it needs, more or less; after three times as long, and ten minutes, it is given up."""


def _scenario(
    name: str, *words: str, under: str = "", trials_most: int = FEW_TRIALS, minutes: float = 5.0
) -> Run:
    return Run(
        name=under or name,
        words=("--scenario", name, *words),
        trials_most=trials_most,
        minutes=minutes,
    )


def _failover(name: str, *words: str, under: str = "", minutes: float = 10.0) -> Run:
    return _scenario(name, *words, under=under, trials_most=FAILOVER_TRIALS, minutes=minutes)


RUNS: tuple[Run, ...] = (
    _failover("power-off"),
    _failover("power-off", "--profile", "fast", under="power-off-fast"),
    _failover("power-off", "--nodes", "8", under="power-off-8-nodes", minutes=15),
    _failover("cut"),
    _failover("cut", "--profile", "fast", under="cut-fast"),
    _failover("cut", "--nodes", "8", under="cut-8-nodes", minutes=15),
    _failover("two-left"),
    _failover("one-left"),
    _scenario("kill"),
    _scenario("sigterm", "--addresses", "100"),
    _scenario("drain", "--addresses", "100"),
    _scenario("roll", "--addresses", "100", trials_most=1, minutes=8),
    _scenario("freeze"),
    _scenario("gossip-cut"),
    _scenario("cable-1s"),
    _scenario("cable-5s"),
    _scenario("blackout", "--addresses", "100"),
    _scenario("takeover", "--addresses", "1000", "--nodes", "2", minutes=10),
    _scenario("many", "--addresses", "5000", trials_most=3, minutes=15),
    _scenario("start", "--addresses", "5000", trials_most=3, minutes=15),
    _scenario("idle", "--addresses", "1000", "--nodes", "8", under="idle-1000", trials_most=1, minutes=8),
    _scenario("idle", "--addresses", "5000", "--nodes", "8", under="idle-5000", trials_most=1, minutes=15),
    _scenario("overload", "--addresses", "1000", "--nodes", "8", trials_most=3, minutes=10),
    Run(name="arp", module="bench.arp", minutes=2),
    Run(name="scale", module="sim.scale", minutes=10),
    _scenario("peers", minutes=15),
    _scenario("api-away", trials_most=3, minutes=15),
    _scenario("soak", "--loss", "1", under="soak-1", trials_most=10, minutes=70),
    _scenario("soak", "--loss", "5", under="soak-5", trials_most=10, minutes=70),
)


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What every value of a figure is to be at most, or at least."""

    run: str
    what: str
    path: str
    """Steps by dots: a name, ``-1`` for the last of a list, ``*`` for each of a list or of named values."""
    most: float = float("inf")
    least: float = float("-inf")
    unlike: str = ""
    """Where the same pair of things is told a second time: the figure is how many differ."""
    but: tuple[str, ...] = ()
    """Names that ``*`` leaves out."""


def _outage(run: str, p50_s: float, max_s: float, found: str = "found") -> Iterator[Target]:
    yield Target(run=run, what="outage p50, s", path=f"{found}.*.outage_s.p50", most=p50_s)
    yield Target(run=run, what="outage max, s", path=f"{found}.*.outage_s.max", most=max_s)


def _targets() -> Iterator[Target]:
    for run in ("power-off", "power-off-8-nodes", "cut", "cut-8-nodes", "two-left", "one-left"):
        yield from _outage(run, 0.75, 0.85)
    for run in ("power-off-fast", "cut-fast"):
        yield from _outage(run, 0.25, 0.35)
    yield Target(run="kill", what="moves", path="found.*.owner", unlike="found.*.owner_after", most=0)
    yield Target(run="kill", what="first answer, s", path="found.*.silent_during_s", most=1.3)
    for run in ("sigterm", "drain", "roll"):
        yield Target(run=run, what="failed new requests", path="found.*.failed.*", most=0)
        yield Target(run=run, what="successor's first answer, s", path="found.*.answered_s", most=0.05)
    yield Target(run="freeze", what="stale replies", path="found.*.stale_replies", most=0)
    for time in ("during", "after"):
        path = f"found.*.two_answerers_{time}_s"
        yield Target(run="gossip-cut", what=f"two answerers {time}, s", path=path, most=0.05)
    for run in ("cable-1s", "cable-5s"):
        path = "found.*.two_answerers_after_s"
        yield Target(run=run, what="two answerers after, s", path=path, most=0.05)
    yield from _outage("api-away", 0.75, 0.85, "found.without_api")
    yield Target(run="api-away", what="moves meanwhile", path="found.meanwhile.moves", most=0)
    yield Target(run="api-away", what="minutes", path="found.minutes", least=10)
    yield from _large()
    yield from _answers()
    yield from _soaks()


def _large() -> Iterator[Target]:
    yield Target(run="blackout", what="first answered, s", path="found.*.answered_first_s", most=4)
    yield Target(run="blackout", what="all answered, s", path="found.*.answered_all_s", most=4.5)
    yield Target(run="blackout", what="two answerers, s", path="found.*.two_answerers_s", most=0)
    yield Target(run="takeover", what="first frame, ms", path="found.*.first_frame_ms", most=5)
    yield Target(run="takeover", what="last frame, ms", path="found.*.last_frame_ms", most=60)
    yield Target(run="many", what="last answered, s", path="found.*.answered_last_s", most=1.2)
    yield Target(run="many", what="last told, s", path="found.*.told_last_s", most=1.2)
    yield Target(run="many", what="survivors' CPU, s", path="found.*.survivors_cpu_s.*", most=1)
    written = "API writes but Events"
    yield Target(run="many", what=written, path="found.*.writes.*", most=0, but=("events",))
    yield Target(run="start", what="last announced, s", path="found.*.told_last_s", most=3)
    for addresses, pss_mb in ((1000, 70), (5000, 80)):
        run = f"idle-{addresses}"
        yield Target(run=run, what="CPU, % of a core", path="found.*.cpu_percent_max", most=1.5)
        yield Target(run=run, what="PSS of a Pod, MB", path="found.*.pss_mb_max", most=pss_mb)
    yield Target(run="overload", what="last false death after, s", path="found.*.calm_after_s", most=60)
    yield Target(run="scale", what="detection p99, s", path="detection_p99_s", most=0.8)
    yield Target(run="scale", what="messages a second", path="messages_per_s_max", most=200)


def _answers() -> Iterator[Target]:
    for what, path, most in (
        ("quiet p50, ms", "quiet.-1.p50_ms", 0.1),
        ("quiet p99, ms", "quiet.-1.p99_ms", 1),
        ("busy p99, ms", "busy.-1.p99_ms", 20),
        ("20,000 a second for others, % of a core", "for_others.-1.cpu_percent", 1),
        ("10,000 a second for ours, lost", "for_ours.-1.lost", 0),
    ):
        yield Target(run="arp", what=what, path=f"families.*.{path}", most=most)


def _soaks() -> Iterator[Target]:
    for run in ("soak-1", "soak-5"):
        yield Target(run=run, what="false deaths", path="found.false_deaths", most=0)
        yield Target(run=run, what="minutes", path="found.minutes", least=60)
        yield from _outage(run, 0.75, 0.85, "found.cuts_in_loss")


TARGETS: tuple[Target, ...] = tuple(_targets())


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """One figure beside its target."""

    run: str
    what: str
    is_met: bool
    """False also where there is no value."""
    worst: float | None
    target: float
    values: int
    spoiled: int
    """Trials left out, since the host itself stood still; they stand in the file."""

    def __str__(self) -> str:
        found = "not measured" if self.worst is None else f"{self.worst:g}"
        spoiled = f", {self.spoiled} spoiled by the host" if self.spoiled else ""
        word = "met   " if self.is_met else "MISSED"
        return (
            f"{word} {self.run}: {self.what}: {found} (target {self.target:g}; {self.values} values{spoiled})"
        )


def judged(target: Target, document: object) -> Verdict:
    """What a result, as decoded from JSON, says of a figure; None for what was not measured."""
    found = Finding()
    found.walk(document, target.path.split("."), target.but)
    values: Sequence[object] = found.values
    if target.unlike:
        other = Finding()
        other.walk(document, target.unlike.split("."), target.but)
        pairs = zip(found.values, other.values, strict=True)
        values = [sum(one != two for one, two in pairs)] if found.values else []
    numbers = [float(value) for value in values if isinstance(value, int | float)]
    at_least = target.least > float("-inf")
    worst = (min if at_least else max)(numbers, default=None)
    return Verdict(
        run=target.run,
        what=target.what,
        is_met=worst is not None and target.least <= worst <= target.most,
        worst=worst,
        target=target.least if at_least else target.most,
        values=len(numbers),
        spoiled=found.spoiled,
    )


class Finding:
    """The values at a path."""

    def __init__(self) -> None:
        self.values: list[object] = []
        self.spoiled = 0

    def walk(self, document: object, steps: Sequence[str], but: Sequence[str] = ()) -> None:
        """Collect what is there; nothing where the path leads nowhere."""
        if not steps:
            self.values.append(document)
            return
        for part in self._parts(document, steps[0], but):
            self.walk(part, steps[1:], but)

    def _parts(self, document: object, step: str, but: Sequence[str]) -> Sequence[object]:
        if isinstance(document, dict):
            if step == "*":
                return [value for name, value in document.items() if name not in but]
            return [document[step]] if step in document else []
        if isinstance(document, list) and document:
            return self._unspoiled(document) if step == "*" else document[-1:] if step == "-1" else []
        return []

    def _unspoiled(self, trials: Sequence[object]) -> Sequence[object]:
        """Those during which the host did not stand still; if it did in all of them, all of them."""
        those = [trial for trial in trials if _stall_s(trial) <= STALL_MAX_S]
        if not those:
            return trials
        self.spoiled += len(trials) - len(those)
        return those


def _stall_s(trial: object) -> float:
    stall_s = trial.get("stall_s", 0.0) if isinstance(trial, dict) else 0.0
    return stall_s if isinstance(stall_s, int | float) else 0.0
