"""bareway.runtime.kube.errors: each refusal has its type, its sentence and the pause that is asked for."""

import json

import pytest

from bareway.runtime.kube import errors
from bareway.runtime.kube.errors import ApiError, BadAnswer, KubeError, refusal


def status(reason: str = "Reason", message: str = "words") -> bytes:
    return json.dumps({"kind": "Status", "reason": reason, "message": message, "code": 0}).encode()


@pytest.mark.parametrize(
    ("code", "reason", "kind"),
    [
        pytest.param(401, "Unauthorized", errors.Unauthorized, id="401"),
        pytest.param(403, "Forbidden", errors.Forbidden, id="403"),
        pytest.param(404, "NotFound", errors.NotFound, id="404"),
        pytest.param(409, "Conflict", errors.Conflict, id="409 to an update"),
        pytest.param(409, "AlreadyExists", errors.AlreadyExists, id="409 to a create"),
        pytest.param(410, "Expired", errors.Gone, id="410 of a list"),
        pytest.param(429, "TooManyRequests", errors.TooManyRequests, id="429"),
        pytest.param(422, "Invalid", ApiError, id="422"),
        pytest.param(503, "ServiceUnavailable", ApiError, id="503"),
    ],
)
def test_each_refusal_has_its_type_and_words(code: int, reason: str, kind: type[ApiError]) -> None:
    error = refusal("GET /api/v1/services", code, status(reason), "7")
    assert type(error) is kind
    assert isinstance(error, ApiError)
    assert (error.status, error.reason, error.message, error.retry_after_s) == (code, reason, "words", 7.0)
    assert str(error) == f"GET /api/v1/services: {code} {reason}: words"


def test_a_name_that_is_taken_is_no_conflict_of_versions() -> None:
    assert not isinstance(refusal("POST /", 409, status("AlreadyExists")), errors.Conflict)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param(b"<html>502</html>", "<html>502</html>", id="the page of a proxy"),
        pytest.param(b"", "", id="nothing"),
        pytest.param(b"\xff" * 10_000, "\ufffd" * 500, id="noise, cut short"),
        pytest.param(b"[]", "[]", id="JSON that is no Status"),
    ],
)
def test_an_answer_that_is_no_status_is_told_as_it_came(body: bytes, message: str) -> None:
    error = refusal("GET /", 502, body)
    assert isinstance(error, ApiError)
    assert (error.status, error.message) == (502, message)


def test_a_redirect_is_no_answer_of_an_api_server() -> None:
    assert isinstance(refusal("GET /", 302, b""), BadAnswer)


@pytest.mark.parametrize("text", ["", "soon", "-1", "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_a_pause_that_is_no_number_is_none(text: str) -> None:
    error = refusal("GET /", 503, status(), text)
    assert isinstance(error, ApiError)
    assert error.retry_after_s == 0.0


def test_all_are_one_family() -> None:
    kinds = [errors.Unreachable, BadAnswer, ApiError]
    assert all(issubclass(kind, KubeError) for kind in kinds)
