"""Misbehaviour on request, so that a test can see what a program does when the API server has a bad day.

A rule meets the next requests that fit it, ``times`` of them (None: all, until cleared). Rules for the verb
``watch`` also meet watches that are already open. From outside the process: ``POST /faults`` with the
fields of a rule as JSON, ``GET /faults``, ``DELETE /faults``.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import msgspec

from apiserver import refusals
from apiserver.kinds import Kind
from apiserver.refusals import Reason, Refused
from apiserver.store import Key

WRITES: Final = frozenset({"create", "update", "patch", "delete", "deletecollection"})
STREAM_VERB: Final = "watch"


class Fault(StrEnum):
    """What goes wrong."""

    BUSY = "busy"
    """429 with Retry-After of one second."""
    CLOSE = "close"
    """The watch ends, politely."""
    COMPACT = "compact"
    """The history is forgotten at once; no request is needed."""
    CONFLICT = "conflict"
    """409 to a write; the object is as it was."""
    DELAY = "delay"
    """The right answer ``delay_s`` later; in an open watch, what comes next."""
    DROP = "drop"
    """The connection is closed without an answer."""
    ERROR = "error"
    """500."""
    EXPIRE = "expire"
    """410: an ERROR event in an open watch, the HTTP status otherwise."""
    FORBIDDEN = "forbidden"
    """403."""
    GARBAGE = "garbage"
    """Bytes that are no JSON, with status 200."""
    LATE = "late"
    """The request is done at once and answered ``delay_s`` later."""
    LOST = "lost"
    """The request is done; then the connection is closed without an answer."""
    STALL = "stall"
    """No answer, no event, no end, until the rule is cleared."""
    UNAUTHORIZED = "unauthorized"
    """401."""


def refusal_of(fault: Fault, request: "Request") -> Refused | None:
    """The refusal that a fault is answered with; None for the faults that are no answers."""
    makers: Mapping[Fault, Callable[[], Refused]] = {
        Fault.CONFLICT: lambda: refusals.conflict(request.kind, request.name),
        Fault.EXPIRE: lambda: refusals.expired("too old resource version: 1 (2)"),
        Fault.FORBIDDEN: lambda: refusals.forbidden(
            request.verb, request.kind, Key(request.namespace, request.name), request.subresource
        ),
        Fault.UNAUTHORIZED: lambda: Refused(code=401, reason=Reason.UNAUTHORIZED, message="Unauthorized"),
        Fault.BUSY: lambda: Refused(
            code=429,
            reason=Reason.TOO_MANY_REQUESTS,
            message="too many requests, please try again later",
        ),
        Fault.ERROR: lambda: Refused(
            code=500,
            reason=Reason.INTERNAL_ERROR,
            message="Internal error occurred: a fault was asked for",
        ),
    }
    return makers[fault]() if fault in makers else None


OF_STREAMS: Final = frozenset(
    {Fault.CLOSE, Fault.DELAY, Fault.DROP, Fault.EXPIRE, Fault.GARBAGE, Fault.STALL}
)


class Rule(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Which requests a fault meets; an empty field fits every request."""

    fault: Fault
    verb: str = ""
    """get, list, watch, create, update, patch, delete; or ``write`` for all that change something."""
    resource: str = ""
    """The plural, with ``/status`` for the subresource."""
    namespace: str = ""
    name: str = ""
    """Of the object, or of the one that a collection is asked for by a field selector."""
    times: int | None = 1
    delay_s: float = 0.0
    reviewed: bool = False
    """A SelfSubjectAccessReview tells of a FORBIDDEN beforehand, as it does where rights are RBAC's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request as the rules see it."""

    verb: str
    kind: Kind
    namespace: str
    name: str
    subresource: str

    def fits(self, rule: Rule) -> bool:
        """Whether the rule is about this request."""
        resource = f"{self.kind.plural}/{self.subresource}" if self.subresource else self.kind.plural
        verbs = WRITES if rule.verb == "write" else {rule.verb}
        if rule.fault is Fault.CONFLICT and not rule.verb:
            verbs = WRITES
        return (
            (self.verb in verbs or (not rule.verb and rule.fault is not Fault.CONFLICT))
            and rule.resource in {"", resource, self.kind.plural}
            and rule.namespace in {"", self.namespace}
            and rule.name in {"", self.name}
        )


class Faults:
    """The rules in force."""

    def __init__(self, *, wake: Callable[[], None]) -> None:
        self._rules: list[Rule] = []
        self._wake = wake
        self._cleared = asyncio.Event()

    def add(self, fault: Fault, **where: Any) -> Rule:
        """Put a rule in force: ``faults.add(Fault.CONFLICT, resource="services", times=3)``."""
        rule = Rule(fault=fault, **where)
        self.add_rule(rule)
        return rule

    def add_rule(self, rule: Rule) -> None:
        """Put a rule in force."""
        self._rules.append(rule)
        self._wake()

    def clear(self) -> None:
        """End all faults; what stalled goes on."""
        self._rules.clear()
        self._cleared.set()
        self._cleared = asyncio.Event()
        self._wake()

    async def wait_until_cleared(self) -> None:
        """Return when all faults have ended."""
        await self._cleared.wait()

    @property
    def rules(self) -> tuple[Rule, ...]:
        """What is still in force."""
        return tuple(self._rules)

    def take(self, request: Request) -> Rule | None:
        """The fault that meets this request; it counts."""
        return self._take(rule for rule in self._rules if request.fits(rule))

    def take_for_other(self, request: Request) -> Rule | None:
        """The fault that meets a request for what this server holds nothing of.

        One that lasts, or that names it: who counts requests does not mean these.
        """
        meant = (rule for rule in self._rules if rule.times is None or rule.resource == request.kind.plural)
        return self._take(rule for rule in meant if request.fits(rule))

    def take_for_stream(self, request: Request) -> Rule | None:
        """The fault that meets this open watch; it counts."""
        named = (rule for rule in self._rules if rule.verb == STREAM_VERB and rule.fault in OF_STREAMS)
        return self._take(rule for rule in named if request.fits(rule))

    def _take(self, fitting: Iterator[Rule]) -> Rule | None:
        rule = next(fitting, None)
        if rule is None:
            return None
        if rule.times is not None:
            rule.times -= 1
            if rule.times <= 0:
                self._rules.remove(rule)
        return rule
