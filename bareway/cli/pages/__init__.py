"""How answers look: for people, for scripts."""
