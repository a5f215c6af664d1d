"""bareway.runtime.kube.exec: commands in Pods over real WebSockets, and each way in which that can fail."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from apiserver import EmbeddedApi, Fault
from apiserver.pods import Outcome, end_of
from bareway.runtime.kube.client import KubeClient
from bareway.runtime.kube.credentials import Credentials, Fixed
from bareway.runtime.kube.errors import ApiError, BadAnswer, Forbidden, NotFound, Unauthorized, Unreachable
from bareway.runtime.kube.exec import COMPLAINT_MAX_BYTES, PROTOCOLS, CannotRun, Ran, run_in_pod
from support.builders import key
from support.certificates import authority
from support.pods import NAMESPACE, ending, pod_body, repeating

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

POD = key(f"{NAMESPACE}/speaker-1")
WORDS = ("bareway", "--local", "why", "shop/web & more", "-o", "json")
SUCCESS = b"\x03" + json.dumps(end_of(Outcome())).encode()


@pytest.fixture
async def api() -> AsyncIterator[EmbeddedApi]:
    async with EmbeddedApi() as server:
        server.pods.put(NAMESPACE, pod_body("speaker-1"), repeating())
        yield server


def connected(url: str) -> KubeClient:
    return KubeClient(Fixed(Credentials(server=url)), timeout_s=5.0)


async def run(
    url: str, *words: str, container: str = "speaker", timeout_s: float = 5.0, output_max_bytes: int = 2**20
) -> Ran:
    async with connected(url) as client:
        return await run_in_pod(
            client,
            POD,
            words or WORDS,
            container=container,
            timeout_s=timeout_s,
            output_max_bytes=output_max_bytes,
        )


@asynccontextmanager
async def serving(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """A server that does only what ``handler`` does; its URL."""
    runner = web.ServerRunner(web.Server(handler), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    try:
        yield f"http{'s' if tls else ''}://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def sending(*messages: bytes | str, protocols: Sequence[str] = PROTOCOLS) -> Handler:
    """An API server that agrees, sends these and closes."""

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        socket = web.WebSocketResponse(protocols=protocols)
        await socket.prepare(request)
        for message in messages:
            await (socket.send_str(message) if isinstance(message, str) else socket.send_bytes(message))
        await socket.close()
        return socket

    return handler


def answering(status: int, text: str) -> Handler:
    """A server that refuses, with whatever text."""

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=status, text=text)

    return handler


async def test_a_command_runs_word_for_word_and_what_it_prints_comes_back(api: EmbeddedApi) -> None:
    ran = await run(api.url)
    assert (ran.code, json.loads(ran.output), ran.complaint) == (0, list(WORDS), "")
    assert api.pods.commands == [("speaker-1", WORDS)]


async def test_code_output_and_complaint_are_kept_apart(api: EmbeddedApi) -> None:
    outcome = Outcome(output=b"half\xff", complaint="bareway: nö".encode(), code=2)
    api.pods.put(NAMESPACE, pod_body("speaker-1"), ending(outcome))
    assert await run(api.url) == Ran(code=2, output=b"half\xff", complaint="bareway: nö")


@pytest.mark.parametrize("protocols", [PROTOCOLS[:1], PROTOCOLS[1:], PROTOCOLS[::-1]], ids=str)
async def test_old_and_new_servers_are_spoken_to(api: EmbeddedApi, protocols: Sequence[str]) -> None:
    api.pods.protocols = protocols
    assert (await run(api.url)).code == 0


async def test_much_output_comes_whole_up_to_the_limit_and_beyond_it_is_refused(api: EmbeddedApi) -> None:
    api.pods.put(NAMESPACE, pod_body("speaker-1"), ending(Outcome(output=bytes(300_000))))
    assert (await run(api.url, output_max_bytes=300_000)).output == bytes(300_000)
    with pytest.raises(BadAnswer, match="printed more than it may"):
        await run(api.url, output_max_bytes=299_999)


async def test_of_endless_complaints_the_beginning_is_kept(api: EmbeddedApi) -> None:
    complaint = b"a" * (COMPLAINT_MAX_BYTES + 70_000)
    api.pods.put(NAMESPACE, pod_body("speaker-1"), ending(Outcome(complaint=complaint, code=1)))
    ran = await run(api.url)
    assert (ran.code, len(ran.complaint)) == (1, COMPLAINT_MAX_BYTES)


async def test_the_end_may_come_before_the_output() -> None:
    async with serving(sending(SUCCESS, b"\x01late ", b"\x01words")) as url:
        assert await run(url) == Ran(code=0, output=b"late words", complaint="")


async def test_over_tls_the_server_must_be_the_one_that_was_meant(tmp_path: Path) -> None:
    issuer = authority()
    server = issuer.sign("127.0.0.1")
    (tmp_path / "server.pem").write_text(server.certificate + server.key)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "server.pem")
    async with serving(sending(b"\x01well", SUCCESS), tls) as url:
        trusting = Credentials(server=url, ca=issuer.certificate)
        for credentials in (trusting, Credentials(server=url)):
            async with KubeClient(Fixed(credentials)) as client:
                work = run_in_pod(client, POD, WORDS, container="speaker", timeout_s=5.0)
                if credentials is trusting:
                    assert (await work).output == b"well"
                else:
                    with pytest.raises(Unreachable):
                        await work


async def test_without_the_right_the_api_servers_own_sentence_is_told(api: EmbeddedApi) -> None:
    api.faults.add(Fault.FORBIDDEN, resource="pods/exec")
    with pytest.raises(Forbidden) as refused:
        await run(api.url)
    assert 'cannot get resource "pods/exec"' in refused.value.message
    assert f'in the namespace "{NAMESPACE}"' in refused.value.message


async def test_a_token_that_expired_is_renewed_once(api: EmbeddedApi) -> None:
    class Renewing(Fixed):
        renewed = 0

        async def renew(self, *, now: float) -> Credentials:
            self.renewed += 1
            return await self.current(now=now)

    source = Renewing(Credentials(server=api.url, authorization="Bearer old"))
    api.faults.add(Fault.UNAUTHORIZED, resource="pods/exec", times=1)
    async with KubeClient(source) as client:
        assert (await run_in_pod(client, POD, WORDS, container="speaker", timeout_s=5.0)).code == 0
        api.faults.add(Fault.UNAUTHORIZED, resource="pods/exec", times=2)
        with pytest.raises(Unauthorized):
            await run_in_pod(client, POD, WORDS, container="speaker", timeout_s=5.0)
    assert source.renewed == 2
    assert [token for token, _ in api.asked] == ["old"] * 4


async def test_a_pod_that_is_gone_is_not_found(api: EmbeddedApi) -> None:
    api.pods.put(NAMESPACE, pod_body("other"), repeating())
    api.pods.take(NAMESPACE, "speaker-1")
    with pytest.raises(NotFound):
        await run(api.url)


async def test_a_container_that_the_pod_has_not_is_named(api: EmbeddedApi) -> None:
    with pytest.raises(CannotRun, match="exec in Pod bareway-system/speaker-1: it has no container bfd"):
        await run(api.url, container="bfd")


@pytest.mark.parametrize(
    ("failure", "sentence"),
    [
        pytest.param('container not found ("speaker")', "speaker does not run", id="never started"),
        pytest.param("cannot exec in a stopped container", "speaker does not run", id="stopped"),
        pytest.param(
            'exec: "bareway": executable file not found in $PATH', "no such program", id="other image"
        ),
        pytest.param("out of memory", "out of memory", id="whatever the runtime says"),
    ],
)
async def test_a_command_that_did_not_start_is_told_with_the_runtimes_words(
    api: EmbeddedApi, failure: str, sentence: str
) -> None:
    api.pods.put(NAMESPACE, pod_body("speaker-1"), ending(Outcome(failure=failure)))
    with pytest.raises(CannotRun, match=sentence) as told:
        await run(api.url)
    assert failure in str(told.value)


async def test_an_older_api_server_lets_the_kubelet_say_that_the_container_does_not_run() -> None:
    async with serving(answering(404, 'container not found ("speaker")')) as url:
        with pytest.raises(CannotRun, match="its container speaker does not run"):
            await run(url)


async def test_another_refusal_stays_what_the_server_says() -> None:
    async with serving(answering(502, "error dialing backend: no route to host")) as url:
        with pytest.raises(ApiError, match="error dialing backend"):
            await run(url)


async def test_where_no_websocket_is_spoken_that_is_a_bad_answer() -> None:
    async with serving(answering(200, "hello")) as url:
        with pytest.raises(BadAnswer, match="no WebSocket is spoken there"):
            await run(url)


async def test_a_program_that_is_silent_is_not_waited_for(api: EmbeddedApi) -> None:
    async def hang(command: Sequence[str]) -> Outcome:
        await asyncio.Event().wait()
        return Outcome()

    api.pods.put(NAMESPACE, pod_body("speaker-1"), hang)
    with pytest.raises(Unreachable, match=r"no answer within 0\.05 s"):
        await run(api.url, timeout_s=0.05)


async def test_nobody_who_listens_is_told_apart() -> None:
    async with EmbeddedApi() as gone:
        url = gone.url
    with pytest.raises(Unreachable) as told:
        await run(url)
    assert told.value.is_away


@pytest.mark.parametrize(
    ("handler", "kind", "words"),
    [
        pytest.param(sending(b"\x01half"), Unreachable, "ended before the command did", id="cut off"),
        pytest.param(sending("text"), BadAnswer, "not binary", id="text"),
        pytest.param(sending(b"\x03no json"), BadAnswer, "told by no Status", id="end without a Status"),
        pytest.param(sending(b"\x03{}"), CannotRun, "nothing says why", id="empty end"),
        pytest.param(sending(SUCCESS, protocols=()), BadAnswer, "speaks neither", id="no protocol"),
        pytest.param(sending(b"", b"\x09what", b"\x01", SUCCESS), None, "", id="channels that nobody knows"),
    ],
)
async def test_a_strange_conversation_ends_with_a_sentence(
    handler: Handler, kind: type[Exception] | None, words: str
) -> None:
    async with serving(handler) as url:
        if kind is None:
            assert await run(url) == Ran(code=0, output=b"", complaint="")
        else:
            with pytest.raises(kind, match=words):
                await run(url)
