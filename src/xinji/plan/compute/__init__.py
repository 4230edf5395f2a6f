"""Compute: latency, edge nodes, and the compute offer."""
