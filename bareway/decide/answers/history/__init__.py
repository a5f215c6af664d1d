"""Who had an address, when and why it moved: what a speaker keeps of it, and what several say together."""
