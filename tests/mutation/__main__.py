"""Tries every mutant of a package and writes tests/mutation/report-<package>.md; by hand, it takes long.

    python -m mutation decide            a fresh copy, all mutants, the report
    python -m mutation decide --sample 1500    only so many, the same ones each time
    python -m mutation decide --again    after writing tests: only what lived last time, no report

The copy is in .cache/mutation. It runs at the lowest priority, with as many workers as --workers says.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from mutation.copying import copy_tests, copy_tree
from mutation.drawing import draw
from mutation.equivalents import read_equivalents, stale
from mutation.fates import DEAD, count
from mutation.report import About, page
from mutation.results import read_results

ROOT = Path(__file__).resolve().parent.parent.parent
LOWEST_PRIORITY = 19


def main(arguments: list[str]) -> int:
    """Exit code 1 if the list of equivalent mutants is not right."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "only", choices=sorted(path.parent.name for path in (ROOT / "bareway").glob("*/__init__.py"))
    )
    parser.add_argument("--again", action="store_true", help="only what lived in the last run")
    parser.add_argument("--sample", type=int, metavar="N", help="try N mutants, drawn by a fixed seed")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args(arguments)
    tree = ROOT / ".cache" / "mutation" / given.only
    again: list[str] = []
    if given.again:
        copy_tests(ROOT, tree)
        again = [name for name, mutant in read_results(tree).items() if mutant.fate not in DEAD]
    else:
        copy_tree(ROOT, tree, given.only)
    os.nice(LOWEST_PRIORITY)
    python = ["env", f"PYTHONPATH={tree / 'tests'}", sys.executable]
    engine = [*python, "-m", "mutation.engine", "--workers", str(given.workers)]
    engine += [] if given.sample is None else ["--sample", str(given.sample)]
    ended = subprocess.run([*engine, *again], cwd=tree, check=False)
    if ended.returncode:
        return ended.returncode
    return tell(given.only, tree, sample=given.sample, is_reported=not given.again)


def tell(only: str, tree: Path, *, sample: int | None, is_reported: bool) -> int:
    """Print what lives, and write the report."""
    equivalent = read_equivalents(only)
    found = read_results(tree)
    chosen = draw(found, sample)
    mutants = [mutant for name, mutant in found.items() if name in chosen]
    for mutant in mutants:
        if mutant.fate not in DEAD and mutant.change not in equivalent:
            print(f"{mutant.path}:{mutant.line}: {mutant.change.was} → {mutant.change.now}")
    counted = count(mutants, equivalent)
    shares = f"{counted.share:.1f} % dead, {counted.share_of_others:.1f} % without equivalents"
    print(f"{counted.mutants} mutants, {shares}")
    if is_reported:
        target = Path(__file__).with_name(f"report-{only}.md")
        about = About(only=only, commit=_commit(), made=len(found))
        target.write_text(page(about, mutants, equivalent))
        print(f"written: {target.relative_to(ROOT)}")
    wrong = stale(equivalent, mutants) if len(mutants) == len(found) else []
    for change in wrong:
        print(
            f"not alive, so not equivalent: {change.function}: {change.was} → {change.now}", file=sys.stderr
        )
    return 1 if wrong else 0


def _commit() -> str:
    told = subprocess.run(
        ["git", "log", "-1", "--format=%cs, commit %h"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    changed = subprocess.run(
        ["git", "status", "--porcelain", "bareway", "tests"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return told.stdout.strip() + (" with changes" if changed.stdout.strip() else "")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
