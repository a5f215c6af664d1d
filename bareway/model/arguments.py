"""What a program was told on its command line, as its container's words show it: the one reader of them.

By the rules that MetalLB, kube-proxy, k3s and our own programs share: ``-x v``, ``--x v`` and ``--x=v``, of
several the last one that says something; a switch is ``--x`` or ``--x=true`` and takes no separate value. A
program reads its own words in `bareway.runtime.flags`, which knows all of its flags.
"""

from collections.abc import Iterator, Sequence
from typing import Final

TRUE_WORDS: Final = frozenset({"1", "t", "T", "true", "TRUE", "True"})
FALSE_WORDS: Final = frozenset({"0", "f", "F", "false", "FALSE", "False"})
"""Those that Go's strconv.ParseBool takes."""

IGNORE_EXCLUDE_LABEL: Final = "ignore-exclude-lb"
LOAD_BALANCER_CLASS: Final = "lb-class"
CONFIG_NAMESPACE: Final = "config-namespace"
CONFIG_NAME: Final = "config"
GOSSIP_SECRET: Final = "ml-secret-name"  # noqa: S105 - the name of a flag
"""Flags of our programs that others need to know of, and MetalLB's alike."""


def values_of(words: Sequence[str], name: str) -> tuple[str, ...]:
    """Each value that the flag was given, in order: a flag that may come more than once adds up."""
    return tuple(_values(words, name))


def value_of(words: Sequence[str], name: str) -> str:
    """What the flag says: the last of its values that is not empty; empty without one."""
    return next(filter(None, reversed(values_of(words, name))), "")


def is_on(words: Sequence[str], name: str) -> bool:
    """Whether the switch is on: by its last word, which may stand alone."""
    said = "false"
    for given, has_value, text, _ in _flags(words):
        if given == name:
            said = text if has_value else "true"
    return said in TRUE_WORDS


def _values(words: Sequence[str], name: str) -> Iterator[str]:
    return (text if has_value else after for given, has_value, text, after in _flags(words) if given == name)


def _flags(words: Sequence[str]) -> Iterator[tuple[str, bool, str, str]]:
    """Of each word that is a flag: its name, whether ``=`` follows, what follows it, and the next word."""
    for index, word in enumerate(words):
        given, equals, text = word.removeprefix("-").removeprefix("-").partition("=")
        if word.startswith("-") and given:
            yield given, bool(equals), text, next(iter(words[index + 1 : index + 2]), "")
