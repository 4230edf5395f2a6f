"""Frozen, array-backed types that every wing shares; no algorithms, no files."""
