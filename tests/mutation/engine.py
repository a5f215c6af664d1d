"""Runs mutmut in the folder that one stands in, with our own operators and limits that a busy machine keeps.

    python -m mutation.engine [--sample N] [--workers N] [NAME…]

mutmut stops a mutant that takes long by the clock on the wall, and sends its signal also to processes that
have long ended. Here only the time of the CPU counts, which the kernel watches.
"""

import argparse
import resource
import sys

import mutmut.__main__ as program
from mutmut.mutation.mutators import mutation_operators
from mutmut.runners.harness import PytestRunner
from mutmut.workers import isolation

from mutation.operators import OPERATORS
from mutation.trying import Turns, drawn, in_two_parts

MEMORY_MAX = 3 << 30
"""Bytes: a mutant that collects without end ends itself before it ends the machine."""

COLLECT = "collect_source_file_mutation_data"
HOW_LONG = "estimated_worst_case_time"


def main(arguments: list[str]) -> None:
    """Make the mutants that are not there yet and try those that were not tried yet."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sample", type=int)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("names", nargs="*")
    given = parser.parse_args(arguments)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MAX, MEMORY_MAX))
    inside = vars(isolation)
    missing = {"register_timeout"} - inside.keys() | {COLLECT, HOW_LONG} - vars(program).keys()
    if missing or not isinstance(mutation_operators, list):
        raise SystemExit(
            "mutation: this version of mutmut is another one inside; see tests/mutation/engine.py"
        )
    mutation_operators.extend(OPERATORS)
    inside["register_timeout"] = lambda pid, timeout_s: None
    PytestRunner.run_tests = in_two_parts(PytestRunner.run_tests)  # type: ignore[method-assign]  # on purpose
    turns = Turns()
    vars(program)[COLLECT] = drawn(turns.given(vars(program)[COLLECT]), given.sample)
    vars(program)[HOW_LONG] = turns.of
    program.cli(["run", "--max-children", str(given.workers), *given.names])


if __name__ == "__main__":
    main(sys.argv[1:])
