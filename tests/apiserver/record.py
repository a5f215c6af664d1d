"""What Bareway's programs ask an API server, on record: method, path, names of the query, type of the body.

``tests/contract/requests.json`` has one request a line. ``python -m cluster.recording`` writes it from a
life of both programs. A test lives the same life again and fails at any request that is not there; the
contract suite sends each of them to the embedded server and to the real one. Names and namespaces are
placeholders, values of a query are left out.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urlsplit

import msgspec

PATH: Final = Path(__file__).resolve().parents[1] / "contract" / "requests.json"
WITH_BODY: Final = frozenset({"PATCH", "POST", "PUT"})

_RESOURCE: Final = re.compile(
    r"(?P<root>/api/v1|/apis/[^/]+/[^/]+)"
    r"(?P<namespace>/namespaces/[^/]+(?=/.)(?!/(?:status|finalize)$))?"
    r"/(?P<plural>[^/]+)(?P<name>/[^/]+)?(?P<part>/.+)?"
)


class Asked(msgspec.Struct, frozen=True, order=True, omit_defaults=True):
    """A request without what differs from one cluster, object or moment to the next."""

    method: str
    path: str
    """With ``{namespace}`` and ``{name}``."""
    query: tuple[str, ...] = ()
    content_type: str = ""
    """Of the body, where the method has one."""

    def __str__(self) -> str:
        query = f"?{'&'.join(self.query)}" if self.query else ""
        return f"{self.method} {self.path}{query}" + (f" ({self.content_type})" if self.content_type else "")


class Recorded(Asked, frozen=True, order=True, omit_defaults=True):
    """A request on record."""

    programs: tuple[str, ...] = ()

    @property
    def asked(self) -> Asked:
        """The request alone."""
        return Asked(self.method, self.path, self.query, self.content_type)


def asked(method: str, target: str, content_type: str = "") -> Asked:
    """What a request is on record as; ``target`` is its path with the query."""
    parts = urlsplit(target)
    query = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
    media = content_type.partition(";")[0].strip() if method in WITH_BODY else ""
    return Asked(method, _pattern(parts.path), tuple(sorted(query)), media)


def _pattern(path: str) -> str:
    found = _RESOURCE.fullmatch(path)
    if found is None:
        return path
    namespace = "/namespaces/{namespace}" if found["namespace"] else ""
    name = "/{name}" if found["name"] else ""
    return f"{found['root']}{namespace}/{found['plural']}{name}{found['part'] or ''}"


def merged(seen: Iterable[tuple[str, Asked]]) -> list[Recorded]:
    """Pairs of program and request as a record."""
    programs: dict[Asked, set[str]] = {}
    for program, one in seen:
        programs.setdefault(one, set()).add(program)
    return sorted(
        Recorded(one.method, one.path, one.query, one.content_type, tuple(sorted(by)))
        for one, by in programs.items()
    )


def load() -> Sequence[Recorded]:
    """The record as it was committed."""
    return msgspec.json.decode(PATH.read_bytes(), type=list[Recorded])


def save(record: Iterable[Recorded]) -> None:
    """Write the record, a line for each request."""
    lines = ",\n".join(msgspec.json.encode(one).decode() for one in record)
    PATH.write_text(f"[\n{lines}\n]\n")


def unrecorded(seen: Iterable[tuple[str, Asked]]) -> list[str]:
    """Which of these pairs of program and request are not on record."""
    known = {(program, one.asked) for one in load() for program in one.programs}
    return sorted({f"{program}: {one}" for program, one in seen if (program, one) not in known})


def without_types(record: Iterable[Recorded]) -> set[tuple[str, Asked]]:
    """Pairs of program and request as an audit log knows them: it does not tell the type of a body."""
    return {(by, Asked(one.method, one.path, one.query)) for one in record for by in one.programs}
