"""Decides what a rollout does next: pure, without a clock, a cluster or a sleep of its own."""
