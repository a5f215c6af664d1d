"""Profiles, and what a member of one allows a member of another."""

import pytest

from bareway.gossip.profile import PROFILES, SUSPICION_MARGIN_S, Profile, ProfileName


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.name)
def test_a_member_of_the_same_profile_has_the_profiles_own_times(profile: Profile) -> None:
    assert profile.silence_of(profile.interval_s) == profile.silence_s
    assert profile.suspicion_of(profile.interval_s) == profile.suspicion_s


def test_a_slower_member_is_given_more_time() -> None:
    fast, wan = PROFILES[ProfileName.FAST], PROFILES[ProfileName.WAN]
    assert fast.silence_of(wan.interval_s) == pytest.approx(20 * fast.silence_s)
    assert fast.suspicion_of(wan.interval_s) >= wan.interval_s + SUSPICION_MARGIN_S


def test_a_suspicion_always_leaves_time_for_a_heartbeat_and_a_flood() -> None:
    default = PROFILES[ProfileName.DEFAULT]
    assert default.suspicion_of(0.005) == 0.005 + SUSPICION_MARGIN_S


def test_two_announcers_never_overlap_in_a_partition_of_the_safe_kind() -> None:
    # who is cut off stops after the silence; the others claim no earlier than silence - interval + suspicion
    assert all(each.suspicion_s >= each.interval_s for each in PROFILES.values())
