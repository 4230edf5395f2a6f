"""Steiner trees on road graphs: which trenches to dig so that all that must be joined is, with a bound."""
