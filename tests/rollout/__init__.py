"""Rollouts in virtual time: a simulated cluster with KServe's semantics, and the engine on it."""
