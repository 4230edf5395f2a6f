"""Xinji (新基): plans, builds and uses a region's digital infrastructure."""
