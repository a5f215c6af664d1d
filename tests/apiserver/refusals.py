"""Every no of the API server: a Status object with code, reason and the words that the real one uses.

The texts follow k8s.io/apimachinery ``pkg/api/errors``; people and tools match on them. A refusal is raised
where it is found and becomes the answer in ``server.py``, or an ERROR event where a watch is already open.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from apiserver.kinds import Kind
from apiserver.store import Key

CONFLICT_TEXT = "the object has been modified; please apply your changes to the latest version and try again"
MISSING_TEXT = "the server could not find the requested resource"


class Reason(StrEnum):
    """The reason in a Status: what programs decide by."""

    ALREADY_EXISTS = "AlreadyExists"
    BAD_REQUEST = "BadRequest"
    CONFLICT = "Conflict"
    EXPIRED = "Expired"
    FORBIDDEN = "Forbidden"
    INTERNAL_ERROR = "InternalError"
    INVALID = "Invalid"
    METHOD_NOT_ALLOWED = "MethodNotAllowed"
    NOT_ACCEPTABLE = "NotAcceptable"
    NOT_FOUND = "NotFound"
    NOT_IMPLEMENTED = "NotImplemented"
    REQUEST_ENTITY_TOO_LARGE = "RequestEntityTooLarge"
    TIMEOUT = "Timeout"
    TOO_MANY_REQUESTS = "TooManyRequests"
    UNKNOWN = ""
    UNAUTHORIZED = "Unauthorized"
    UNSUPPORTED_MEDIA_TYPE = "UnsupportedMediaType"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One mistake in an object that was refused as invalid."""

    path: str
    message: str
    word: str = "FieldValueInvalid"
    """FieldValueInvalid, FieldValueRequired, FieldValueForbidden, … as in metav1.CauseType."""


class Refused(Exception):
    """The request is answered with this Status."""

    def __init__(
        self,
        *,
        code: int,
        reason: Reason,
        message: str,
        details: Mapping[str, Any] | None = None,
        continue_token: str = "",
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = None if details is None else dict(details)
        self.continue_token = continue_token

    def status(self) -> dict[str, Any]:
        """The Status object that goes over the wire."""
        metadata = {"continue": self.continue_token} if self.continue_token else {}
        answer: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": metadata,
            "status": "Failure",
            "message": self.message,
        }
        if self.reason is not Reason.UNKNOWN:
            answer["reason"] = str(self.reason)
        if self.details is not None:
            answer["details"] = self.details
        answer["code"] = self.code
        return answer


def _details(kind: Kind, name: str) -> dict[str, Any]:
    details = {"name": name, "group": kind.group, "kind": kind.plural}
    return {key: value for key, value in details.items() if value}


def not_found(kind: Kind, name: str) -> Refused:
    """No object of that name."""
    return Refused(
        code=404,
        reason=Reason.NOT_FOUND,
        message=f'{kind.resource} "{name}" not found',
        details=_details(kind, name),
    )


def no_such_path() -> Refused:
    """Nothing is served under that path, by the real server neither."""
    return Refused(code=404, reason=Reason.NOT_FOUND, message=MISSING_TEXT, details={})


def already_exists(kind: Kind, name: str) -> Refused:
    """An object of that name is there."""
    return Refused(
        code=409,
        reason=Reason.ALREADY_EXISTS,
        message=f'{kind.resource} "{name}" already exists',
        details=_details(kind, name),
    )


def conflict(kind: Kind, name: str, why: str = CONFLICT_TEXT) -> Refused:
    """The writer saw an older version, or another object, than the one stored."""
    return Refused(
        code=409,
        reason=Reason.CONFLICT,
        message=f'Operation cannot be fulfilled on {kind.resource} "{name}": {why}',
        details=_details(kind, name),
    )


def expired(message: str, *, continue_token: str = "") -> Refused:
    """The version asked for is no longer, or not yet, in the history."""
    return Refused(code=410, reason=Reason.EXPIRED, message=message, continue_token=continue_token)


def too_new(asked: int, current: int) -> Refused:
    """The client knows a revision that is not yet, as after a restart from an old copy."""
    causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
    return Refused(
        code=504,
        reason=Reason.TIMEOUT,
        message=f"Timeout: Too large resource version: {asked}, current: {current}",
        details={"causes": causes, "retryAfterSeconds": 1},
    )


def too_large(limit: int) -> Refused:
    """The body of the request is longer than anybody needs."""
    message = f"Request entity too large: limit is {limit}"
    return Refused(code=413, reason=Reason.REQUEST_ENTITY_TOO_LARGE, message=message)


def bad_request(message: str) -> Refused:
    """The request cannot be understood."""
    return Refused(code=400, reason=Reason.BAD_REQUEST, message=message)


def forbidden(verb: str, kind: Kind, key: Key, subresource: str = "") -> Refused:
    """Whoever asks has not this right."""
    scope = f'in the namespace "{key.namespace}"' if key.namespace else "at the cluster scope"
    shown = f'{kind.resource} "{key.name}"' if key.name else kind.resource
    resource = f"{kind.plural}/{subresource}" if subresource else kind.plural
    details = {"name": key.name, "group": kind.group, "kind": kind.plural}
    return Refused(
        code=403,
        reason=Reason.FORBIDDEN,
        message=(
            f'{shown} is forbidden: User "system:anonymous" cannot {verb} resource "{resource}" '
            f'in API group "{kind.group}" {scope}'
        ),
        details={name: value for name, value in details.items() if value},
    )


def namespace_stays(name: str) -> Refused:
    """Some namespaces are needed by the server itself."""
    return Refused(
        code=403,
        reason=Reason.FORBIDDEN,
        message=f'namespaces "{name}" is forbidden: this namespace may not be deleted',
        details={"name": name, "kind": "namespaces"},
    )


def invalid(kind: Kind, name: str, causes: Sequence[Cause]) -> Refused:
    """The object was understood and breaks a rule of its kind."""
    sentences = [f"{cause.path}: {cause.message}" for cause in causes]
    distinct = list(dict.fromkeys(sentences))
    summary = distinct[0] if len(distinct) == 1 else f"[{', '.join(distinct)}]"
    details: dict[str, Any] = {"name": name, "group": kind.group, "kind": kind.name}
    details["causes"] = [
        {"reason": cause.word, "message": cause.message, "field": cause.path} for cause in causes
    ]
    return Refused(
        code=422,
        reason=Reason.INVALID,
        message=f'{kind.qualified_name} "{name}" is invalid: {summary}',
        details={key: value for key, value in details.items() if value},
    )


def bad_patch(made: Any, why: str) -> Refused:
    """What a patch makes of an object is no object of that kind."""
    sentence = f"Invalid value: {json.dumps(json.dumps(made))}: {why}"
    cause = {"reason": "FieldValueInvalid", "message": sentence, "field": "patch"}
    message = f' "" is invalid: patch: {sentence}'
    return Refused(code=422, reason=Reason.INVALID, message=message, details={"causes": [cause]})


def forbidden_option(option: str, why: str) -> Refused:
    """Two options of a list or a watch that exclude each other."""
    sentence = f"Forbidden: {why}"
    cause = {"reason": "FieldValueForbidden", "message": sentence, "field": option}
    return Refused(
        code=422,
        reason=Reason.INVALID,
        message=f'ListOptions.meta.k8s.io "" is invalid: {option}: {sentence}',
        details={"group": "meta.k8s.io", "kind": "ListOptions", "causes": [cause]},
    )


def not_implemented(what: str) -> Refused:
    """The real server can, this one cannot."""
    return Refused(
        code=501, reason=Reason.NOT_IMPLEMENTED, message=f"the embedded API server of Bareway {what}"
    )


def method_not_allowed() -> Refused:
    """The verb makes no sense here."""
    return Refused(
        code=405,
        reason=Reason.METHOD_NOT_ALLOWED,
        message="the server does not allow this method on the requested resource",
        details={},
    )
