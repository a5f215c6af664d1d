"""Tries every mutant of packages and writes tests/mutation/report-<package>.md; by hand, it takes long.

    python -m mutation decide                  a fresh copy, all mutants, the report
    python -m mutation decide layer2 --commit HEAD --sample 1000
                                               of a commit, whatever is changed meanwhile; only so many, the
                                               same ones each time; one package after the other
    python -m mutation decide --minutes 60     what was tried by then is a fair sample, and reported
    python -m mutation decide --on             go on with the copy where it was stopped
    python -m mutation decide --again          after writing tests: only what lived last time, no report

The copy is in .cache/mutation. It runs at the lowest priority, with as many workers as --workers says.
"""

import argparse
import os
import signal
import subprocess
import sys
from pathlib import Path

from mutation.copying import copy_tests, copy_tree, origin
from mutation.drawing import draw
from mutation.equivalents import read_equivalents, stale
from mutation.fates import DEAD, Fate, count
from mutation.report import About, page
from mutation.results import read_results

ROOT = Path(__file__).resolve().parent.parent.parent
LOWEST_PRIORITY = 19
MINUTE_S = 60


def main(arguments: list[str]) -> int:
    """Exit code 1 if the list of equivalent mutants is not right."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    packages = sorted(path.parent.name for path in (ROOT / "bareway").glob("*/__init__.py"))
    parser.add_argument("only", choices=packages, nargs="+")
    parser.add_argument("--commit", help="what this commit has, instead of the files as they are")
    parser.add_argument("--sample", type=int, metavar="N", help="try N mutants, drawn by a fixed seed")
    parser.add_argument("--minutes", type=float, help="end each package after so long")
    parser.add_argument("--on", action="store_true", help="go on with the copy that is there")
    parser.add_argument("--again", action="store_true", help="only what lived in the last run")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args(arguments)
    os.nice(LOWEST_PRIORITY)
    return max(try_package(only, given) for only in given.only)


def try_package(only: str, given: argparse.Namespace) -> int:
    """All of one package, from the copy to the report."""
    tree = ROOT / ".cache" / "mutation" / only
    again: list[str] = []
    if given.again:
        copy_tests(ROOT, tree, commit=given.commit)
        again = [name for name, one in read_results(tree).items() if one.fate not in {*DEAD, Fate.UNTRIED}]
    elif not given.on:
        copy_tree(ROOT, tree, only, commit=given.commit)
    python = ["env", f"PYTHONPATH={tree / 'tests'}", sys.executable]
    engine = [*python, "-m", "mutation.engine", "--workers", str(given.workers)]
    engine += [] if given.sample is None else ["--sample", str(given.sample)]
    ended = run([*engine, *again], tree, minutes=given.minutes)
    return ended or tell(only, tree, sample=given.sample, is_reported=not given.again)


def run(engine: list[str], tree: Path, *, minutes: float | None) -> int:
    """Until all is tried, or time is up: then the mutant that is being tried is the last one."""
    with subprocess.Popen(engine, cwd=tree) as process:
        try:
            return process.wait(None if minutes is None else minutes * MINUTE_S)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
            return process.wait()


def tell(only: str, tree: Path, *, sample: int | None, is_reported: bool) -> int:
    """Print what lives, and write the report."""
    equivalent = read_equivalents(only)
    found = read_results(tree)
    chosen = draw(found, sample)
    mutants = [one for name, one in found.items() if name in chosen and one.fate is not Fate.UNTRIED]
    for mutant in mutants:
        if mutant.fate not in DEAD and mutant.change not in equivalent:
            print(f"{mutant.path}:{mutant.line}: {mutant.change.was} → {mutant.change.now}")
    counted = count(mutants, equivalent)
    shares = f"{counted.share:.1f} % dead, {counted.share_of_others:.1f} % without equivalents"
    print(f"{counted.mutants} mutants, {shares}")
    if is_reported:
        target = Path(__file__).with_name(f"report-{only}.md")
        about = About(only=only, commit=origin(tree), made=len(found))
        target.write_text(page(about, mutants, equivalent))
        print(f"written: {target.relative_to(ROOT)}")
    wrong = stale(equivalent, mutants) if len(mutants) == len(found) else []
    for change in wrong:
        print(
            f"not alive, so not equivalent: {change.function}: {change.was} → {change.now}", file=sys.stderr
        )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
