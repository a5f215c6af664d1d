"""The grammar of the configuration document: one file for each thing that can be said in it."""
