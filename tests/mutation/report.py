"""The report as a page: figures of each module, what lives, and why some of it cannot die."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

from mutation.fates import DEAD, Change, Fate, Mutant, count

HEAD = """# Mutation testing of bareway/{only}

Written by `make mutate ONLY={only}{sample}` on {commit}.

**{share:.1f} % of the mutants die, {share_of_others:.1f} % without the {equivalent} that change nothing.**

By mutmut, with operators of our own (`operators.py`) and `tests/bareway/{only}` alone, Hypothesis with fixed
seeds. A mutant that runs until its time is up is dead; one that no test reaches lives. mutmut leaves out
what stands outside of functions, such as constants and defaults of classes, and functions with a decorator,
such as properties.{drawn}

| module | mutants | killed | timed out | survived | untested | dead | without equivalents |
|---|--:|--:|--:|--:|--:|--:|--:|
"""
DRAWN = """

Of the {made} mutants that there are, {tried} were tried, drawn by a fixed seed."""
ROW = (
    "| {name} | {count.mutants} | {killed} | {timed_out} | {survived} | {untested} |"
    " {count.share:.1f} % | {count.share_of_others:.1f} % |\n"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a page is about."""

    only: str
    """The package."""
    commit: str
    made: int
    """Mutants that there are; where fewer were tried they were drawn."""


def page(about: About, mutants: Sequence[Mutant], equivalent: Mapping[Change, str]) -> str:
    """The whole page."""
    total, only = count(mutants, equivalent), about.only
    is_drawn = len(mutants) < about.made
    head = HEAD.format(
        only=only,
        sample=f" SAMPLE={len(mutants)}" if is_drawn else "",
        drawn=DRAWN.format(tried=len(mutants), made=about.made) if is_drawn else "",
        commit=about.commit,
        share=total.share,
        share_of_others=total.share_of_others,
        equivalent=total.equivalent,
    )
    rows = [
        _row(path.removeprefix(f"bareway/{only}/"), list(of_path), equivalent)
        for path, of_path in groupby(mutants, key=attrgetter("path"))
    ]
    living = [one for one in mutants if one.fate not in DEAD]
    return "".join(
        [
            head,
            *rows,
            _row("**all**", mutants, equivalent),
            _listed("What lives", [one for one in living if one.change not in equivalent], {}),
            _listed("What changes nothing", [one for one in living if one.change in equivalent], equivalent),
            _listed("What ran out of time", [one for one in mutants if one.fate is Fate.TIMED_OUT], {}),
        ]
    )


def _row(name: str, mutants: Sequence[Mutant], equivalent: Iterable[Change]) -> str:
    counted = count(mutants, equivalent)
    fates = counted.fates
    return ROW.format(
        name=name,
        count=counted,
        killed=fates[Fate.KILLED],
        timed_out=fates[Fate.TIMED_OUT],
        survived=fates[Fate.SURVIVED] + fates[Fate.LOST],
        untested=fates[Fate.UNTESTED],
    )


def _listed(title: str, mutants: Sequence[Mutant], reasons: Mapping[Change, str]) -> str:
    if not mutants:
        return ""
    lines = [f"\n## {title}\n\n"]
    for one in mutants:
        now = f"`{one.change.now}`" if one.change.now else "nothing"
        lines.append(f"* {one.path}:{one.line}: `{one.change.was}` → {now}")
        lines.append(f": {reasons[one.change]}\n" if one.change in reasons else "\n")
    return "".join(lines)
