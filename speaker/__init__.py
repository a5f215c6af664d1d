"""The speaker: one on each node; finds the others, elects who announces, answers ARP."""
