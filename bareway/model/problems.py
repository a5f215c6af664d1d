"""What a user wrote wrong, and where: a value, never an exception, and all of them at once."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """Whether a problem keeps a document from being used."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One mistake, with its place and what to write instead."""

    path: str
    """Where in the object, 0-based: ``address-pools[0].addresses[1]``; empty for the document as a whole."""
    message: str
    """What is wrong; keeps the words of MetalLB's message where one exists: people search for them."""
    line: int = 0
    """1-based line in the document; 0 when there is none."""
    hint: str = ""
    """What to write instead."""
    severity: Severity = Severity.ERROR
    document: str = ""
    """Which of several documents it is in, by the data key that holds it; empty for the first or only one."""

    def __str__(self) -> str:
        place = f"line {self.line}: " if self.line else ""
        if self.document:
            place = f"{self.document}, {place}" if place else f"{self.document}: "
        where = f"{self.path}: " if self.path else ""
        return f"{place}{where}{self.message}" + (f"; {self.hint}" if self.hint else "")
