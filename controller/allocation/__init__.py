"""What the cluster shows, what is decided of it, and what is remembered."""
