"""The bareway command and kubectl plug-in."""
