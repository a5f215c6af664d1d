"""Which addresses are announced, which nodes may, and whom the announcer lists name."""
