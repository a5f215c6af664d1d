"""Whether a page shows what a command prints, but for what is another on every cluster or every minute.

Left out are times, how long something takes, generations, made-up ends of names, hardware addresses, cluster
IPs and node ports. So is which of the nodes it was, but for one: the one that announces. The order of lines
is left out, too, since rows are sorted by names.
"""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Final

ANNOUNCER: Final = "ANNOUNCER"
OTHER: Final = "OTHER"
_VARYING: Final = (
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} [+-]\d\d:\d\d", "WHEN"),
    (r"\b(bareway-(?:controller|speaker))(?:-[0-9a-z]{5,10}){1,2}(?![\w-])", r"\1-NAME"),
    (r"\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b", "MAC"),
    (r"\b10\.96\.\d+\.\d+\b", "CLUSTER-IP"),
    (r"\b\d+:\d+/(TCP|UDP)\b", r"PORTS/\1"),
    (r"\bgeneration \d+", "generation N"),
    (r"\b(?:\d+(?:\.\d+)?(?:ms|d|h|m|s))+\b", "SPAN"),
    (r"(?<![\w.])\d+\.\d+(?![\w.])", "NUMBER"),
    (r"(?<=serve, on ).*", "NODES"),
    (r"(?:OTHER|ANNOUNCER)(?:, (?:OTHER|ANNOUNCER))+", "NODES"),
    (r" {2,}", "  "),
)


def roles(announcer: str) -> Mapping[str, str]:
    """What each of the nodes is called where pages are compared; of an empty name nobody announces."""
    names = ("node1", "node2", "node3")
    return {name: ANNOUNCER if name == announcer else OTHER for name in names}


def plain(text: str, *, announcer: str = "") -> Counter[str]:
    """The lines of an output without what varies, and how often each is there."""
    for name, role in roles(announcer).items():
        text = re.sub(rf"\b{name}\b", role, text)
    for pattern, word in _VARYING:
        text = re.sub(pattern, word, text)
    return Counter(line.rstrip() for line in text.splitlines() if line.strip())


def differences(shown: str, told: str, *, on_page: str = "", here: str = "") -> list[str]:
    """What a page shows and nobody says (-), and what is said and it does not show (+)."""
    page, terminal = plain(shown, announcer=on_page), plain(told, announcer=here)
    return [f"- {line}" for line in (page - terminal).elements()] + [
        f"+ {line}" for line in (terminal - page).elements()
    ]
