"""Continuous batching: many answers from one model at a time."""
