"""The controller: assigns addresses from pools and writes them into the status of Services."""
