"""How each request on record is refused to whom the server does not know, and to who has not the right."""

import re
from typing import Any, Final

import pytest

from apiserver.record import Recorded, load
from cluster.servers import Server

FREE_FOR_ALL: Final = "selfsubjectaccessreviews"  # everybody may ask what he may
RECORD: Final = [one for one in load() if FREE_FOR_ALL not in one.path]
NAMED: Final = {"fieldSelector": "metadata.name=web"}
ANY_USER: Final = re.compile(r'User "[^"]*"')


async def _refusal(server: Server, recorded: Recorded, code: int) -> tuple[int, dict[str, Any], str]:
    """Code, Status, and the header that says when to come again."""
    path = recorded.path.format(namespace=server.namespace, name="web")
    values = {"watch": "true", "allowWatchBookmarks": "true", "timeout": "1s", **NAMED}
    query = {name: values.get(name, "1") for name in recorded.query}
    async with server.stranger(code) as stranger:
        answer = await stranger.request(
            recorded.method, path, {}, content_type=recorded.content_type or "application/json", **query
        )
    assert isinstance(answer.body, dict)
    told = answer.body | {"message": ANY_USER.sub('User "…"', answer.message)}
    return answer.code, told, answer.headers.get("Retry-After", "")


@pytest.mark.parametrize("code", [401, 403])
@pytest.mark.parametrize("recorded", RECORD, ids=str)
async def test_it_is_refused_with_a_status_that_says_why(
    server: Server, recorded: Recorded, code: int
) -> None:
    answered, status, again = await _refusal(server, recorded, code)
    assert (answered, status["kind"], status["code"], again) == (code, "Status", code, "")
    assert status["reason"] == {401: "Unauthorized", 403: "Forbidden"}[code]


@pytest.mark.real
@pytest.mark.parametrize("code", [401, 403])
@pytest.mark.parametrize("recorded", RECORD, ids=str)
async def test_both_servers_refuse_it_alike(
    both: tuple[Server, Server], recorded: Recorded, code: int
) -> None:
    ours, theirs = [await _refusal(server, recorded, code) for server in both]
    assert ours == theirs
