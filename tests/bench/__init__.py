"""Measures, not tests: JSON with every trial kept on standard output, progress on standard error."""
