"""Membership and claims without sockets or clock: who is alive, and who announces what."""
