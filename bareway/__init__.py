"""What Bareway knows: types, decisions and protocols; and the one place that touches the world, `runtime`."""

__version__ = "0.1.0"
