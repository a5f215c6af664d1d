"""What a life of the speaker leaves to the next one."""

from pathlib import Path

import pytest

from bareway.bgp.peers import RESTART_TIME_S
from speaker.bgp.life_sign import BEAT_S, LifeSign


@pytest.fixture
def boot(tmp_path: Path) -> Path:
    path = tmp_path / "boot_id"
    path.write_text("0d8f8c4e-2c5c-4c54-9f0f-3f6d9f7a2b11\n")
    return path


@pytest.fixture
def sign(tmp_path: Path, boot: Path) -> LifeSign:
    return LifeSign(tmp_path / "bgp-alive", boot_id=boot)


def test_the_first_life_has_none_before_it(sign: LifeSign) -> None:
    assert not sign.is_recent(100.0)


@pytest.mark.parametrize(
    ("later", "is_recent"),
    [
        pytest.param(0.0, True, id="at-once"),
        pytest.param(BEAT_S + RESTART_TIME_S - 1, True, id="while-routers-wait"),
        pytest.param(BEAT_S + RESTART_TIME_S, False, id="too-late"),
        pytest.param(-1.0, False, id="before-it-was-written"),
    ],
)
def test_a_life_with_sessions_is_known_while_routers_wait_for_it(
    sign: LifeSign, later: float, is_recent: bool
) -> None:
    sign.beat(100.0)
    assert sign.is_recent(100.0 + later) is is_recent


def test_a_life_before_the_last_boot_says_nothing(sign: LifeSign, boot: Path) -> None:
    sign.beat(100.0)
    boot.write_text("7b9a1c32-0000-4c54-9f0f-3f6d9f7a2b11\n")
    assert not sign.is_recent(101.0)


def test_who_left_for_good_leaves_nothing_behind(sign: LifeSign) -> None:
    sign.beat(100.0)
    sign.forget()
    assert not sign.is_recent(101.0)
    sign.forget()


@pytest.mark.parametrize("content", [b"", b"x", b"x" * 44, b"x" * 100])
def test_a_file_of_somebody_else_says_nothing(tmp_path: Path, sign: LifeSign, content: bytes) -> None:
    (tmp_path / "bgp-alive").write_bytes(content)
    assert not sign.is_recent(100.0)


def test_without_a_place_or_where_nothing_can_be_written_every_life_is_the_first(
    tmp_path: Path, boot: Path
) -> None:
    for sign in (LifeSign(None), LifeSign(tmp_path / "no" / "such" / "folder", boot_id=boot)):
        sign.beat(100.0)
        assert not sign.is_recent(100.0)
        sign.forget()
