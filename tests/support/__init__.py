"""Builders and fakes that behave, shared by tests."""
