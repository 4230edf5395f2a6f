"""Covering: which sites serve the most demand, or serve what is asked at least cost, with a certificate."""
