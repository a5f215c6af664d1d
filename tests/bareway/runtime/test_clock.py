"""bareway.runtime.clock: time goes on, in UTC; chance differs between processes but is there."""

from datetime import UTC

from bareway.runtime.clock import boot_time, monotonic, random_bytes, seed_rng, utc_now


def test_monotonic_time_never_goes_back() -> None:
    times = [monotonic() for _ in range(100)]
    assert times == sorted(times)


def test_time_since_the_machine_started_never_goes_back_either() -> None:
    times = [boot_time() for _ in range(100)]
    assert times == sorted(times)


def test_the_time_of_day_knows_its_zone() -> None:
    assert utc_now().tzinfo is UTC


def test_keys_are_as_long_as_asked_and_never_alike() -> None:
    keys = {random_bytes(32) for _ in range(10)}
    assert len(keys) == 10
    assert {len(key) for key in keys} == {32}


def test_two_parts_of_the_same_name_draw_differently() -> None:
    assert seed_rng("gossip").random() != seed_rng("gossip").random()
