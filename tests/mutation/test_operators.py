import libcst
import pytest

from mutation.operators import OPERATORS


def mutants(code: str) -> list[str]:
    """The code after each of our mutations."""
    module = libcst.parse_module(code)
    found: list[str] = []

    class Walk(libcst.CSTVisitor):
        def on_visit(self, node: libcst.CSTNode) -> bool:
            for kind, operator in OPERATORS:
                if isinstance(node, kind):
                    found.extend(_replaced(module, node, changed) for changed in operator(node))
            return True

    module.visit(Walk())
    return found


def _replaced(module: libcst.Module, node: libcst.CSTNode, changed: libcst.CSTNode) -> str:
    replaced = module.deep_replace(node, changed)
    assert isinstance(replaced, libcst.Module)
    compile(replaced.code, "mutant", "exec")
    return replaced.code


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        pytest.param(
            "if a < b:\n    c = 1\n", ["if not (a < b):\n    c = 1\n"], id="a condition is turned round"
        ),
        pytest.param(
            "x = [a for a in b if a]\n", ["x = [a for a in b if not (a)]\n"], id="also of a comprehension"
        ),
        pytest.param("names.clear()\n", ["pass\n"], id="a call for its effect is left out"),
        pytest.param("del a[b]\n", ["pass\n"], id="something stays"),
        pytest.param("def f():\n    raise Bad\n", ["def f():\n    pass\n"], id="nothing is raised"),
        pytest.param("for a in b:\n    continue\n", ["for a in b:\n    pass\n"], id="a loop goes on"),
        pytest.param("def f():\n    return a\n", ["def f():\n    return None\n"], id="nothing is returned"),
        pytest.param("def f():\n    return(a)\n", ["def f():\n    return None\n"], id="also from brackets"),
        pytest.param("x = min(a)\n", ["x = max(a)\n"], id="the highest instead of the lowest"),
        pytest.param("x = any(a)\n", ["x = all(a)\n"], id="all instead of any"),
    ],
)
def test_a_mutation_changes_one_thing(code: str, expected: list[str]) -> None:
    assert mutants(code) == expected


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("if a == b:\n    c = 1\n", id="a lone comparison, turned round by mutmut"),
        pytest.param("if not a:\n    c = 1\n", id="a denial, taken away by mutmut"),
        pytest.param("while a < b:\n    c = 1\n", id="what might never end"),
        pytest.param('def f():\n    """Words."""\n', id="a docstring"),
        pytest.param("def f():\n    yield a\n", id="what a generator yields"),
        pytest.param("def f():\n    return\n", id="a return of nothing"),
        pytest.param("def f():\n    return True\n", id="a constant, turned round by mutmut"),
    ],
)
def test_what_mutmut_does_or_cannot_die_is_left_alone(code: str) -> None:
    assert mutants(code) == []
