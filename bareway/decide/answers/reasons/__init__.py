"""Every word by which Bareway says "no" or names a state that wants a look: what it means, what to do."""
