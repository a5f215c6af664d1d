"""Which address a Service gets, keeps or waits for, and why."""
