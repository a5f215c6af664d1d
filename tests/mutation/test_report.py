from collections import Counter
from pathlib import Path

import pytest

from mutation.drawing import draw
from mutation.equivalents import LIST, read_equivalents, stale
from mutation.fates import Change, Fate, Mutant, count
from mutation.report import About, page


def mutant(fate: Fate, *, line: int = 1, path: str = "bareway/decide/free.py") -> Mutant:
    change = Change(function="bareway.decide.free.lowest", was=f"a < {line}", now=f"a <= {line}")
    return Mutant(path=path, line=line, change=change, fate=fate)


ALL = [
    mutant(Fate.KILLED),
    mutant(Fate.TIMED_OUT, line=2),
    mutant(Fate.SURVIVED, line=3),
    mutant(Fate.SURVIVED, line=4),
    mutant(Fate.UNTESTED, line=5),
]
HARMLESS = {ALL[2].change: "both are the same number", ALL[0].change: "it is dead: this counts for nothing"}


def test_what_runs_out_of_time_is_dead_and_what_no_test_reaches_lives() -> None:
    counted = count(ALL, HARMLESS)
    assert (counted.mutants, counted.dead, counted.equivalent) == (5, 2, 1)
    assert counted.fates == Counter({Fate.SURVIVED: 2, Fate.KILLED: 1, Fate.TIMED_OUT: 1, Fate.UNTESTED: 1})
    assert (counted.share, counted.share_of_others) == (40.0, 50.0)


def test_of_no_mutants_all_are_dead() -> None:
    assert count([], []).share == 100.0


def test_the_page_has_a_row_for_each_module_and_a_line_for_each_that_lives() -> None:
    about = About(only="decide", commit="2026-11-21, commit abc", made=6)
    written = page(about, [*ALL, mutant(Fate.KILLED, path="bareway/decide/x.py")], HARMLESS)
    assert "by `make mutate ONLY=decide` on 2026-11-21, commit abc." in written
    assert "| free.py | 5 | 1 | 1 | 2 | 1 | 40.0 % | 50.0 % |" in written
    assert "| x.py | 1 | 1 | 0 | 0 | 0 | 100.0 % | 100.0 % |" in written
    assert "| **all** | 6 | 2 | 1 | 2 | 1 | 50.0 % | 60.0 % |" in written
    lives, rest = written.split("## What lives\n")[1].split("## What changes nothing\n")
    harmless, timed_out = rest.split("## What ran out of time\n")
    assert lives.strip().splitlines() == [
        "* bareway/decide/free.py:4: `a < 4` → `a <= 4`",
        "* bareway/decide/free.py:5: `a < 5` → `a <= 5`",
    ]
    assert harmless.strip() == "* bareway/decide/free.py:3: `a < 3` → `a <= 3`: both are the same number"
    assert timed_out.strip() == "* bareway/decide/free.py:2: `a < 2` → `a <= 2`"


def test_an_entry_of_the_list_that_no_living_mutant_needs_is_stale() -> None:
    assert stale(HARMLESS, ALL) == [ALL[0].change]


def test_a_package_has_its_own_part_of_the_list(tmp_path: Path) -> None:
    path = tmp_path / "list.toml"
    entry = '[[equivalent]]\nfunction = "bareway.{}.f"\nwas = "a"\nnow = "b"\nwhy = "c"\n'
    path.write_text(entry.format("decide.x") + entry.format("gossip"))
    assert read_equivalents("decide", path) == {Change(function="bareway.decide.x.f", was="a", now="b"): "c"}
    path.write_text(entry.format("decide.x") * 2)
    with pytest.raises(SystemExit, match="twice"):
        read_equivalents("decide", path)


def test_the_list_is_readable_and_every_entry_names_a_function_of_the_product() -> None:
    root = Path(__file__).parents[2]
    for package in ("decide", "gossip", "layer2"):
        for change in read_equivalents(package, LIST):
            names = change.function.split(".")
            files = (root / "/".join(names[:end]) for end in range(len(names)))
            assert any(file.with_suffix(".py").is_file() for file in files), change.function


def test_what_was_drawn_says_so() -> None:
    written = page(About(only="decide", commit="today", made=9), ALL, {})
    assert "`make mutate ONLY=decide SAMPLE=5`" in written
    assert "Of the 9 mutants that there are, 5 were tried" in written


def test_the_same_mutants_are_drawn_again_whatever_their_order() -> None:
    names = [f"m{number}" for number in range(100)]
    assert draw(names, 10) == draw(reversed(names), 10)
    assert (len(draw(names, 10)), len(draw(names, 1000)), len(draw(names, None))) == (10, 100, 100)
