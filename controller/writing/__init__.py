"""From what is decided to what is written: status, conditions, Events."""
