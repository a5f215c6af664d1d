"""The poll sequence by itself."""

from bareway.bfd.polling import PollSequence


def stage(poll: PollSequence) -> str:
    return "polling" if poll.is_polling else "idle" if poll.is_idle else "settling"


def test_one_question_one_answer() -> None:
    poll = PollSequence()
    stages = [stage(poll)]
    poll.begin()
    stages.append(stage(poll))
    assert not poll.receive(is_final=False)
    stages.append(stage(poll))
    assert poll.receive(is_final=True)
    stages.append(stage(poll))
    poll.receive(is_final=False)
    stages.append(stage(poll))
    assert stages == ["idle", "polling", "polling", "settling", "idle"]


def test_an_answer_that_nobody_asked_for_is_none() -> None:
    assert not PollSequence().receive(is_final=True)


def test_what_changed_after_the_question_is_asked_for_again() -> None:
    poll = PollSequence()
    poll.begin()
    poll.begin()
    assert not poll.receive(is_final=True)  # it may have been given before the second change was seen
    assert not poll.receive(is_final=True)
    assert stage(poll) == "settling"
    poll.receive(is_final=False)
    assert stage(poll) == "polling"
    assert poll.receive(is_final=True)


def test_a_change_while_the_answer_settles_is_asked_for_next() -> None:
    poll = PollSequence()
    poll.begin()
    poll.receive(is_final=True)
    poll.begin()
    assert stage(poll) == "settling"
    poll.receive(is_final=False)
    assert stage(poll) == "polling"


def test_what_is_stopped_has_forgotten_everything() -> None:
    poll = PollSequence()
    poll.begin()
    poll.begin()
    poll.stop()
    assert poll.is_idle
    poll.begin()
    assert poll.receive(is_final=True)
