"""What things are: frozen types with no behaviour beyond their own sense."""
