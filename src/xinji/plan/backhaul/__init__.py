"""Backhaul and resilience: loads, microwave or trench, disjoint paths, protection, and what a cut costs."""
