"""Claims: who announces an address says so, and every member keeps the best claim it has seen of each.

A claim beats another by higher generation, then higher count, then MetalLB's rank: a total order, so that
all who have seen the same claims keep the same ones, in whatever order they came. One exception: between a
claim of a living member and one of a member held dead there is no dispute; the living one stands.

The digest of a table is kept up to date claim by claim; a heartbeat costs nothing however long the table is.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import blake2b
from typing import Final

from bareway.gossip.profile import COUNTER_MAX
from bareway.model.names import IPAddress, NodeName
from bareway.model.rank import rank

CLAIMS_MAX: Final = 20_000
"""Addresses in a table: twice what announcer lists are sized for; beyond it new addresses are not learnt."""
DIGEST_BYTES: Final = 8
DIGEST_MASK: Final = 2**63 - 1
"""A digest fits a signed 64-bit integer; 2^-63 is the chance that two tables differ unnoticed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """``node`` announces ``address``."""

    address: IPAddress
    generation: int
    """Of the announcer list that it follows; 0 while there are none."""
    count: int
    """Grows with each change of hands within a generation."""
    node: NodeName

    @property
    def version(self) -> tuple[int, int]:
        """Generation and count."""
        return (self.generation, self.count)


def beats(new: Claim, old: Claim) -> bool:
    """Whether ``new`` is the better claim of two for one address."""
    if new.version != old.version:
        return new.version > old.version
    return rank(new.node, new.address) < rank(old.node, old.address)


NOBODY: Final = NodeName("")
"""Who holds an address that its last holder gave up: a claim like any other, but the address is vacant."""


class Outcome(StrEnum):
    """What became of a claim that was heard."""

    KEPT = "Kept"
    """It is the best one now."""
    KNOWN = "Known"
    BEATEN = "Beaten"
    HOLDER_DEAD = "HolderDead"
    """Its node is held dead, that of the present one lives."""
    TABLE_FULL = "TableFull"
    ABSURD = "Absurd"
    """Nobody counts that far."""
    FORGOTTEN = "Forgotten"
    """We just dropped it because nobody wants the address; the sender is slower."""


@dataclass(slots=True, kw_only=True)
class ClaimTable:
    """The best claim of each address, and what else must be remembered to make a better one."""

    lives: Callable[[NodeName], bool]
    """Whether a member is held alive now; oneself always is."""
    digest: int = 0
    generation: int = 0
    """The highest generation held or heard."""
    _best: dict[IPAddress, Claim] = field(default_factory=dict)
    _prints: dict[IPAddress, int] = field(default_factory=dict)
    """What each adds to the digest."""
    _heard: dict[IPAddress, tuple[int, int]] = field(default_factory=dict)
    """The highest version ever heard for an address, by whomever."""
    _held: dict[NodeName, set[IPAddress]] = field(default_factory=dict)
    _forgotten: dict[IPAddress, tuple[float, tuple[int, int]]] = field(default_factory=dict)
    """When, and up to which version."""

    def __len__(self) -> int:
        return len(self._best)

    def __iter__(self) -> Iterator[Claim]:
        return iter(self._best.values())

    def get(self, address: IPAddress) -> Claim | None:
        """The best claim of ``address``."""
        return self._best.get(address)

    def held_by(self, node: NodeName) -> frozenset[IPAddress]:
        """The addresses whose best claim is that of ``node``."""
        return frozenset(self._held.get(node, ()))

    def hear_generation(self, generation: int) -> None:
        """Somebody knows of a list, or a claim, of this generation."""
        if self.generation < generation <= COUNTER_MAX:
            self.generation = generation

    def hear(self, claim: Claim) -> Outcome:
        """Merge one claim; hearing it again, or earlier, or later than others changes nothing in the end."""
        old = self._best.get(claim.address)
        if (ignored := self._ignores(claim, old)) is not None:
            return ignored
        self.hear_generation(claim.generation)
        self._heard[claim.address] = max(self._heard.get(claim.address, (0, 0)), claim.version)
        if old is not None:
            if old == claim:
                return Outcome.KNOWN
            new_lives, old_lives = self._stands(claim), self._stands(old)
            if old_lives and not new_lives:
                return Outcome.HOLDER_DEAD
            if new_lives == old_lives and not beats(claim, old):
                return Outcome.BEATEN
        self._put(claim)
        return Outcome.KEPT

    def _ignores(self, claim: Claim, old: Claim | None) -> Outcome | None:
        if max(claim.version) > COUNTER_MAX:
            return Outcome.ABSURD
        if old is None and len(self._best) >= CLAIMS_MAX:
            return Outcome.TABLE_FULL
        if claim.address in self._forgotten and claim.version <= self._forgotten[claim.address][1]:
            return Outcome.FORGOTTEN
        return None

    def next_claim(self, address: IPAddress, node: NodeName, generation: int | None = None) -> Claim:
        """The claim with which ``node`` takes ``address``: above all seen, in the newest generation."""
        if generation is None:
            generation = self.generation
        heard_generation, heard_count = self._heard.get(address, (0, 0))
        count = heard_count + 1 if heard_generation == generation else 1
        return Claim(address=address, generation=generation, count=count, node=node)

    def forget(self, address: IPAddress, *, now: float) -> None:
        """Drop everything known of ``address``, and do not learn the same again soon."""
        claim = self._best.pop(address, None)
        heard = self._heard.pop(address, (0, 0))
        if claim is not None:
            self.digest ^= self._prints.pop(address)
            self._held[claim.node].discard(address)
            self._forgotten[address] = (now, heard)

    def want(self, address: IPAddress) -> None:
        """It is in use again: learn whatever is said of it."""
        self._forgotten.pop(address, None)

    def learn_again(self, forgotten_until: float) -> None:
        """What was forgotten up to then may be learnt again."""
        self._forgotten = {
            address: (at, version)
            for address, (at, version) in self._forgotten.items()
            if at > forgotten_until
        }

    def _stands(self, claim: Claim) -> bool:
        return claim.node == NOBODY or self.lives(claim.node)

    def _put(self, claim: Claim) -> None:
        old = self._best.get(claim.address)
        if old is not None:
            self._held[old.node].discard(claim.address)
        self._best[claim.address] = claim
        self._held.setdefault(claim.node, set()).add(claim.address)
        fresh = fingerprint(claim)
        self.digest ^= self._prints.get(claim.address, 0) ^ fresh
        self._prints[claim.address] = fresh


def fingerprint(claim: Claim) -> int:
    """What one claim adds to the digest by XOR: order does not matter, and taking away is adding."""
    text = f"{claim.address}#{claim.generation}#{claim.count}#{claim.node}"
    return int.from_bytes(blake2b(text.encode(), digest_size=DIGEST_BYTES).digest()) & DIGEST_MASK
