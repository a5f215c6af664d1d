"""BFD beside the main program: a small process that keeps the sessions, and what the program says to it."""
