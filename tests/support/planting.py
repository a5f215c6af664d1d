"""What a planted fault is."""

from collections.abc import Callable
from dataclasses import dataclass

from bareway.decide.answers.checks.view import DoctorView
from bareway.model.names import NodeName
from support.patients import NODES

NODE1, NODE2, NODE3 = NODES
NODE4 = NodeName("node4")
Change = Callable[[DoctorView], DoctorView]


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """A fault, the word that shall come first, and what the remedy does."""

    word: str
    subject: str
    plant: Change
    cure: Change
