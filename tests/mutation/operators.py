"""Mutations beside those of mutmut: what a person gets wrong who forgets a line or the other case.

A condition is turned round, a statement left out, nothing returned, the lowest taken for the highest. Not
here: what mutmut does already (it turns round a lone ``==``, ``is``, ``in`` or ``not``), and turning round
the condition of a ``while``, which only makes mutants that never end.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import libcst

Operator: TypeAlias = tuple[type[libcst.CSTNode], Callable[..., Iterator[libcst.CSTNode]]]

TURNED_ROUND_BY_MUTMUT = (
    libcst.Equal,
    libcst.NotEqual,
    libcst.Is,
    libcst.IsNot,
    libcst.In,
    libcst.NotIn,
)
TWINS = {"min": "max", "max": "min", "any": "all", "all": "any"}
CONSTANTS = {"None", "True", "False"}


def turn_round(node: libcst.If | libcst.CompIf) -> Iterator[libcst.CSTNode]:
    """``if a < b`` → ``if not (a < b)``."""
    match node.test:
        case libcst.UnaryOperation(operator=libcst.Not()):
            return
        case libcst.Comparison(comparisons=[only]) if isinstance(only.operator, TURNED_ROUND_BY_MUTMUT):
            return
    inner = node.test.with_changes(
        lpar=[libcst.LeftParen(), *node.test.lpar], rpar=[*node.test.rpar, libcst.RightParen()]
    )
    yield node.with_changes(test=libcst.UnaryOperation(operator=libcst.Not(), expression=inner))


def leave_out(node: libcst.Expr | libcst.Del | libcst.Raise | libcst.Continue) -> Iterator[libcst.CSTNode]:
    """``names.append(name)`` → ``pass``; not what a generator yields, without which it is none."""
    if not isinstance(node, libcst.Expr) or isinstance(node.value, libcst.Call):
        yield libcst.Pass()


def return_nothing(node: libcst.Return) -> Iterator[libcst.CSTNode]:
    """``return found`` → ``return None``."""
    match node.value:
        case None:
            return
        case libcst.Name(value=word) if word in CONSTANTS:
            return
    yield node.with_changes(value=libcst.Name("None"), whitespace_after_return=libcst.SimpleWhitespace(" "))


def take_the_twin(node: libcst.Call) -> Iterator[libcst.CSTNode]:
    """``min(ends)`` → ``max(ends)``."""
    match node.func:
        case libcst.Name(value=word) if word in TWINS:
            yield node.with_changes(func=libcst.Name(TWINS[word]))


OPERATORS: Sequence[Operator] = (
    (libcst.If, turn_round),
    (libcst.CompIf, turn_round),
    (libcst.Expr, leave_out),
    (libcst.Del, leave_out),
    (libcst.Raise, leave_out),
    (libcst.Continue, leave_out),
    (libcst.Return, return_nothing),
    (libcst.Call, take_the_twin),
)
