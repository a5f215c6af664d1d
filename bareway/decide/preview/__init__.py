"""What a configuration would do: the whole answer of ``bareway plan``."""
