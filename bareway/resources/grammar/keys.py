"""What the mappings of a document may hold: keys for the reader, and for the table in the manual."""

from dataclasses import dataclass

REQUIRED = "required"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key of a mapping."""

    name: str
    type: str
    """For people."""
    default: str = ""
    """As one would write it, ``required``, or empty: nothing."""
    meaning: str
    """For people, in Markdown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A mapping with fixed keys."""

    type_name: str
    """MetalLB's, which its message about an unknown key holds."""
    keys: tuple[Key, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Of the keys, in their order."""
        return tuple(key.name for key in self.keys)
