import asyncio
import errno
import fcntl
import os
import socket
import stat
from collections.abc import AsyncIterator, Callable
from collections.abc import Set as AbstractSet
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import grpc
import pytest

from bareway.model.names import IPAddress
from bareway.model.status import ControllerStatus, SpeakerStatus
from bareway.rpc import convert
from bareway.rpc.v1 import controller_pb2, controller_pb2_grpc, speaker_pb2, speaker_pb2_grpc
from bareway.runtime import rpc
from bareway.runtime.rpc import (
    SocketRefusal,
    SocketUnavailable,
    narrowed,
    serve_controller,
    serve_speaker,
)
from support import statuses
from support.until import until

DEADLINE_S = 5.0


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _behind(path: Path) -> Path:
    return path.with_name(f".{path.name}")


def _descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def _ask_speaker(path: Path, within_s: float = DEADLINE_S) -> SpeakerStatus:
    async with grpc.aio.insecure_channel(f"unix:{path}") as channel:
        stub = speaker_pb2_grpc.SpeakerStub(channel)
        request = speaker_pb2.SpeakerStatusRequest()
        answer = await stub.Status(request, timeout=within_s, wait_for_ready=True)
    return convert.speaker_status(answer)


async def _ask_controller(path: Path) -> ControllerStatus:
    async with grpc.aio.insecure_channel(f"unix:{path}") as channel:
        stub = controller_pb2_grpc.ControllerStub(channel)
        request = controller_pb2.ControllerStatusRequest()
        answer = await stub.Status(request, timeout=DEADLINE_S, wait_for_ready=True)
    return convert.controller_status(answer)


@asynccontextmanager
async def _speaker(path: Path) -> AsyncIterator[list[SpeakerStatus]]:
    says = [statuses.speaker_status()]
    async with asyncio.TaskGroup() as group:
        task = group.create_task(serve_speaker(path, lambda: says[-1]))
        yield says
        task.cancel()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "bareway.sock"


async def test_a_speaker_tells_its_status_of_the_moment(path: Path) -> None:
    async with _speaker(path) as says:
        assert await _ask_speaker(path) == says[-1]
        says.append(statuses.speaker_status(not_ready=("no member met yet",)))
        assert await _ask_speaker(path) == says[-1]


async def test_a_controller_tells_its_status(path: Path) -> None:
    status = statuses.controller_status(waiting=(statuses.waiting(),))
    async with asyncio.TaskGroup() as group:
        task = group.create_task(serve_controller(path, lambda: status))
        assert await _ask_controller(path) == status
        task.cancel()


async def test_a_speaker_is_asked_of_some_addresses_and_what_is_none_is_passed_over(path: Path) -> None:
    other = statuses.address("192.0.2.11")
    status = statuses.speaker_status(addresses=(statuses.address("192.0.2.10"), other))
    asked: list[frozenset[str]] = []

    def some(addresses: AbstractSet[IPAddress]) -> SpeakerStatus:
        asked.append(frozenset(map(str, addresses)))
        return narrowed(status, addresses)

    for of_some in (some, None):
        async with asyncio.TaskGroup() as group:
            task = group.create_task(serve_speaker(path, lambda: status, some=of_some))
            async with grpc.aio.insecure_channel(f"unix:{path}") as channel:
                request = speaker_pb2.SpeakerStatusRequest(addresses=["192.0.2.11", "shop/web"])
                stub = speaker_pb2_grpc.SpeakerStub(channel)
                answer = await stub.Status(request, timeout=DEADLINE_S, wait_for_ready=True)
            task.cancel()
        assert convert.speaker_status(answer).addresses == (other,)
    assert asked == [frozenset({"192.0.2.11"})]


async def test_a_controller_says_why(path: Path) -> None:
    async with asyncio.TaskGroup() as group:
        serving = serve_controller(path, statuses.controller_status, why=lambda about: f"about {about}")
        task = group.create_task(serving)
        assert await _ask_why(path, "shop/web") == "about shop/web"
        task.cancel()


async def test_a_controller_that_knows_nothing_yet_says_nothing(path: Path) -> None:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(serve_controller(path, statuses.controller_status))
        assert await _ask_why(path, "shop/web") == ""
        task.cancel()


async def _ask_why(path: Path, about: str) -> str:
    async with grpc.aio.insecure_channel(f"unix:{path}") as channel:
        stub = controller_pb2_grpc.ControllerStub(channel)
        request = controller_pb2.WhyRequest(about=about)
        answer = await stub.Why(request, timeout=DEADLINE_S, wait_for_ready=True)
    return answer.chain


async def test_only_owner_and_group_may_ask(path: Path) -> None:
    async with _speaker(path):
        await _ask_speaker(path)
        assert (_mode(path), _mode(path.parent)) == (0o600, 0o700)


async def test_the_umask_of_the_program_stays_as_it_was(path: Path) -> None:
    before = os.umask(0o022)
    try:
        async with _speaker(path):
            await _ask_speaker(path)
            assert os.umask(0o022) == 0o022
    finally:
        os.umask(before)


async def test_a_socket_that_a_dead_program_left_behind_is_replaced(path: Path) -> None:
    path.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    async with _speaker(path) as says:
        assert await _ask_speaker(path) == says[-1]


async def test_a_second_instance_is_told_that_the_first_is_there(path: Path) -> None:
    async with _speaker(path) as says:
        await _ask_speaker(path)
        with pytest.raises(SocketUnavailable, match="another instance serves") as refused:
            await serve_speaker(path, statuses.speaker_status)
        assert refused.value.reason is SocketRefusal.ANOTHER_INSTANCE
        assert await _ask_speaker(path) == says[-1]


async def test_the_socket_is_removed_at_the_end_and_can_be_served_again(path: Path) -> None:
    async with _speaker(path):
        await _ask_speaker(path)
    assert not os.access(path, os.F_OK)
    async with _speaker(path) as says:
        assert await _ask_speaker(path) == says[-1]


@pytest.mark.parametrize(
    "place",
    [
        pytest.param("/proc/nowhere/x.sock", id="a folder that cannot be made"),
        pytest.param("/dev/null/x.sock", id="a file where a folder should be"),
    ],
)
async def test_a_socket_that_cannot_be_had_is_refused_in_one_sentence(place: str) -> None:
    with pytest.raises(SocketUnavailable, match="choose another with --socket, or --socket=off") as refused:
        await serve_speaker(Path(place), statuses.speaker_status)
    assert refused.value.reason is SocketRefusal.NOT_POSSIBLE
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("make", [Path.mkdir, Path.touch], ids=["folder", "file"])
async def test_what_is_not_a_socket_is_not_removed(path: Path, make: Callable[[Path], None]) -> None:
    path.parent.mkdir()
    make(path)
    with pytest.raises(SocketUnavailable, match="it is there and is not a socket") as refused:
        await serve_speaker(path, statuses.speaker_status)
    assert refused.value.reason is SocketRefusal.NOT_POSSIBLE
    assert os.access(path, os.F_OK)


async def test_the_lock_goes_with_the_program_so_that_nothing_stays_locked(path: Path) -> None:
    async with _speaker(path):
        await _ask_speaker(path)
    with path.with_name(path.name + ".lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


async def test_a_speaker_does_not_answer_for_a_controller(path: Path) -> None:
    async with _speaker(path):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await _ask_controller(path)
        assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_a_server_that_cannot_start_ends_nothing_and_the_next_guest_tries_again(path: Path) -> None:
    async with _speaker(path) as says:
        await until(path.is_socket)
        behind = _behind(path)
        behind.mkdir()
        with pytest.raises(grpc.aio.AioRpcError):
            await _ask_speaker(path, within_s=0.5)
        behind.rmdir()
        assert await _ask_speaker(path) == says[-1]


async def test_a_socket_that_is_taken_away_behind_the_door_is_made_anew(path: Path) -> None:
    async with _speaker(path) as says:
        assert await _ask_speaker(path) == says[-1]
        _behind(path).unlink()
        assert await _ask_speaker(path) == says[-1]


async def test_a_server_that_does_not_listen_in_time_is_replaced(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patient:
        patient.setattr(rpc, "READY_WITHIN_S", 0.0)
        async with _speaker(path) as says:
            await until(path.is_socket)
            with pytest.raises(grpc.aio.AioRpcError):
                await _ask_speaker(path, within_s=0.5)
            patient.undo()
            assert await _ask_speaker(path) == says[-1]


async def test_a_stale_socket_behind_the_door_is_removed(path: Path) -> None:
    path.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(_behind(path)))
    async with _speaker(path) as says:
        await until(path.is_socket)
        assert not _behind(path).exists()
        assert await _ask_speaker(path) == says[-1]


async def test_nobody_but_the_program_comes_in_by_the_back_door(path: Path) -> None:
    async with _speaker(path):
        await _ask_speaker(path)
        assert _mode(_behind(path)) == 0o600


async def test_grpc_starts_before_anybody_asks_if_told_so(path: Path) -> None:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(serve_speaker(path, statuses.speaker_status, at_once=True))
        await until(_behind(path).is_socket)
        task.cancel()


async def test_grpc_does_not_start_without_descriptors_and_the_next_guest_tries_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would end the process: a null pointer, no exception."""

    def none_left(*_: object) -> int:
        raise OSError(errno.EMFILE, "Too many open files")

    async with _speaker(path) as says:
        await until(path.is_socket)
        with monkeypatch.context() as poor:
            poor.setattr(os, "open", none_left)
            with pytest.raises(grpc.aio.AioRpcError):
                await _ask_speaker(path, within_s=0.5)
        assert not _behind(path).exists()
        assert await _ask_speaker(path) == says[-1]


async def test_one_after_the_other_more_are_answered_than_may_come_at_once(path: Path) -> None:
    async with _speaker(path) as says:
        for _ in range(rpc.GUESTS_MAX + 1):
            assert await _ask_speaker(path) == says[-1]


async def test_a_house_full_of_silent_guests_is_soon_empty_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rpc, "IDLE_S", 0.2)
    async with _speaker(path) as says:
        await until(path.is_socket)
        with ExitStack() as guests:
            for _ in range(rpc.GUESTS_MAX):
                guests.enter_context(socket.socket(socket.AF_UNIX)).connect(str(path))
            assert await _ask_speaker(path) == says[-1]


async def test_rude_guests_leave_no_descriptor_behind(path: Path) -> None:
    async with _speaker(path) as says:
        assert await _ask_speaker(path) == says[-1]
        before = _descriptors()
        for _ in range(2 * rpc.GUESTS_MAX):
            _, writer = await asyncio.open_unix_connection(str(path))
            writer.write(b"no HTTP/2")
            writer.transport.abort()
        await until(lambda: _descriptors() <= before)
        assert await _ask_speaker(path) == says[-1]


async def test_a_guest_who_says_nothing_keeps_nobody_else_away(path: Path) -> None:
    async with _speaker(path) as says:
        await until(path.is_socket)
        with socket.socket(socket.AF_UNIX) as silent:
            silent.connect(str(path))
            assert await _ask_speaker(path) == says[-1]


async def test_nothing_is_left_beside_the_socket_but_the_lock(path: Path) -> None:
    async with _speaker(path):
        await _ask_speaker(path)
    assert [left.name for left in path.parent.iterdir()] == [f"{path.name}.lock"]
