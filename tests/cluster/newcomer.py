"""Somebody who types what the pages say, as it stands there, with the administrator's kubeconfig.

One thing he has to put in by himself, as any reader: the name of the node that announces, where a page shows
another one's. The addresses on the pages are those of the ring's own network.
"""

import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cluster.whole_cluster import Ring
from lab.waiting import TimedOut, wait_for
from support.instructions import commands, parts, program
from support.pages import ROOT, Block, page, samples
from support.shown import differences

ON_THE_PAGES: Final = "node2"
"""Which of node1, node2 and node3 announces there."""
ASKING: Final = {"bgp", "history", "members", "pools", "probe", "status", "why"}
"""Verbs that a reader types again, if the answer was not yet what the page shows."""
PATIENCE_S: Final = 60.0
TYPED_WITHIN_S: Final = 120.0
"""A deletion waits for the Pods' end."""
_CODE: Final = re.compile(r"^\[(\d+)\]$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a command wrote, errors too, and how it ended."""

    line: str
    output: str
    code: int
    seconds: float


class Newcomer:
    """Types lines into a shell on a machine that is no node, in the project's folder."""

    def __init__(self, ring: Ring) -> None:
        self._ring = ring
        self.announcer = ON_THE_PAGES
        """The node to put in: the one that announces."""
        self.has_read: list[tuple[str, str]] = []

    def types(self, line: str) -> Answer:
        """One line, once."""
        kubectl, cache = Path(sys.executable).parent, self._ring.lab.logs / "kubectl-cache"
        settings = f"PATH={kubectl}:$PATH KUBECONFIG={self._ring.kubeconfig} KUBECACHEDIR={cache}"
        typed = f"cd {ROOT} && export {settings} && exec 2>&1\n{line}\ncode=$?; echo; echo [$code]"
        began = time.monotonic()
        told = self._ring.lan.api.run("sh", "-c", typed, timeout_s=TYPED_WITHIN_S)
        output, _, code = told.rstrip("\n").rpartition("\n[")
        took_s = time.monotonic() - began
        answer = Answer(line=line, output=output.rstrip("\n"), code=int(code.rstrip("]")), seconds=took_s)
        print(f"$ {line}\n{answer.output}\n[{answer.code}] after {took_s:.2f} s\n")  # seen after a failure
        return answer

    def reads(self, name: str, heading: str) -> Iterator[Answer]:
        """Type all that a part of a page says, and see that it prints what is shown."""
        announcer = self.announcer  # as this part begins: it goes on to mean this one
        for block in page(name).below(heading):
            for line in commands(block):
                yield self._follows(line, _shown(block, line), announcer)
        self.has_read.append((name, heading))

    def _follows(self, line: str, shown: str, announcer: str) -> Answer:
        typed = re.sub(r"\bnode[123]\b", lambda found: _exchanged(found[0], announcer), line)
        if not _only_asks(line):
            return self._must_be_as_shown(self.types(typed), shown, announcer)
        answers: list[Answer] = []

        def is_as_shown() -> bool:
            answers.append(self.types(typed))
            return not self._wrong(answers[-1], shown, announcer)

        try:
            wait_for(is_as_shown, what=f"what the page shows of {line!r}", within_s=PATIENCE_S, poll_s=0.5)
        except TimedOut:
            return self._must_be_as_shown(answers[-1], shown, announcer)
        return answers[-1]

    def _must_be_as_shown(self, answer: Answer, shown: str, announcer: str) -> Answer:
        wrong = self._wrong(answer, shown, announcer)
        assert not wrong, "\n".join((f"$ {answer.line}", answer.output, *wrong))
        return answer

    def _wrong(self, answer: Answer, shown: str, announcer: str) -> list[str]:
        code = [f"it ends with {answer.code}"] if answer.code else []
        if not shown:
            return code
        return [*code, *differences(shown, answer.output, on_page=ON_THE_PAGES, here=announcer)]


def _exchanged(node: str, announcer: str) -> str:
    """The announcing node for the page's, and the page's for the announcing one."""
    return {ON_THE_PAGES: announcer, announcer: ON_THE_PAGES}.get(node, node)


def _shown(block: Block, line: str) -> str:
    return next((sample.output for sample in samples(block) if sample.command == line), "")


def _only_asks(line: str) -> bool:
    (words,) = parts(line)
    if program(words) == "kubectl":
        return words[1] == "get"
    return program(words) == "bareway" and words[1] in ASKING
