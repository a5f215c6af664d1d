from bareway.model.services import Service
from controller.allocation.assumptions import Assumptions
from support.builders import ips, key, service


def at(version: str, *ingress: str) -> Service:
    return service(resource_version=version, ingress=ingress)


def laid(assumptions: Assumptions[Service], mirrored: Service | None) -> tuple[str, str]:
    """Versions shown and held, after the mirror has had its say."""
    objects = {mirrored.key: mirrored} if mirrored is not None else {}
    assumptions.prune(objects)
    shown, held = assumptions.shown(objects).get(key("web")), assumptions.held(objects).get(key("web"))
    return shown.resource_version if shown else "", held.resource_version if held else ""


def test_what_was_written_counts_until_the_mirror_shows_another_version() -> None:
    assumptions: Assumptions[Service] = Assumptions()
    assumptions.note(at("2", "192.0.2.0"), over="1")
    assert laid(assumptions, at("1")) == ("2", "2")
    assert laid(assumptions, at("2", "192.0.2.0")) == ("2", "2")
    assert len(assumptions) == 0
    assert laid(assumptions, at("3")) == ("3", "3")


def test_a_version_that_somebody_else_wrote_after_ours_counts() -> None:
    assumptions: Assumptions[Service] = Assumptions()
    assumptions.note(at("2", "192.0.2.0"), over="1")
    assert laid(assumptions, at("3")) == ("3", "3")
    assert laid(assumptions, at("1")) == ("1", "1"), "once caught up with, it is forgotten"


def test_two_writes_may_be_ahead_of_the_mirror() -> None:
    assumptions: Assumptions[Service] = Assumptions()
    assumptions.note(at("2"), over="1")
    assumptions.note(at("3"), over="2")
    assert laid(assumptions, at("1")) == ("3", "3")
    assert laid(assumptions, at("2")) == ("3", "3")
    assert laid(assumptions, at("3")) == ("3", "3")
    assert len(assumptions) == 0


def test_a_write_without_an_answer_is_held_but_not_shown() -> None:
    assumptions: Assumptions[Service] = Assumptions()
    assumptions.note(at("1", "192.0.2.0"), over="1", is_certain=False)
    objects = {key("web"): at("1")}
    assumptions.prune(objects)
    assert assumptions.shown(objects)[key("web")].ingress == ()
    assert assumptions.held(objects)[key("web")].ingress == ips("192.0.2.0")


def test_a_second_attempt_makes_it_certain() -> None:
    assumptions: Assumptions[Service] = Assumptions()
    assumptions.note(at("1", "192.0.2.0"), over="1", is_certain=False)
    assumptions.note(at("2", "192.0.2.0"), over="1")
    assert laid(assumptions, at("1")) == ("2", "2")


def test_what_was_created_counts_until_the_mirror_shows_it() -> None:
    assumptions: Assumptions[Service] = Assumptions()
    assumptions.note(at("5"), over="")
    assert laid(assumptions, None) == ("5", "5")
    assert laid(assumptions, at("6")) == ("6", "6")


def test_what_was_deleted_since_is_forgotten() -> None:
    assumptions: Assumptions[Service] = Assumptions()
    assumptions.note(at("2"), over="1")
    assert laid(assumptions, None) == ("", "")
    assert len(assumptions) == 0
