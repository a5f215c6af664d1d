"""The project's pages as a reader sees them: headings, links, blocks of code, and the commands in those."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
PROMPT: Final = "$ "
EXIT_CODE: Final = "echo $?"

_FENCE: Final = re.compile(r"^ *(`{3,})(\w*)$")
_INDENTED: Final = re.compile(r"^ {4,}\S")
_LINK: Final = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")
_REFERENCE: Final = re.compile(r"^\[[^\]]+\]: (\S+)$", re.MULTILINE)
_HEADING: Final = re.compile(r"^#{1,6} +(.+?) *#*$")
_INLINE: Final = re.compile(r"`([^`\n]+(?:\n[^`\n]+)?)`")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One block of code: with three backticks, or four spaces to the right."""

    language: str
    lines: tuple[str, ...]
    heading: str = ""
    """The words of the heading that it stands below."""

    @property
    def text(self) -> str:
        return "".join(f"{line}\n" for line in self.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A command after a prompt, what it printed, and its exit code if the page asks for that."""

    command: str
    output: str
    code: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A Markdown file, taken apart."""

    path: Path
    blocks: tuple[Block, ...]
    prose: tuple[str, ...]
    """All lines outside of blocks."""

    @property
    def name(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @property
    def links(self) -> tuple[str, ...]:
        """Where it leads to; what stands in code is no link."""
        text = re.sub(r"`[^`\n]*`", "``", "\n".join(self.prose))
        return (*_LINK.findall(text), *_REFERENCE.findall(text))

    @property
    def anchors(self) -> frozenset[str]:
        """What may follow the # of a link to it."""
        seen: dict[str, int] = {}
        found = set()
        for line in self.prose:
            if heading := _HEADING.match(line):
                slug = anchor(heading[1])
                found.add(f"{slug}-{seen[slug]}" if seen.get(slug) else slug)
                seen[slug] = seen.get(slug, 0) + 1
        return frozenset(found)

    @property
    def spans(self) -> tuple[str, ...]:
        """What stands between single backticks."""
        paragraphs = "\n".join(self.prose).split("\n\n")
        return tuple(" ".join(span.split()) for each in paragraphs for span in _INLINE.findall(each))

    def below(self, heading: str) -> tuple[Block, ...]:
        """The blocks that stand below a heading, up to the next one."""
        return tuple(block for block in self.blocks if block.heading == heading)

    @property
    def files(self) -> dict[str, str]:
        """Files that it shows: a block whose first line is a comment with nothing but a name."""
        shown = ((re.match(r"[#!] (\S+\.\w+)\n", block.text), block.text) for block in self.blocks)
        return {found[1]: text for found, text in shown if found}


def anchor(heading: str) -> str:
    """The name that GitHub gives a heading in links."""
    text = re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", heading)
    return re.sub(r"[^\w\- ]", "", text.strip()).lower().replace(" ", "-")


def read_page(path: Path) -> Page:
    """Take a file apart."""
    blocks: list[Block] = []
    prose: list[str] = []
    lines = path.read_text().splitlines()
    heading = ""
    at = 0
    while at < len(lines):
        if fence := _FENCE.match(lines[at]):
            end = _end_of_fence(lines, at + 1, fence[1])
            shown = tuple(lines[at + 1 : end])
            blocks.append(Block(language=fence[2], lines=shown, heading=heading))
            at = end + 1
        elif _INDENTED.match(lines[at]) and not (prose and prose[-1]):
            end = _end_of_indented(lines, at)
            blocks.append(Block(language="", lines=_dedented(lines[at:end]), heading=heading))
            at = end
        else:
            found = _HEADING.match(lines[at])
            heading = found[1] if found else heading
            prose.append(lines[at])
            at += 1
    return Page(path=path, blocks=tuple(blocks), prose=tuple(prose))


@cache
def pages() -> tuple[Page, ...]:
    """Every page of the project; what tools leave in hidden folders is none."""
    found = sorted(ROOT.rglob("*.md"))
    own = (path for path in found if not any(part.startswith(".") for part in path.relative_to(ROOT).parts))
    return tuple(read_page(path) for path in own)


def page(name: str) -> Page:
    """The page of this path."""
    (found,) = (each for each in pages() if each.name == name)
    return found


def samples(block: Block) -> tuple[Sample, ...]:
    """The commands with a prompt in a block, each with all that follows up to the next one."""
    parts = f"\n{block.text}".split(f"\n{PROMPT}")[1:]
    found: list[Sample] = []
    for part in parts:
        command, _, output = part.partition("\n")
        if command == EXIT_CODE and found:
            last = found.pop()
            found.append(Sample(command=last.command, output=last.output, code=int(output)))
        else:
            found.append(Sample(command=command, output=output and f"{output.rstrip(chr(10))}\n"))
    return tuple(found)


def _end_of_fence(lines: list[str], begin: int, fence: str) -> int:
    for at in range(begin, len(lines)):
        if lines[at].strip() == fence:
            return at
    raise ValueError(f"a block that begins in line {begin} never ends")


def _end_of_indented(lines: list[str], begin: int) -> int:
    """Empty lines belong to it if more of it follows."""
    end = begin
    for at in range(begin, len(lines)):
        if _INDENTED.match(lines[at]):
            end = at + 1
        elif lines[at].strip():
            break
    return end


def _dedented(lines: list[str]) -> tuple[str, ...]:
    margin = min(len(line) - len(line.lstrip()) for line in lines if line.strip())
    return tuple(line[margin:] for line in lines)
