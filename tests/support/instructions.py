"""The commands that a page tells somebody to type, and what is wrong with them: nothing is run here.

Commands of ``bareway`` are read by its own parser; those of kubectl, make and others as far as they name
something of ours.
"""

import re
import shlex
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from typing import Final

from bareway.cli.__main__ import command_parser
from support import kubectl_words
from support.pages import PROMPT, Block, samples
from support.slips import Place, Slip

OTHERS: Final = {"curl", "docker", "ip", "pipx", "sysctl", "uv"}
"""Programs that are not ours, of which a page may show a line; what follows is not looked at."""
NO_COMMANDS: Final = {"json", "toml", "yaml"}
_CUTS: Final = {"&&", "||", "|", ";"}
_REDIRECTIONS: Final = {">", ">>", "<"}
_IN_THE_IMAGE: Final = {"bareway", "python"}
_STANDS_FOR: Final = {"ADDRESS": "192.0.2.10", "SHELL": "bash"}
"""Placeholders that a parser looks into."""


def commands(block: Block) -> tuple[str, ...]:
    """What a reader is to type: lines with a prompt, or all of a block that begins with a program."""
    if block.language in NO_COMMANDS:
        return ()
    if any(line.startswith(PROMPT) for line in block.lines):
        return tuple(sample.command for sample in samples(block))
    joined = block.text.replace("\\\n", " ").splitlines()
    lines = tuple(line for line in joined if line.strip())
    is_typed = block.language == "sh" or (lines and program(lines[0].split()) in PROGRAMS)
    return lines if is_typed else ()


def program(words: Sequence[str]) -> str:
    """The first word that is no variable, without its folder."""
    return next((word for word in words if not re.match(r"[A-Z]+=", word)), "").rpartition("/")[2]


def parts(line: str) -> list[list[str]]:
    """The words of each program in a line; what is redirected is left out."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
    lexer.whitespace_split = True
    found: list[list[str]] = [[]]
    words = iter(lexer)
    for word in words:
        if word in _CUTS:
            found.append([])
        elif word in _REDIRECTIONS:
            next(words, None)
        else:
            found[-1].append(word)
    return [words for words in found if words]


def slips(line: str, place: Place) -> list[str]:
    """What is wrong with a line, one sentence for a command in it; nothing if all is well."""
    try:
        return [slip for words in parts(line) if (slip := _slip(words, place))]
    except ValueError as error:  # a quotation that never ends
        return [str(error)]


def read_bareway(words: Sequence[str]) -> Namespace:
    """What the command's own parser makes of the words after ``bareway``.

    Raises:
        Slip: It does not take them.
    """
    told = StringIO()
    words = [_STANDS_FOR.get(plain, plain) for plain in (word.strip("[]") for word in words)]
    try:
        with redirect_stderr(told), redirect_stdout(told):
            return command_parser("bareway", words).parse_args(words)
    except SystemExit as end:
        if end.code == 0:  # --help
            return Namespace(verb=None)
        raise Slip(told.getvalue().strip().splitlines()[-1]) from None


def _slip(words: Sequence[str], place: Place) -> str:
    judge = PROGRAMS.get(program(words))
    if judge is None:
        return f"{shlex.join(words)}: no program that is known"
    first = next(at for at, word in enumerate(words) if not re.match(r"[A-Z]+=", word))
    try:
        judge(words[first + 1 :], place)
    except Slip as slip:
        return f"{shlex.join(words)}: {slip}"
    return ""


def _bareway(words: Sequence[str], place: Place) -> None:
    asked = read_bareway(words)
    against = getattr(asked, "against", None)
    for name in (*(getattr(asked, "filename", None) or ()), *([against] if against else ())):
        if str(name) != "-" and not place.has(str(name)):
            raise Slip(f"{name} does not exist")


def _kubectl(words: Sequence[str], place: Place) -> None:
    if words[:1] == ["bareway"]:
        _bareway(words[1:], place)
        return
    at = words.index("--") if "--" in words else len(words)
    kubectl_words.judge(words[:at], place)
    inside = words[at + 1 :]
    if inside and inside[0] not in _IN_THE_IMAGE:
        raise Slip(f"{inside[0]} is not in the image")
    if inside[:1] == ["bareway"]:
        read_bareway(inside[1:])


def _make(words: Sequence[str], place: Place) -> None:
    text = (place.root / "Makefile").read_text()
    for word in (word.strip("[]") for word in words):
        variable, is_set, _ = word.partition("=")
        if is_set and f"({variable})" not in text:
            raise Slip(f"the Makefile knows no variable {variable}")
        if not is_set and not re.search(rf"^{re.escape(word)}:", text, re.MULTILINE):
            raise Slip(f"the Makefile has no target {word}")


def _python(words: Sequence[str], place: Place) -> None:
    if words[:1] != ["-m"] or len(words) < 2:
        raise Slip("only modules are run")
    path = words[1].replace(".", "/")
    found = (place.root / part / f"{path}{end}" for part in ("", "tests") for end in (".py", "/__main__.py"))
    if not any(each.exists() for each in found):
        raise Slip(f"there is no module {words[1]}")


def _ctr(words: Sequence[str], place: Place) -> None:
    if list(words[:3]) != ["-n", "k8s.io", "images"] or words[3:4] not in (["import"], ["rm"]):
        raise Slip("the images of Kubernetes are meant")


def _other(words: Sequence[str], place: Place) -> None:
    """Not ours."""


Judge = Callable[[Sequence[str], Place], None]
PROGRAMS: Final[Mapping[str, Judge]] = {
    "bareway": _bareway,
    "ctr": _ctr,
    "kubectl": _kubectl,
    "make": _make,
    "python": _python,
} | dict.fromkeys(OTHERS, _other)
