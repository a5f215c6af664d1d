"""What can go wrong with a request to the Kubernetes API, as exceptions that a caller takes apart by type."""

from collections.abc import Mapping
from http import HTTPStatus

import msgspec
from msgspec import Struct

MESSAGE_MAX = 500  # characters kept of an answer that is no Status; a proxy's error page may be a whole book


class KubeError(Exception):
    """A request did not do what it was for."""


class Unreachable(KubeError):
    """No answer: connection refused or lost, TLS failed, deadline passed. A write may have happened."""

    def __init__(self, sentence: str, *, is_away: bool = False) -> None:
        super().__init__(sentence)
        self.is_away = is_away
        """There was nobody to connect to; else somebody took the connection, and no answer came of it."""


class BadAnswer(KubeError):
    """An answer that no API server gives; something else may be listening there."""


class ApiError(KubeError):
    """The API server said no."""

    def __init__(
        self, request: str, *, status: int, reason: str, message: str, retry_after_s: float = 0.0
    ) -> None:
        super().__init__(f"{request}: {status} {reason}: {message}")
        self.status = status
        self.reason = reason
        """The word of the API's Status object, such as ``AlreadyExists``."""
        self.message = message
        """The sentence of the Status object; for 403 it names user, verb and resource."""
        self.retry_after_s = retry_after_s
        """What the server asks us to wait; 0 if it does not say."""


class Unauthorized(ApiError):
    """401: who we are was not believed, also after the credentials were renewed."""


class Forbidden(ApiError):
    """403: a right is missing; ``message`` names it."""


class NotFound(ApiError):
    """404."""


class Conflict(ApiError):
    """409: the object changed since it was read; look again."""


class AlreadyExists(ApiError):
    """409 to a create: the name is taken."""


class Gone(ApiError):
    """410: the resourceVersion or the page asked for is forgotten; list anew."""


class TooManyRequests(ApiError):
    """429: later."""


class _Status(Struct, frozen=True):
    """Status (meta/v1)."""

    reason: str = ""
    message: str = ""


_BY_STATUS: Mapping[int, type[ApiError]] = {
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Gone,
    429: TooManyRequests,
}


def refusal(request: str, status: int, body: bytes, retry_after: str = "") -> KubeError:
    """The exception for an answer that is not 2xx; ``request`` is told in its text, as ``GET /api/…``."""
    if status < HTTPStatus.BAD_REQUEST:
        return BadAnswer(f"{request}: {status} is no answer of the Kubernetes API")
    try:
        told = msgspec.json.decode(body, type=_Status)
    except msgspec.MsgspecError:
        told = _Status(message=body[:MESSAGE_MAX].decode(errors="replace").strip())
    wait_s = float(retry_after) if retry_after.isdecimal() else 0.0
    return api_error(request, status, told.reason, told.message, retry_after_s=wait_s)


def api_error(
    request: str, status: int, reason: str, message: str, *, retry_after_s: float = 0.0
) -> ApiError:
    """The exception for a Status object, as an answer or as the last event of a watch."""
    kind = AlreadyExists if reason == "AlreadyExists" else _BY_STATUS.get(status, ApiError)
    return kind(request, status=status, reason=reason, message=message, retry_after_s=retry_after_s)
