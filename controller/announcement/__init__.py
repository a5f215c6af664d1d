"""Whom gossip shows, and the announcer lists that are written of it."""
