"""Fibre: the trench graph along roads, the access network, and the fibre offer."""
