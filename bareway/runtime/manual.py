"""The manual of a program's settings, printed from what the code says.

A flag's meaning is the text below the field that it fills, its default the field's. ``--help`` prints the
manual; ``settings_table`` is the same as a Markdown table, for docs/flags.md.
"""

import ast
import inspect
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from bareway.runtime.flags import ENVIRONMENT_PREFIXES, Flag, IgnoredFlag


def manual(program: str, example: Any, flags: Sequence[Flag], ignored: Sequence[IgnoredFlag]) -> str:  # noqa: ANN401 - any dataclass
    """What ``--help`` prints; ``example`` is the settings' dataclass with its defaults."""
    lines = [f"{program} [--flag=value]…", ""]
    texts = field_texts(type(example))
    for flag in flags:
        default, meaning = _shown(example, flag, texts)
        lines.append(f"  --{flag.name}" + (f" (default {default})" if default else ""))
        lines.append(textwrap.indent(textwrap.fill(meaning, 96), "      "))
        if flag.environment:
            names = " or ".join(prefix + flag.environment for prefix in ENVIRONMENT_PREFIXES)
            lines.append(f"      Environment: {names}.")
    lines += ["", "Accepted without meaning, because manifests for MetalLB have them:"]
    lines += [f"  --{flag.name}: {flag.reason}" for flag in ignored]
    return "\n".join(lines) + "\n"


def settings_table(example: Any, flags: Sequence[Flag]) -> str:  # noqa: ANN401 - any dataclass
    """The settings as a Markdown table."""
    texts = field_texts(type(example))
    rows = ["| flag | environment | default | meaning |", "|---|---|---|---|"]
    for flag in flags:
        prefixes = ENVIRONMENT_PREFIXES if flag.environment else ()
        names = " ".join(f"`{prefix}{flag.environment}`" for prefix in prefixes)
        default, meaning = _shown(example, flag, texts)
        shown = f"`{default}`" if default else ""
        rows.append(f"| `--{flag.name}` | {names} | {shown} | {meaning} |")
    return "\n".join(rows) + "\n"


def _shown(example: Any, flag: Flag, texts: Mapping[str, str]) -> tuple[str, str]:  # noqa: ANN401 - any dataclass
    """The default of a flag, and what it means."""
    if flag.short_for:
        return "false", f"MetalLB's switch: short for `{flag.short_for}`."
    return default_text(example, flag.field), texts[flag.field]


def field_texts(settings: type) -> dict[str, str]:
    """The string below each field of a dataclass and of those it extends, by field."""
    texts: dict[str, str] = {}
    for owner in reversed([one for one in settings.__mro__ if one is not object]):
        (body,) = ast.parse(textwrap.dedent(inspect.getsource(owner))).body
        assert isinstance(body, ast.ClassDef)  # noqa: S101 - the source of a class is a class
        for statement, below in zip(body.body, body.body[1:], strict=False):
            match statement, below:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                    texts[name] = " ".join(text.split())
                case _:
                    pass
    return texts


def default_text(example: Any, field: str) -> str:  # noqa: ANN401 - any dataclass
    """The default of ``field`` as one would write it; empty where there is none to write."""
    assert field in {one.name for one in fields(example)}  # noqa: S101 - a test checks each flag's field
    value = getattr(example, field)
    return "" if value in (None, "", {}, ()) else str(value).lower() if value is False else str(value)
