"""Servers to measure against, each written as its users write it."""
