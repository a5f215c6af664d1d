"""Addresses that are hashed once: equal to those of ``ipaddress`` in every way, and sooner found in a dict.

``ipaddress`` writes an IPv4 address as text each time that it is looked for, and one that changes hands is
looked for some fifty times. Where thousands come in they are made here; all others are found beside them,
since the hash is the same. It is kept from the first time on: many an address is never looked for.
"""

from ipaddress import IPv4Address, IPv6Address


class QuickIPv4Address(IPv4Address):
    """One that remembers its hash."""

    __slots__ = ("_hash",)
    _hash: int

    def __hash__(self) -> int:
        try:
            return self._hash
        except AttributeError:
            self._hash = super().__hash__()
            return self._hash


class QuickIPv6Address(IPv6Address):
    """One that remembers its hash."""

    __slots__ = ("_hash",)
    _hash: int

    def __hash__(self) -> int:
        try:
            return self._hash
        except AttributeError:
            self._hash = super().__hash__()
            return self._hash
