"""Facility location: which rooms, exchanges and data centres to open, and who is served from where, with a bound."""
