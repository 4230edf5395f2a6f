"""Offers to Problem to Plan: assemble, formulation, bound, improve, check, explain."""
