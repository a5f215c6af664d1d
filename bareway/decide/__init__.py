"""What should be: pure functions of a View that return reasons, not only results."""
