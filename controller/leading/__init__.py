"""Which one of several controllers leads, and that nobody else writes."""
