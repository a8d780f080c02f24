"""Documents: their clauses, how much each matters, and which of them support a point."""
