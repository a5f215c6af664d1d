"""What the controller's work costs, and how late an address comes: ``python -m bench.controller``."""
