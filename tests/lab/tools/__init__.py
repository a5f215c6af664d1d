"""Small programs that run inside a lab's machines and write JSON lines to standard output."""
