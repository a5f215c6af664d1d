"""What operators are answered: pure functions of what is known, which return words and sentences."""
