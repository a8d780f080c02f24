"""Iris: a random forest over four measurements of a flower."""
