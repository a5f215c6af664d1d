"""Nodes and their routers in virtual time: real sessions, real BFD, real decisions, all from one seed."""
