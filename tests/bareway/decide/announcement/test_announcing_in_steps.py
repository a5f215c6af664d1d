"""Thousands of Services are looked at a piece at a time: no step is a long silence."""

from bareway.decide.announcement.announcers import AnnouncerView, announcers, announcers_in_steps
from bareway.decide.announcement.serving import serving_in_steps, serving_nodes
from bareway.model.steps import PIECE, finish
from support.builders import configuration, endpoint_slice, pool, service

COUNT = 4 * PIECE
SERVICES = tuple(service(f"web-{n}", ingress=[f"10.0.{n >> 8}.{n & 255}"]) for n in range(1, COUNT + 1))
SLICES = tuple(endpoint_slice(f"web-{n}", "a") for n in range(1, COUNT + 1))
VIEW = AnnouncerView(configuration=configuration(pool("a", "10.0.0.0/16")), services=SERVICES, slices=SLICES)


def test_every_part_of_the_decision_is_made_in_pieces() -> None:
    steps = announcers_in_steps(VIEW)
    parts = 4  # places, endpoints, links between Services, groups
    assert sum(1 for _ in steps) == parts * COUNT // PIECE
    assert sum(1 for _ in serving_in_steps(SLICES)) == COUNT // PIECE


def test_it_is_the_same_decision() -> None:
    assert finish(announcers_in_steps(VIEW)) == announcers(VIEW)
    assert len(announcers(VIEW).groups) == COUNT
    assert finish(serving_in_steps(SLICES)) == serving_nodes(SLICES)
