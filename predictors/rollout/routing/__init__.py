"""Layouts of a rollout as KServe's objects: which pods there are, and how the traffic is split."""
