"""ARP on Ethernet without sockets or clock: codecs, the responder, the paced announcement."""
