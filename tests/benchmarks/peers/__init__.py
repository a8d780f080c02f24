"""Servers to measure against, each written as its users would write it."""
