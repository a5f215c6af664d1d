from itertools import pairwise

from controller.writing.corrections import FIRST_PAUSE_S, FORGIVEN_S, PAUSE_CAP_S, Corrections
from support.builders import key

WEB, OTHER = key("web"), key("other")


def test_what_was_written_over_is_corrected_at_once() -> None:
    corrections = Corrections()
    assert corrections.may(WEB, now_s=0)
    assert corrections.may(OTHER, now_s=0)


def test_who_insists_is_corrected_ever_more_slowly_and_is_looked_at_when_it_is_due() -> None:
    corrections = Corrections()
    now_s, at = 0.0, []
    while now_s < 400:
        corrections.begin(now_s=now_s)
        if corrections.may(WEB, now_s=now_s):
            at.append(now_s)
            now_s += 0.01
        else:
            now_s = corrections.due_s
    pauses = [round(later - earlier, 3) for earlier, later in pairwise(at)]
    assert pauses[:4] == [FIRST_PAUSE_S, 2.0, 4.0, 8.0]
    assert max(pauses) == PAUSE_CAP_S


def test_who_was_quiet_for_long_is_corrected_at_once_again() -> None:
    corrections = Corrections()
    assert corrections.may(WEB, now_s=0)
    corrections.begin(now_s=FORGIVEN_S + 1)
    assert corrections.may(WEB, now_s=FORGIVEN_S + 1)
    assert corrections.due_s == float("inf")
    corrections.begin(now_s=FORGIVEN_S + 1.5)
    assert not corrections.may(WEB, now_s=FORGIVEN_S + 1.5), "the pause is the first one again"
    assert corrections.due_s == FORGIVEN_S + 1 + FIRST_PAUSE_S
