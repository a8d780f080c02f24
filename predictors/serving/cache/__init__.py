"""Answers of deterministic models, kept in this process and in a shared server."""
