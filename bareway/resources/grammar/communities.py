"""BGP communities as a document writes them: ``N:N`` (RFC 1997), ``large:A:B:C`` (RFC 8092), and aliases."""

from collections.abc import Mapping, Sequence
from typing import Final

from bareway.resources.grammar.scalars import quoted
from bareway.resources.grammar.sections import Section

LARGE: Final = "large:"
STANDARD_HINT: Final = "write two numbers up to 65535 like 64512:30"
LARGE_HINT: Final = "write three numbers up to 4294967295 like 64512:1:30"
DIGITS_MAX: Final = 10  # of 2^32 - 1
LARGE_PARTS: Final = 3


def read_aliases(documents: Sequence[Section]) -> Mapping[str, str]:
    """The entry ``bgp-communities`` of all documents; of an alias in two the later one counts."""
    aliases: dict[str, str] = {}
    for document in documents:
        for alias, place in document.mapping("bgp-communities"):
            text = document.walk.text(place)
            if text is None:
                continue
            try:
                aliases[alias] = standard_community(text)
            except ValueError as error:
                document.walk.fail(place, f"parsing community {quoted(alias)}: {error}", hint=STANDARD_HINT)
    return aliases


def read_communities(section: Section, aliases: Mapping[str, str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The standard and the large communities of one advertisement, aliases resolved."""
    written: set[str] = set()
    standard: dict[str, None] = {}
    large: dict[str, None] = {}
    for place, text in section.texts("communities"):
        if text in written:
            message = f"{section.told}duplicate definition of community {quoted(text)}"
            section.walk.fail(place, message, hint="write it once")
        written.add(text)
        try:
            if text not in aliases and text.startswith(LARGE):
                large[large_community(text)] = None
            else:
                standard[aliases.get(text) or standard_community(text)] = None
        except ValueError as error:
            message = f"{section.told}invalid community {quoted(text)} in BGP advertisement: {error}"
            hint = LARGE_HINT if text.startswith(LARGE) else f"{STANDARD_HINT}, or a name in bgp-communities"
            section.walk.fail(place, message, hint=hint)
    for place, text in section.texts("large-communities"):
        try:
            large[large_community(text)] = None
        except ValueError as error:
            message = f"{section.told}invalid community {quoted(text)} in BGP advertisement: {error}"
            section.walk.fail(place, message, hint=LARGE_HINT)
    return tuple(standard), tuple(large)


def standard_community(text: str) -> str:
    """A community in its shortest writing.

    Raises:
        ValueError: with MetalLB's words for what is wrong.
    """
    parts = text.split(":")
    if len(parts) != len(("first", "second")):
        raise ValueError(f"invalid community string {quoted(text)}")
    numbers = []
    for part, word in zip(parts, ("first", "second"), strict=True):
        if not _is_number(part, 16):
            wrong = "value out of range" if _is_number(part, 64) else "invalid syntax"
            told = f"strconv.ParseUint: parsing {quoted(part)}: {wrong}"
            raise ValueError(f"invalid {word} section of community {quoted(part)}: {told}")
        numbers.append(str(int(part)))
    return ":".join(numbers)


def large_community(text: str) -> str:
    """A large community in its shortest writing, without the word ``large``.

    Raises:
        ValueError: says what is wrong.
    """
    parts = text.removeprefix(LARGE).split(":")
    if len(parts) != LARGE_PARTS:
        raise ValueError(f"invalid community string {quoted(text)}")
    for part in parts:
        if not _is_number(part, 32):
            raise ValueError(f"invalid section {quoted(part)} of large community {quoted(text)}")
    return ":".join(str(int(part)) for part in parts)


def _is_number(text: str, bits: int) -> bool:
    significant = text.lstrip("0") or text[-1:]
    if not (text.isascii() and text.isdecimal()):
        return False
    return bits > DIGITS_MAX * 4 or (len(significant) <= DIGITS_MAX and int(significant) < 2**bits)
